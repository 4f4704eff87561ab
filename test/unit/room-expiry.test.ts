import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Bytes } from '../../peer/bytes.ts';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import { MatineeError } from '../../peer/errors.ts';
import { RoomExpiry } from '../../seed-server/store/expiry.ts';
import { FileStore } from '../../seed-server/store/file-store.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';
import { MadeRoom } from '../tools/made-room.ts';
import { temporaryFolder } from '../tools/temporary-folder.ts';

const crypto = await chooseCrypto();
const DAY_MS = 24 * 60 * 60 * 1000;

interface Bench {
  store: FileStore;
  folder: string;
  /** A room with a manifest of one segment of 1000 bytes, which is not stored yet. */
  made: MadeRoom;
}

function withStore(body: (bench: Bench) => Promise<void>, maxRoomBytes?: number): () => Promise<void> {
  return async () => {
    const { path: folder, remove } = await temporaryFolder();
    try {
      const store = await FileStore.open(crypto, folder, Number.POSITIVE_INFINITY, maxRoomBytes);
      await body({ store, folder, made: await addRoom(store) });
    } finally {
      await remove();
    }
  };
}

async function addRoom(store: FileStore): Promise<MadeRoom> {
  const made = await MadeRoom.create(crypto);
  await store.putRecord(made.room, await made.record());
  await store.putManifest(made.room, made.video, await made.grow(1000));
  return made;
}

async function* chunksOf(bytes: Bytes | undefined): AsyncGenerator<Bytes> {
  if (bytes) yield bytes;
}

async function upload(store: FileStore, made: MadeRoom, segment: number): Promise<boolean> {
  return await store.putSegment(made.room, made.video, segment, chunksOf(made.segments[segment]));
}

/** Makes a room look as if nothing had happened in it since. */
async function age({ folder }: Bench, made: MadeRoom, changedMs: number): Promise<void> {
  const room = join(folder, 'rooms', made.room);
  const video = join(room, 'videos', made.video);
  for (const path of [join(video, 'segments'), video, join(room, 'videos'), join(room, 'record'), room]) {
    await utimes(path, new Date(changedMs), new Date(changedMs));
  }
}

const expiry = suite('rooms that nobody uses');

/** An expiry after 30 days, on a clock that starts now; and the rooms it removed. */
function expiryOf(store: FileStore, membersIn: ReadonlySet<string> = new Set()) {
  const clock = new VirtualClock();
  const startMs = Date.now();
  const removed: string[] = [];
  const warnings: object[] = [];
  const roomExpiry = new RoomExpiry({
    rooms: store,
    keepMs: 30 * DAY_MS,
    clock: {
      nowMs: () => clock.nowMs(),
      wallMs: () => startMs + clock.nowMs(),
      after: (ms, run) => clock.after(ms, run),
    },
    hasMembers: async (room) => membersIn.has(room),
    onRemoved: (room) => removed.push(room),
    log: { warn: (details) => warnings.push(details) },
  });
  return { roomExpiry, clock, removed, warnings };
}

expiry(
  'should go once they are old, and no others',
  withStore(async (bench) => {
    const { store, made } = bench;
    const fresh = await addRoom(store);
    await upload(store, made, 0);
    await age(bench, made, Date.now() - 31 * DAY_MS);
    await age(bench, fresh, Date.now() - 29 * DAY_MS);
    const { roomExpiry, removed, warnings } = expiryOf(store);
    await roomExpiry.start();
    roomExpiry.close();
    assert.equal(removed, [made.room]);
    assert.equal(warnings, [{ room: made.room.slice(0, 4) }]);
    assert.equal(await store.listRooms(), [fresh.room]);
    assert.is(await store.roomRecord(made.room), null);
  }),
);

expiry(
  'should be looked for every hour, until closed',
  withStore(async (bench) => {
    const { store, made } = bench;
    const { roomExpiry, clock, removed } = expiryOf(store);
    await roomExpiry.start();
    assert.equal(removed, []);
    await age(bench, made, Date.now() - 31 * DAY_MS);
    await clock.run(60 * 60 * 1000);
    while (removed.length === 0) await new Promise(setImmediate);
    assert.equal(removed, [made.room]);
    while (clock.pendingTimers === 0) await new Promise(setImmediate);
    roomExpiry.close();
    assert.is(clock.pendingTimers, 0);
  }),
);

expiry(
  'should stay while members are in, and for 30 days after the last one came or was in',
  withStore(async (bench) => {
    const { store, made } = bench;
    const visited = await addRoom(store);
    const longAgoMs = Date.now() - 40 * DAY_MS;
    await age(bench, made, longAgoMs);
    await age(bench, visited, longAgoMs);
    const { roomExpiry, removed } = expiryOf(store, new Set([made.room]));
    roomExpiry.noteMember(visited.room);
    // Written down after that: changes to files of one room come one after the other.
    const isNoted = async () => !(await store.removeUnused(visited.room, Date.now() - DAY_MS));
    assert.ok(await isNoted());
    await roomExpiry.start();
    roomExpiry.close();
    assert.equal(removed, []);
    // A server that starts again knows of both, though nobody is in.
    const later = expiryOf(await FileStore.open(crypto, bench.folder));
    await later.roomExpiry.start();
    later.roomExpiry.close();
    assert.equal(later.removed, []);
  }),
);

expiry(
  'should stay while something is uploaded into them',
  withStore(async (bench) => {
    const { store, made } = bench;
    const { roomExpiry, removed } = expiryOf(store);
    async function* body(): AsyncGenerator<Bytes> {
      await age(bench, made, Date.now() - 31 * DAY_MS);
      await roomExpiry.start();
      yield* chunksOf(made.segments[0]);
    }
    assert.is(await store.putSegment(made.room, made.video, 0, body()), true);
    roomExpiry.close();
    assert.equal(removed, []);
    assert.equal(await store.storedSegments(made.room, made.video), [0]);
  }),
);

expiry.run();

const quota = suite('the quota of one room');

quota(
  'should be its own, told apart from the whole store’s, counted anew after a restart',
  withStore(async (bench) => {
    const { store, made, folder } = bench;
    const other = await addRoom(store);
    assert.is(await upload(store, made, 0), true);
    await store.putManifest(made.room, made.video, await made.grow(40_000));
    const isRefused = async (at: FileStore) => {
      const error = await upload(at, made, 1).catch((error: unknown) => error);
      assert.instance(error, MatineeError);
      if (!(error instanceof MatineeError)) return;
      assert.is(error.code, 'STORE_FULL');
      assert.match(error.message, /^This room is full: this server gives a room 0\.00004 GB\./);
    };
    await isRefused(store);
    assert.is(await upload(store, other, 0), true);
    await isRefused(await FileStore.open(crypto, folder, Number.POSITIVE_INFINITY, 40_000));
    const roomy = await FileStore.open(crypto, folder, Number.POSITIVE_INFINITY, 80_000);
    assert.is(await upload(roomy, made, 1), true);
  }, 40_000),
);

quota.run();
