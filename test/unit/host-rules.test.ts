import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { areEqual, type Bytes, fromBase64url, toBase64url } from '../../peer/bytes.ts';
import { systemClock } from '../../peer/clock.ts';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import type { SigningKey } from '../../peer/crypto/crypto.ts';
import { MatineeError } from '../../peer/errors.ts';
import { type HostCommands, hostCommands } from '../../peer/host/host-commands.ts';
import { type ListedVideo, MAX_REMOVED, MAX_RULES_BYTES, openRules } from '../../peer/manifest/rules.ts';
import { buildHttp } from '../../seed-server/http.ts';
import { createLog } from '../../seed-server/log.ts';
import { roomDoor } from '../../seed-server/room-door.ts';
import type { RoomChange } from '../../seed-server/routes/api.ts';
import { FileStore } from '../../seed-server/store/file-store.ts';
import { RemoteDoor } from '../../signaling/remote-door.ts';
import { attachSignaling, type Signaling } from '../../signaling/server.ts';
import { flipped, MadeRoom } from '../tools/made-room.ts';
import { memberIdOfKey, memberKey } from '../tools/member-keys.ts';
import { joinOf, RawClient, refusedWith } from '../tools/signaling-fixture.ts';
import { temporaryFolder } from '../tools/temporary-folder.ts';

const crypto = await chooseCrypto();

interface Bench {
  folder: string;
  store: FileStore;
  made: MadeRoom;
  url: string;
  signalUrl: string;
  changed: RoomChange[];
}

/** A store with one room, and the seed server's HTTP and signaling over it as they run: rules that change are asked after. */
function withServer(body: (bench: Bench) => Promise<void>): () => Promise<void> {
  return async () => {
    const { path, remove } = await temporaryFolder();
    const folder = join(path, 'data');
    const store = await FileStore.open(crypto, folder);
    const made = await MadeRoom.create(crypto);
    await store.putRecord(made.room, await made.record());
    const changed: RoomChange[] = [];
    let signaling: Signaling | null = null;
    const log = createLog('silent');
    const app = await buildHttp({
      store,
      crypto,
      webFolder: path,
      log,
      onChange: (room, change) => {
        changed.push(change);
        if (change === 'members') signaling?.recheck(room);
      },
    });
    signaling = attachSignaling({
      server: app.server,
      path: '/signal',
      door: roomDoor(store, crypto),
      originKey: null,
      iceServers: [],
      random: Math.random,
      log,
    });
    try {
      const url = await app.listen({ host: '127.0.0.1', port: 0 });
      await body({ folder, store, made, url, signalUrl: `${url.replace('http', 'ws')}/signal`, changed });
    } finally {
      await signaling.close();
      app.server.closeAllConnections();
      await app.close();
      await remove();
    }
  };
}

async function outcomeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    (value) => String(value),
    (error: unknown) => (error instanceof MatineeError ? error.code : String(error)),
  );
}

function id(number: number): Bytes {
  return fromBase64url(memberIdOfKey(memberKey(number))) ?? new Uint8Array();
}

function commands({ made, url }: Bench, hostKey: SigningKey = made.key): HostCommands {
  return hostCommands({
    crypto,
    clock: systemClock,
    fetch,
    server: url,
    roomId: made.roomBytes,
    hostKey,
    joinToken: made.tokenBytes,
  });
}

const storing = suite('storing the host’s rules');

storing(
  'should keep the newest, whatever else comes, also over a restart',
  withServer(async ({ store, made, folder }) => {
    const newest = await made.rules(5, { removed: [id(1)] });
    assert.is(await store.putRules(made.room, await made.rules(2)), true);
    assert.is(await store.putRules(made.room, newest), true);
    assert.is(await store.putRules(made.room, newest), false);
    const isStored = (of: FileStore) =>
      of.readRules(made.room).then((bytes) => bytes && areEqual(bytes, newest));
    for (const number of [1, 2, 4, 5])
      assert.is(await outcomeOf(store.putRules(made.room, await made.rules(number))), 'MANIFEST_STALE');
    assert.is(await isStored(store), true);
    const again = await FileStore.open(crypto, folder);
    assert.is((await again.rules(made.room))?.number, 5);
    assert.is(await outcomeOf(again.putRules(made.room, await made.rules(5))), 'MANIFEST_STALE');
    assert.is(await isStored(again), true);
    assert.is(await again.putRules(made.room, await made.rules(6)), true);
  }),
);

