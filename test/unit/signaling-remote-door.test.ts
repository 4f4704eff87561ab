import { createServer } from 'node:http';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import { memberIdBytes } from '../../peer/crypto/member-key.ts';
import { buildHttp } from '../../seed-server/http.ts';
import { createLog } from '../../seed-server/log.ts';
import { FileStore } from '../../seed-server/store/file-store.ts';
import { MemoryBus } from '../../signaling/memory-bus.ts';
import { RemoteDoor } from '../../signaling/remote-door.ts';
import { MadeRoom } from '../tools/made-room.ts';
import { memberIdOfKey } from '../tools/member-keys.ts';
import {
  joinOf,
  memberKey,
  type OpenServer,
  openSignaling,
  RawClient,
  refusedWith,
  until,
} from '../tools/signaling-fixture.ts';
import { temporaryFolder } from '../tools/temporary-folder.ts';

const crypto = await chooseCrypto();
const door = suite('the door of a signaling server that runs alone');

door('should let in exactly whom the seed server would', async () => {
  const { path, remove } = await temporaryFolder();
  try {
    const store = await FileStore.open(crypto, path);
    const log = createLog('silent');
    const app = await buildHttp({ store, crypto, webFolder: path, log, onChange: () => {} });
    try {
      const made = await MadeRoom.create(crypto);
      const other = await MadeRoom.create(crypto);
      await store.putRecord(made.room, await made.record());
      const remote = new RemoteDoor(await app.listen({ host: '127.0.0.1', port: 0 }));
      assert.is(await remote.admit(made.room, made.token, null), 'ok');
      assert.is(await remote.admit(made.room, other.token, null), 'bad-token');
      assert.is(await remote.admit(other.room, made.token, null), 'no-room');
    } finally {
      app.server.closeAllConnections();
      await app.close();
    }
  } finally {
    await remove();
  }
});

door('should reject where the seed server fails or is away, for the client to try again', async () => {
  const failing = createServer((_request, response) => response.writeHead(502).end());
  await new Promise<void>((resolve) => failing.listen(0, '127.0.0.1', resolve));
  const address = failing.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const remote = new RemoteDoor(`http://127.0.0.1:${port}`);
  const outcome = () => remote.admit('a'.repeat(22), 'T'.repeat(43), null).then(String, () => 'rejected');
  assert.is(await outcome(), 'rejected');
  failing.closeAllConnections();
  await new Promise((resolve) => failing.close(resolve));
  assert.is(await outcome(), 'rejected');
});

/** A seed server, and a signaling server that knows it by its address alone. */
async function withBoth(
  body: (town: {
    store: FileStore;
    made: MadeRoom;
    signaling: OpenServer;
    askedCount(): number;
  }) => Promise<void>,
): Promise<void> {
  const { path, remove } = await temporaryFolder();
  const store = await FileStore.open(crypto, path);
  const app = await buildHttp({
    store,
    crypto,
    webFolder: path,
    log: createLog('silent'),
    onChange: () => {},
  });
  let askedCount = 0;
  app.server.on('request', () => {
    askedCount += 1;
  });
  const made = await MadeRoom.create(crypto);
  await store.putRecord(made.room, await made.record());
  const remote = new RemoteDoor(await app.listen({ host: '127.0.0.1', port: 0 }));
  const bus = new MemoryBus(Math.random, () => performance.now());
  const signaling = await openSignaling({ door: remote, bus });
  const hasMembers = async (room: string) => (await bus.members(room, null, [], 1)).length > 0;
  const stop = remote.watch(hasMembers, (room) => signaling.signaling.recheck(room), 10);
  try {
    await body({ store, made, signaling, askedCount: () => askedCount });
  } finally {
    stop();
    await signaling.close();
    app.server.closeAllConnections();
    await app.close();
    await remove();
  }
}

async function enter({ url }: OpenServer, made: MadeRoom, member: number): Promise<RawClient> {
  return await RawClient.openWith(url, joinOf(memberKey(member), made.room, made.token));
}

door('should learn whom the host removes while they are in, and of a room that is taken down', () =>
  withBoth(async ({ store, made, signaling }) => {
    const [stays, goes] = [await enter(signaling, made, 1), await enter(signaling, made, 2)];
    await Promise.all([stays.next('welcome'), goes.next('welcome')]);
    const removed = [await memberIdBytes(crypto, memberKey(2).publicKey)];
    await store.putRules(made.room, await made.rules(1, { removed }));
    await refusedWith(goes, 'REMOVED');
    await stays.settled();
    await store.removeRoom(made.room, await made.takeDown());
    await refusedWith(stays, 'ROOM_UNKNOWN');
  }),
);

door(
  'should hold those who came before to new rules, though somebody who comes later brings them first',
  () =>
    withBoth(async ({ store, made, signaling }) => {
      const goes = await enter(signaling, made, 2);
      await goes.next('welcome');
      const removed = [await memberIdBytes(crypto, memberKey(2).publicKey)];
      await Promise.all([
        store.putRules(made.room, await made.rules(1, { removed })),
        enter(signaling, made, 1),
        refusedWith(goes, 'REMOVED'),
      ]);
    }),
);

door('should name nobody to anybody once the room goes only through the server', () =>
  withBoth(async ({ store, made, signaling }) => {
    const first = await enter(signaling, made, 1);
    await first.next('welcome');
    await store.putRules(made.room, await made.rules(1, { isOriginOnly: true }));
    const second = await enter(signaling, made, 2);
    assert.equal((await second.next('welcome')).members, []);
    second.send({ type: 'signal', to: memberIdOfKey(memberKey(1)), data: 'hello' });
    assert.is((await second.next('absent')).id, memberIdOfKey(memberKey(1)));
  }),
);

door('should ask about no room that everybody has left', () =>
  withBoth(async ({ made, signaling, askedCount }) => {
    const only = await enter(signaling, made, 1);
    await only.next('welcome');
    const before = askedCount();
    await until(() => askedCount() > before + 2);
    await only.close();
    await until(() => signaling.signaling.counts().members === 0);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const after = askedCount();
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.is(askedCount(), after);
  }),
);

door.run();
