import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Bytes } from '../../peer/bytes.ts';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import { MatineeError } from '../../peer/errors.ts';
import { FileStore } from '../../seed-server/store/file-store.ts';
import { type DiskAct, type DiskTrace, traceDisk } from '../tools/disk-trace.ts';
import { MadeRoom } from '../tools/made-room.ts';
import { tell } from '../tools/tell.ts';
import { temporaryFolder } from '../tools/temporary-folder.ts';

const crypto = await chooseCrypto();

interface Bench {
  folder: string;
  store: FileStore;
  made: MadeRoom;
  trace: DiskTrace;
}

function watched(body: (bench: Bench) => Promise<void>): () => Promise<void> {
  return async () => {
    const { path, remove } = await temporaryFolder();
    const trace = await traceDisk();
    try {
      const folder = join(path, 'made', 'data');
      await body({
        folder,
        store: await FileStore.open(crypto, folder),
        made: await MadeRoom.create(crypto),
        trace,
      });
    } finally {
      trace.stop();
      await remove();
    }
  };
}

async function* whole(bytes: Bytes | undefined): AsyncGenerator<Bytes> {
  if (bytes) yield bytes;
}

async function namesUnder(folder: string): Promise<string[]> {
  return (await readdir(folder, { recursive: true })).sort();
}

function upload({ store, made }: Pick<Bench, 'store' | 'made'>, segment: number): Promise<boolean> {
  return store.putSegment(made.room, made.video, segment, whole(made.segments[segment]));
}

/** What survives no power cut: content that was moved before it was synced, names whose folder was not synced after. */
function unsafeActs(acts: readonly DiskAct[]): string[] {
  return acts.flatMap(({ kind, path, from }, at) => {
    if (kind === 'sync') return [];
    const wasSynced = acts.slice(0, at).some((act) => act.kind === 'sync' && act.path === from);
    const isNamed = acts.slice(at).some((act) => act.kind === 'sync' && act.path === dirname(path));
    const faults = [];
    if (kind === 'rename' && !wasSynced) faults.push(`${path} was moved there unsynced`);
    if (!isNamed) faults.push(`the name ${path} was not synced`);
    return faults;
  });
}

function hasSynced({ acts }: DiskTrace, path: string): boolean {
  return acts.some((act) => act.kind === 'sync' && act.path === path);
}

const durable = suite('what is acknowledged');
if (process.platform !== 'linux') tell('SKIPPED: the order of syncs, which can be watched on Linux only.');
const onLinux = process.platform === 'linux' ? durable : durable.skip;

onLinux(
  'should be synced: the content before its move, the names after it, all before the answer',
  watched(async (bench) => {
    const { store, made, trace } = bench;
    await store.putRecord(made.room, await made.record());
    assert.equal(unsafeActs(trace.acts), []);
    await store.putManifest(made.room, made.video, await made.grow(10, 100_000));
    assert.equal(unsafeActs(trace.acts), []);
    await Promise.all([upload(bench, 0), upload(bench, 1)]);
    assert.equal(unsafeActs(trace.acts), []);
    await store.putManifest(made.room, made.video, await made.grow(10, 20, 30, 40));
    assert.equal(unsafeActs(trace.acts), []);
    assert.is(trace.acts.filter(({ path }) => path.endsWith('/head') || path.endsWith('/record')).length, 3);
  }),
);

onLinux(
  'should have its pages synced before the head that names them is moved there',
  watched(async ({ store, made, trace }) => {
    await store.putRecord(made.room, await made.record());
    await store.putManifest(made.room, made.video, await made.grow(1, 2, 3, 4, 5));
    const head = trace.acts.findIndex(({ kind, path }) => kind === 'rename' && path.endsWith('/head'));
    const before = trace.acts.slice(0, head);
    assert.ok(before.filter(({ path }) => dirname(path).endsWith('/pages')).length > 1);
    const pages = unsafeActs(before).filter((fault) => fault.includes('/pages/'));
    assert.equal(pages, []);
  }),
);