storing(
  'should take none that are another’s, bent, or of a room that is not there; they go with the room',
  withServer(async ({ store, made }) => {
    const other = await MadeRoom.create(crypto);
    const rules = await made.rules(1);
    const put = async (room: string, envelope: Bytes) => outcomeOf(store.putRules(room, envelope));
    assert.is(await put(made.room, await other.rules(1)), 'SIGNATURE_WRONG');
    assert.is(await put(made.room, flipped(rules, rules.byteLength - 1)), 'SIGNATURE_WRONG');
    assert.is(await put(made.room, rules.slice(1)), 'MANIFEST_MALFORMED');
    assert.is(await put(other.room, await other.rules(1)), 'ROOM_UNKNOWN');
    assert.is(await store.readRules(made.room), null);
    assert.is(await put(made.room, rules), 'true');
    await store.removeRoom(made.room, await made.takeDown());
    assert.is(await put(made.room, await made.rules(2)), 'ROOM_UNKNOWN');
    await store.putRecord(made.room, await made.record());
    assert.equal([await store.rules(made.room), await store.readRules(made.room)], [null, null]);
  }),
);

storing(
  'should take the videos that the rules list besides the first, and let those go that are not listed any more',
  withServer(async ({ store, made }) => {
    const next = await MadeRoom.create(crypto, made.key);
    await store.putManifest(made.room, made.video, await made.grow(10));
    const update = await next.grow(10, 20);
    const put = () => outcomeOf(store.putManifest(made.room, next.video, update));
    assert.is(await put(), 'MANIFEST_STALE');
    const [one, two] = [listed(made.videoBytes), listed(next.videoBytes)];
    await store.putRules(made.room, await made.rules(1, { videos: [one, two], current: one.video }));
    assert.equal(await store.listVideos(made.room), [made.video]);
    assert.is(await put(), 'true');
    assert.equal((await store.listVideos(made.room)).sort(), [made.video, next.video].sort());
    await store.putRules(made.room, await made.rules(2, { videos: [two, one], current: two.video }));
    assert.is((await store.listVideos(made.room)).length, 2);
    await store.putRules(made.room, await made.rules(3, { videos: [two], current: two.video }));
    assert.equal(await store.listVideos(made.room), [next.video]);
    const late = outcomeOf(store.putManifest(made.room, made.video, await made.grow(10)));
    assert.is(await late, 'MANIFEST_STALE', 'the first one’s host goes on uploading it');
    const third = listed(id(3));
    await store.putRules(made.room, await made.rules(4, { videos: [third], current: third.video }));
    assert.is(
      await put(),
      'MANIFEST_STALE',
      'nor may a member bring back what was replaced, before the next one comes',
    );
    assert.equal(await store.listVideos(made.room), []);
  }),
);

storing.run();

const routes = suite('the host’s rules over HTTP');

routes(
  'should be taken by their signature, and given to members alone',
  withServer(async (bench) => {
    const { made, url, changed } = bench;
    const address = `${url}/api/rooms/${made.room}/rules`;
    const headers = { 'content-type': 'application/octet-stream' };
    const put = async (body: Bytes): Promise<string> => {
      const response = await fetch(address, { method: 'PUT', body, headers });
      const { code = '' } = response.status === 204 ? {} : ((await response.json()) as { code?: string });
      return `${response.status} ${code}`.trim();
    };
    const member = { authorization: `Bearer ${made.token}` };
    assert.is((await fetch(address, { headers: member })).status, 404);
    const rules = await made.rules(3);
    const stranger = await MadeRoom.create(crypto);
    assert.is(await put(await stranger.rules(3)), '403 SIGNATURE_WRONG');
    assert.is(await put(new Uint8Array()), '400 MANIFEST_MALFORMED');
    assert.is(await put(new Uint8Array(MAX_RULES_BYTES + 1)), '413 BODY_TOO_LARGE');
    assert.equal(changed, []);
    assert.equal([await put(rules), await put(rules)], ['204', '204']);
    assert.is(await put(await made.rules(2)), '409 MANIFEST_STALE');
    assert.is(await put(await made.rules(3, { isOriginOnly: true })), '409 MANIFEST_STALE');
    assert.equal(changed, ['members'], 'what brings nothing new is told nobody');
    assert.is((await fetch(address)).status, 403);
    const response = await fetch(address, { headers: member });
    assert.is(response.headers.get('cache-control'), 'no-store');
    assert.ok(areEqual(new Uint8Array(await response.arrayBuffer()), rules));
  }),
);

routes.run();

const hosting = suite('host commands');

function listed(video: Bytes): ListedVideo {
  return { video, title: new Uint8Array(40) };
}

hosting(
  'should change the rules one by one, each keeping what the others did',
  withServer(async (bench) => {
    const { made, store } = bench;
    const host = commands(bench);
    const [first, second, third] = [listed(id(9)), listed(id(8)), listed(id(7))];
    assert.is((await host.read()).number, 0);
    await host.remove(id(1));
    await host.mute(id(2));
    await host.remove(id(3));
    await host.lock([id(4), id(5)]);
    await host.setOriginOnly(true);
    await host.addVideo(second, first);
    const { number, removed, muted, lockedTo, isOriginOnly, videos, current } = await host.read();
    assert.equal([number, isOriginOnly, videos, current], [6, true, [first, second], first.video]);
    assert.equal([removed, muted, lockedTo], [[id(1), id(3)], [id(2)], [id(4), id(5)]]);
    await host.unremove(id(1));
    await host.unmute(id(2));
    const kept = await host.removeAndLock(id(6), [id(4)]);
    assert.equal([kept.removed, kept.lockedTo], [[id(3), id(6)], [id(4)]]);
    await host.unremove(id(6));
    const last = await host.unlock();
    assert.equal([last.number, last.removed, last.muted, last.lockedTo], [11, [id(3)], [], null]);
    assert.equal(last.videos, [first, second]);
    assert.equal((await host.replaceVideo(second.video, third)).videos, [first, third]);
    const envelope = await store.readRules(made.room);
    assert.is((await openRules(crypto, made.roomBytes, envelope ?? new Uint8Array())).number, 12);
  }),
);

hosting(
  'should let one more into a locked room and out again, and change nothing where there is nothing to change',
  withServer(async (bench) => {
    const host = commands(bench);
    assert.is((await host.letIn(id(1))).number, 0, 'an open room lets in everybody');
    await host.lock([id(4)]);
    assert.equal((await host.letIn(id(1))).lockedTo, [id(4), id(1)]);
    assert.is((await host.letIn(id(1))).number, 2);
    assert.equal((await host.letOut(id(1))).lockedTo, [id(4)]);
    assert.is((await host.letOut(id(1))).number, 3);
    await host.unlock();
    assert.equal((await host.letOut(id(4))).lockedTo, null);
  }),
);

hosting(
  'should count muting from the moment of the last muting, not of what else changed since',
  withServer(async (bench) => {
    const host = commands(bench);
    const { atMs } = await host.mute(id(1));
    await new Promise<void>((resolve) => {
      const look = (): void => void (Date.now() > atMs ? resolve() : setImmediate(look));
      look();
    });
    assert.is((await host.setOriginOnly(true)).atMs, atMs);
    assert.ok((await host.mute(id(2))).atMs > atMs);
  }),
);

hosting(
  'should get all through that are given at once, from two devices',
  withServer(async (bench) => {
    const [here, there] = [commands(bench), commands(bench)];
    await Promise.all([here.remove(id(1)), there.remove(id(2)), here.mute(id(3))]);
    const { number, removed, muted } = await here.read();
    assert.equal([number, removed.length, muted], [3, 2, [id(3)]]);
  }),
);

hosting(
  'should do nothing at all with a key that is not the room’s',
  withServer(async (bench) => {
    const { store, made, changed } = bench;
    const wrong = commands(bench, await crypto.generateSigningKey());
    const posing = commands(bench, { ...(await crypto.generateSigningKey()), publicKey: made.key.publicKey });
    for (const host of [wrong, posing]) {
      const tries = [
        () => host.remove(id(1)),
        () => host.mute(id(1)),
        () => host.lock([]),
        () => host.setOriginOnly(true),
        () => host.addVideo(listed(id(1)), null),
        () => host.change((rules) => ({ ...rules, removed: [id(1)] })),
      ];
      for (const tryOne of tries) assert.is(await outcomeOf(tryOne()), 'SIGNATURE_WRONG');
    }
    assert.equal([await store.readRules(made.room), changed], [null, []]);
  }),
);