onLinux(
  'should be synced also where it was there already, as a crash may have come before that',
  watched(async (bench) => {
    const { folder, store, made, trace } = bench;
    const update = await made.grow(10);
    const room = join(folder, 'rooms', made.room);
    const video = join(room, 'videos', made.video);
    await store.putRecord(made.room, await made.record());
    await store.putManifest(made.room, made.video, update);
    await upload(bench, 0);
    trace.acts.length = 0;
    assert.is(await store.putRecord(made.room, await made.record()), false);
    assert.ok(hasSynced(trace, room));
    trace.acts.length = 0;
    assert.is(await store.putManifest(made.room, made.video, update), false);
    assert.ok(hasSynced(trace, video));
    assert.is(await upload(bench, 0), false);
    assert.ok(hasSynced(trace, join(video, 'segments')));
  }),
);

onLinux(
  'should not be what the disk failed to keep',
  watched(async (bench) => {
    const { folder, store, made, trace } = bench;
    await store.putRecord(made.room, await made.record());
    await store.putManifest(made.room, made.video, await made.grow(10));
    trace.failNextSync(Object.assign(new Error('a bad sector'), { code: 'EIO' }));
    const outcome = await upload(bench, 0).catch((error: unknown) => error);
    assert.ok(outcome instanceof MatineeError && outcome.code === 'STORE_READ_ONLY');
    assert.equal(await store.storedSegments(made.room, made.video), []);
    assert.equal(await readdir(join(folder, 'temporary')), []);
    assert.is(await upload(bench, 0), true);
    assert.equal(await store.storedSegments(made.room, made.video), [0]);
  }),
);

durable.run();

const leftovers = suite('what a crash left unfinished');

leftovers('should not be listed, and be gone after a start, and nothing else', async () => {
  const { path: folder, remove } = await temporaryFolder();
  try {
    const store = await FileStore.open(crypto, folder);
    const [made, begun, empty] = await Promise.all([1, 2, 3].map(() => MadeRoom.create(crypto)));
    if (!made || !begun || !empty) throw new Error('There are not three rooms.');
    for (const room of [made, begun]) await store.putRecord(room.room, await room.record());
    await store.putManifest(made.room, made.video, await made.grow(10));
    await upload({ store, made }, 0);
    const rooms = join(folder, 'rooms');
    const before = await namesUnder(rooms);
    const video = join(rooms, begun.room, 'videos', begun.video);
    await mkdir(join(video, 'segments'), { recursive: true });
    await mkdir(join(video, 'pages'));
    await writeFile(join(video, 'pages', 'a'.repeat(64)), 'page');
    await mkdir(join(rooms, empty.room));
    await writeFile(join(folder, 'temporary', 'half'), 'half a segm');
    assert.equal(await store.listVideos(begun.room), []);
    await FileStore.open(crypto, folder);
    assert.equal(await namesUnder(rooms), before);
    assert.equal(await readdir(join(folder, 'temporary')), []);
  } finally {
    await remove();
  }
});

leftovers('should stay where a segment or anything unknown is in it', async () => {
  const { path: folder, remove } = await temporaryFolder();
  try {
    const store = await FileStore.open(crypto, folder);
    const [made, other] = await Promise.all([1, 2].map(() => MadeRoom.create(crypto)));
    if (!made || !other) throw new Error('There are not two rooms.');
    await store.putRecord(made.room, await made.record());
    await store.putManifest(made.room, made.video, await made.grow(10));
    await upload({ store, made }, 0);
    const rooms = join(folder, 'rooms');
    // As a disk that was repaired may look.
    await rm(join(rooms, made.room, 'videos', made.video, 'head'));
    await mkdir(join(rooms, other.room));
    await writeFile(join(rooms, other.room, 'notes'), 'mine');
    const before = await namesUnder(rooms);
    await FileStore.open(crypto, folder);
    assert.equal(await namesUnder(rooms), before);
  } finally {
    await remove();
  }
});

leftovers.run();