hosting(
  'should say what is wrong where they cannot be given',
  withServer(async (bench) => {
    const host = commands(bench);
    const many = Array.from({ length: MAX_REMOVED + 1 }, (_, i) => new Uint8Array(16).fill(i));
    const full = host.change((rules) => ({ ...rules, removed: many }));
    assert.is(await outcomeOf(full), 'REQUEST_MALFORMED');
    const stranger = { ...bench, made: await MadeRoom.create(crypto) };
    assert.is(await outcomeOf(commands(stranger).remove(id(1))), 'ROOM_UNKNOWN');
    const away = { ...bench, url: 'http://127.0.0.1:1' };
    assert.is(await outcomeOf(commands(away).remove(id(1))), 'SERVER_UNREACHABLE');
  }),
);

hosting.run();

const guarding = suite('signaling obeying the host’s rules');

function knock(bench: Bench, number: number): Promise<RawClient> {
  const { made, signalUrl } = bench;
  return RawClient.openWith(signalUrl, joinOf(memberKey(number), made.room, made.token));
}

async function enter(bench: Bench, number: number): Promise<RawClient> {
  const client = await knock(bench, number);
  await client.next('welcome');
  return client;
}

guarding(
  'should end the connections of those that are removed, and let them in no more',
  withServer(async (bench) => {
    const host = commands(bench);
    const [gone, stays] = [await enter(bench, 1), await enter(bench, 2)];
    await host.remove(id(1));
    await refusedWith(gone, 'REMOVED');
    await refusedWith(await knock(bench, 1), 'REMOVED');
    await stays.settled();
    await host.unremove(id(1));
    await enter(bench, 1);
  }),
);

guarding(
  'should let nobody into a locked room but those whom it is locked to',
  withServer(async (bench) => {
    const host = commands(bench);
    const [outside, inside] = [await enter(bench, 1), await enter(bench, 2)];
    await host.lock([id(2), id(3)]);
    await refusedWith(outside, 'ROOM_LOCKED');
    await refusedWith(await knock(bench, 4), 'ROOM_LOCKED');
    await inside.settled();
    await enter(bench, 3);
    await host.unlock();
    await enter(bench, 4);
  }),
);

guarding(
  'should tell nobody of anybody, and pass nothing on between them, where all go through the server',
  withServer(async (bench) => {
    const host = commands(bench);
    const first = await enter(bench, 1);
    await host.setOriginOnly(true);
    const second = await knock(bench, 2);
    assert.equal((await second.next('welcome')).members, []);
    second.send({ type: 'more', known: [] });
    assert.equal((await second.next('members')).members, []);
    second.send({ type: 'signal', to: memberIdOfKey(memberKey(1)), data: 'my address' });
    assert.is((await second.next('absent')).id, memberIdOfKey(memberKey(1)));
    await first.settled();
    await host.setOriginOnly(false);
    second.send({ type: 'more', known: [] });
    assert.equal((await second.next('members')).members, [memberIdOfKey(memberKey(1))]);
  }),
);

guarding(
  'should end the connections of a room that is taken down, and of no other',
  withServer(async (bench) => {
    const { made, url, store } = bench;
    const other = await MadeRoom.create(crypto);
    await store.putRecord(other.room, await other.record());
    const [here, there] = [await enter(bench, 1), await enter({ ...bench, made: other }, 2)];
    const headers = { 'content-type': 'application/octet-stream' };
    const body = await made.takeDown();
    await fetch(`${url}/api/rooms/${made.room}`, { method: 'DELETE', body, headers });
    await refusedWith(here, 'ROOM_UNKNOWN');
    await there.settled();
  }),
);

guarding(
  'should be told by the seed server where it runs apart',
  withServer(async (bench) => {
    const { made, url } = bench;
    const door = new RemoteDoor(url);
    const host = commands(bench);
    await host.remove(id(1));
    await host.lock([id(2)]);
    const ask = (number: number) => door.admit(made.room, made.token, memberIdOfKey(memberKey(number)));
    assert.equal([await ask(1), await ask(2), await ask(3)], ['removed', 'ok', 'locked']);
    assert.is(await door.admit(made.room, toBase64url(new Uint8Array(32)), null), 'bad-token');
    assert.is(
      await outcomeOf(door.admit(made.room, made.token, 'nobody')),
      'Error: the seed server answers 400',
    );
  }),
);

guarding.run();
