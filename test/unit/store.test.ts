import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { areEqual, type Bytes, toBase64url, toHex } from '../../peer/bytes.ts';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import { MatineeError } from '../../peer/errors.ts';
import { PIECE_BYTES } from '../../peer/limits.ts';
import { Manifest } from '../../peer/manifest/manifest.ts';
import { decodeManifestUpdate, encodeManifestUpdate } from '../../peer/manifest/manifest-writer.ts';
import { FileStore } from '../../seed-server/store/file-store.ts';
import { ReadStore, SegmentFiles } from '../../seed-server/store/read-store.ts';
import { Serial } from '../../seed-server/store/serial.ts';
import { flipped, MadeRoom } from '../tools/made-room.ts';
import { temporaryFolder } from '../tools/temporary-folder.ts';

const crypto = await chooseCrypto();

interface Bench {
  folder: string;
  store: FileStore;
  files: ReadStore;
  made: MadeRoom;
}

/** A store with one registered room. */
function withRoom(body: (bench: Bench) => Promise<void>, maxBytes?: number): () => Promise<void> {
  return async () => {
    const { path, remove } = await temporaryFolder();
    try {
      const store = await FileStore.open(crypto, path, maxBytes);
      const made = await MadeRoom.create(crypto);
      await store.putRecord(made.room, await made.record());
      await body({ folder: path, store, files: new ReadStore(path), made });
    } finally {
      await remove();
    }
  };
}

async function* inChunks(bytes: Bytes, chunkBytes = 10_000): AsyncGenerator<Bytes> {
  for (let at = 0; at < bytes.byteLength; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}

async function rejectsWith(code: string, promise: Promise<unknown>): Promise<void> {
  const outcome = await promise.then(
    () => 'resolved',
    (error: unknown) => (error instanceof MatineeError ? error.code : String(error)),
  );
  assert.is(outcome, code);
}

function publish({ store, made }: Bench, update: Bytes): Promise<boolean> {
  return store.putManifest(made.room, made.video, update);
}

function upload({ store, made }: Bench, segment: number, bytes?: Bytes): Promise<boolean> {
  const body = inChunks(bytes ?? made.segments[segment] ?? new Uint8Array());
  return store.putSegment(made.room, made.video, segment, body);
}

/** Everything under a folder that is a file, as paths relative to it. */
async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

const rooms = suite('storing rooms');

rooms(
  'should take the same record twice and no other',
  withRoom(async ({ store, made }) => {
    assert.is(await store.putRecord(made.room, await made.record()), false);
    await rejectsWith('ROOM_TAKEN', store.putRecord(made.room, await made.record(2)));
    assert.equal((await store.roomRecord(made.room))?.createdAtMs, 1);
  }),
);

rooms(
  'should take no record for another room than its key makes',
  withRoom(async ({ store, made }) => {
    const other = await MadeRoom.create(crypto);
    await rejectsWith('SIGNATURE_WRONG', store.putRecord(other.room, await made.record()));
    assert.is(await store.roomRecord(other.room), null);
  }),
);

rooms(
  'should remove a room with everything in it, by its host alone',
  withRoom(async (bench) => {
    const { store, made, files, folder } = bench;
    await publish(bench, await made.grow(10, 20));
    await upload(bench, 1);
    const stranger = await MadeRoom.create(crypto);
    await rejectsWith('SIGNATURE_WRONG', store.removeRoom(made.room, await stranger.takeDown()));
    assert.equal(await files.storedSegments(made.room, made.video), [1]);
    await store.removeRoom(made.room, await made.takeDown());
    assert.is(await store.roomRecord(made.room), null);
    assert.equal(await filesUnder(folder), []);
    await rejectsWith('ROOM_UNKNOWN', store.removeRoom(made.room, await made.takeDown()));
    await rejectsWith('ROOM_UNKNOWN', upload(bench, 0));
  }),
);

rooms(
  'should still know its rooms after a restart',
  withRoom(async ({ folder, made }) => {
    const again = await FileStore.open(crypto, folder);
    const record = await again.roomRecord(made.room);
    assert.ok(record && areEqual(record.publicKey, made.key.publicKey));
  }),
);

rooms.run();

const manifests = suite('storing manifests');

manifests(
  'should keep exactly the pages that the newest head names',
  withRoom(async (bench) => {
    const { made, files, folder } = bench;
    for (let count = 0; count < 40; count += 4) await publish(bench, await made.grow(9, 9, 9, 9));
    await publish(bench, await made.finish());
    const reader = new Manifest(crypto, made.roomBytes);
    await reader.adoptHead((await files.readHead(made.room, made.video)) ?? new Uint8Array());
    const pages = reader.head?.pages ?? [];
    assert.is(pages.length, 5);
    assert.is(reader.head?.segmentCount, 40);
    for (const { hash } of pages) {
      const bytes = await files.readPage(made.room, made.video, hash);
      assert.ok(bytes && areEqual(await crypto.sha256(bytes), hash));
    }
    const names = await readdir(join(folder, 'rooms', made.room, 'videos', made.video, 'pages'));
    assert.equal(names.sort(), pages.map(({ hash }) => toHex(hash)).sort());
  }),
);

manifests(
  'should take the same update twice, and none that lags behind',
  withRoom(async (bench) => {
    const first = await bench.made.grow(10);
    const second = await bench.made.grow(10);
    assert.is(await publish(bench, first), true);
    assert.is(await publish(bench, first), false);
    assert.is(await publish(bench, second), true);
    await rejectsWith('MANIFEST_STALE', publish(bench, first));
  }),
);

manifests(
  'should continue after a restart where it was',
  withRoom(async (bench) => {
    const first = await bench.made.grow(10);
    await publish(bench, first);
    const again = { ...bench, store: await FileStore.open(crypto, bench.folder) };
    assert.is(await publish(again, await bench.made.grow(10)), true);
    await rejectsWith('MANIFEST_STALE', publish(again, first));
    assert.is(await upload(again, 1), true);
  }),
);

manifests(
  'should refuse what the host did not sign, and what names another video',
  withRoom(async (bench) => {
    const { store, made } = bench;
    const update = decodeManifestUpdate(await made.grow(10));
    const forged = { ...update, head: flipped(update.head, update.head.byteLength - 1) };
    await rejectsWith('SIGNATURE_WRONG', publish(bench, encodeManifestUpdate(forged)));
    await rejectsWith('MANIFEST_MALFORMED', publish(bench, new Uint8Array([1, 2, 3])));
    const elsewhere = toBase64url(crypto.randomBytes(16));
    await rejectsWith(
      'MANIFEST_MALFORMED',
      store.putManifest(made.room, elsewhere, encodeManifestUpdate(update)),
    );
    const stranger = await MadeRoom.create(crypto);
    await rejectsWith('SIGNATURE_WRONG', publish(bench, await stranger.grow(10)));
    assert.is(await store.readHead(made.room, made.video), null);
  }),
);

manifests(
  'should refuse a head whose pages are missing, and go on as if it had not come',
  withRoom(async (bench) => {
    const first = await bench.made.grow(10);
    await publish(bench, first);
    const second = decodeManifestUpdate(await bench.made.grow(10));
    await rejectsWith('MANIFEST_MALFORMED', publish(bench, encodeManifestUpdate({ ...second, pages: [] })));
    await rejectsWith('SEGMENT_MISMATCH', upload(bench, 1));
    assert.is(await publish(bench, encodeManifestUpdate(second)), true);
    assert.is(await upload(bench, 1), true);
  }),
);

manifests(
  'should take one video a room',
  withRoom(async (bench) => {
    const { store, made } = bench;
    await publish(bench, await made.grow(10));
    const second = await MadeRoom.create(crypto, made.key);
    await rejectsWith('MANIFEST_STALE', store.putManifest(made.room, second.video, await second.grow(10)));
    assert.equal(await store.listVideos(made.room), [made.video]);
  }),
);

manifests(
  'should end up with the newest of many updates at once',
  withRoom(async (bench) => {
    const updates: Bytes[] = [];
    for (let i = 0; i < 12; i++) updates.push(await bench.made.grow(10, 10));
    await Promise.all(updates.map((update) => publish(bench, update)));
    const { store, made } = bench;
    const reader = new Manifest(crypto, made.roomBytes);
    await reader.adoptHead((await store.readHead(made.room, made.video)) ?? new Uint8Array());
    assert.is(reader.head?.segmentCount, 24);
    assert.is(await upload(bench, 23), true);
  }),
);

manifests.run();

const segments = suite('storing segments');

/** One byte, a piece, just over one, several and a bit. */
const SIZES = [1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES + 77];

segments(
  'should give back what was uploaded, however it came in',
  withRoom(async (bench) => {
    const { store, made } = bench;
    await publish(bench, await made.grow(...SIZES));
    for (const [segment, bytes] of made.segments.entries()) {
      const body = inChunks(bytes, [1, 4096, PIECE_BYTES, 200_000][segment]);
      assert.is(await store.putSegment(made.room, made.video, segment, body), true);
      const stream = store.readSegment(made.room, made.video, segment, 0, bytes.byteLength - 1);
      assert.ok(areEqual(await buffer(stream), bytes), `segment ${segment}`);
      assert.is(await store.segmentBytes(made.room, made.video, segment), SIZES[segment]);
    }
    assert.equal(await store.storedSegments(made.room, made.video), [0, 1, 2, 3]);
  }),
);

segments(
  'should refuse wrong bytes, too few and too many, and leave nothing behind',
  withRoom(async (bench) => {
    const { made, store, folder } = bench;
    await publish(bench, await made.grow(...SIZES));
    const right = made.segments[3] ?? new Uint8Array();
    const longer = new Uint8Array([...right, 0]);
    const wrong = [
      flipped(right, 0),
      flipped(right, PIECE_BYTES),
      flipped(right, right.byteLength - 1),
      right.subarray(0, -1),
      right.subarray(0, 3 * PIECE_BYTES),
      new Uint8Array(),
      longer,
    ];
    for (const bytes of wrong) await rejectsWith('SEGMENT_MISMATCH', upload(bench, 3, bytes));
    assert.equal(await store.storedSegments(made.room, made.video), []);
    assert.equal(await readdir(join(folder, 'temporary')), []);
  }),
);

segments(
  'should stop reading at the first wrong piece',
  withRoom(async (bench) => {
    const { made, store } = bench;
    await publish(bench, await made.grow(20 * PIECE_BYTES));
    let readBytes = 0;
    async function* counted(): AsyncGenerator<Bytes> {
      for await (const chunk of inChunks(flipped(made.segments[0] ?? new Uint8Array(), 0))) {
        readBytes += chunk.byteLength;
        yield chunk;
      }
    }
    await rejectsWith('SEGMENT_MISMATCH', store.putSegment(made.room, made.video, 0, counted()));
    assert.ok(readBytes < 2 * PIECE_BYTES, `${readBytes} bytes were read`);
  }),
);

segments(
  'should show nothing of an upload that breaks off',
  withRoom(async (bench) => {
    const { made, store, folder } = bench;
    await publish(bench, await made.grow(3 * PIECE_BYTES));
    async function* broken(): AsyncGenerator<Bytes> {
      yield (made.segments[0] ?? new Uint8Array()).subarray(0, 2 * PIECE_BYTES);
      assert.is((await readdir(join(folder, 'temporary'))).length, 1);
      assert.equal(await store.storedSegments(made.room, made.video), []);
      throw new Error('the line broke');
    }
    await rejectsWith('Error: the line broke', store.putSegment(made.room, made.video, 0, broken()));
    assert.equal(await store.storedSegments(made.room, made.video), []);
    assert.equal(await readdir(join(folder, 'temporary')), []);
    assert.is(await upload(bench, 0), true);
  }),
);

segments(
  'should read nothing of a segment that is there already',
  withRoom(async (bench) => {
    const { made, store } = bench;
    await publish(bench, await made.grow(10));
    await upload(bench, 0);
    // biome-ignore lint/correctness/useYield: that it is never asked for anything is the point.
    async function* untouchable(): AsyncGenerator<Bytes> {
      throw new Error('the body was read');
    }
    assert.is(await store.putSegment(made.room, made.video, 0, untouchable()), false);
  }),
);

segments(
  'should store a segment once that is sent several times at once',
  withRoom(async (bench) => {
    const { made, store } = bench;
    await publish(bench, await made.grow(5 * PIECE_BYTES));
    const outcomes = await Promise.all([0, 0, 0, 0].map((segment) => upload(bench, segment)));
    assert.equal(outcomes.sort(), [false, false, false, true]);
    assert.is(await store.segmentBytes(made.room, made.video, 0), 5 * PIECE_BYTES);
  }),
);

segments(
  'should refuse what no manifest lists',
  withRoom(async (bench) => {
    await rejectsWith('SEGMENT_MISMATCH', upload(bench, 0, new Uint8Array(10)));
    await publish(bench, await bench.made.grow(10));
    await rejectsWith('SEGMENT_MISMATCH', upload(bench, 1, new Uint8Array(10)));
  }),
);

segments(
  'should end an upload into a room that is taken down meanwhile',
  withRoom(async (bench) => {
    const { made, store, folder } = bench;
    await publish(bench, await made.grow(PIECE_BYTES));
    async function* body(): AsyncGenerator<Bytes> {
      yield made.segments[0] ?? new Uint8Array();
      await store.removeRoom(made.room, await made.takeDown());
    }
    await rejectsWith('ROOM_UNKNOWN', store.putSegment(made.room, made.video, 0, body()));
    assert.equal(await filesUnder(folder), []);
  }),
);

segments.run();

const quota = suite('the quota');

quota(
  'should refuse what does not fit, count what is on its way, and give back what is removed',
  withRoom(async (bench) => {
    const { made, store, folder } = bench;
    const update = await made.grow(40_000, 40_000, 40_000);
    await publish(bench, update);
    assert.is(await upload(bench, 0), true);
    const outcomes = await Promise.allSettled([upload(bench, 1), upload(bench, 2)]);
    assert.equal(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    const missing = outcomes[0]?.status === 'rejected' ? 1 : 2;
    await rejectsWith('STORE_FULL', upload(bench, missing));
    // A restart counts what is there.
    const again = { ...bench, store: await FileStore.open(crypto, folder, 100_000) };
    await rejectsWith('STORE_FULL', upload(again, missing));
    await store.removeRoom(made.room, await made.takeDown());
    await store.putRecord(made.room, await made.record());
    await publish(bench, update);
    for (const segment of [0, 1]) assert.is(await upload(bench, segment), true);
  }, 100_000),
);

quota(
  'should give back what failed',
  withRoom(async (bench) => {
    const { made } = bench;
    await publish(bench, await made.grow(60_000));
    for (let i = 0; i < 5; i++) {
      await rejectsWith(
        'SEGMENT_MISMATCH',
        upload(bench, 0, flipped(made.segments[0] ?? new Uint8Array(), 0)),
      );
    }
    assert.is(await upload(bench, 0), true);
  }, 100_000),
);

quota.run();

const crashes = suite('after a crash');

crashes(
  'should remove what was half-written and keep what was whole',
  withRoom(async (bench) => {
    const { folder, made } = bench;
    await publish(bench, await made.grow(10));
    await upload(bench, 0);
    const whole = await filesUnder(join(folder, 'rooms'));
    await writeFile(join(folder, 'temporary', 'left-over'), 'half a segment');
    await mkdir(join(folder, 'temporary', 'half-removed-room', 'videos'), { recursive: true });
    await FileStore.open(crypto, folder);
    assert.equal(await readdir(join(folder, 'temporary')), []);
    assert.equal(await filesUnder(join(folder, 'rooms')), whole);
  }),
);

crashes(
  'should sweep pages that no head names with the next update',
  withRoom(async (bench) => {
    const { folder, made } = bench;
    await publish(bench, await made.grow(10));
    const pages = join(folder, 'rooms', made.room, 'videos', made.video, 'pages');
    await writeFile(join(pages, 'f'.repeat(64)), 'written before its head, which never came');
    await publish(bench, await made.grow(10));
    assert.is((await readdir(pages)).length, 1);
  }),
);

crashes(
  'should not count a video whose first manifest never came to be',
  withRoom(async (bench) => {
    const { folder, made } = bench;
    const unfinished = toBase64url(crypto.randomBytes(16));
    await mkdir(join(folder, 'rooms', made.room, 'videos', unfinished, 'pages'), { recursive: true });
    assert.is(await publish(bench, await made.grow(10)), true);
  }),
);

crashes.run();

const escapes = suite('ids that are none');

const BAD_IDS = [
  '',
  '.',
  '..',
  '../..',
  '/etc/passwd',
  `${'A'.repeat(21)}/`,
  `${'A'.repeat(20)}..`,
  'A'.repeat(23),
];
// 16 bytes leave four bits over: all but one in sixteen last characters are another spelling of nothing.
BAD_IDS.push(`${'A'.repeat(21)}B`, `${'A'.repeat(21)}\0`, `..${'/..'.repeat(6)}/x`);

escapes(
  'should never become part of a path',
  withRoom(async ({ store, files, made, folder }) => {
    const body = () => inChunks(new Uint8Array(1));
    for (const id of BAD_IDS) {
      const calls = [
        () => store.putRecord(id, new Uint8Array(1)),
        () => store.removeRoom(id, new Uint8Array(1)),
        () => store.putManifest(made.room, id, encodeManifestUpdate({ head: new Uint8Array(1), pages: [] })),
        () => store.putSegment(made.room, id, 0, body()),
        () => store.putSegment(id, made.video, 0, body()),
        () => store.segmentBytes(made.room, id, 0),
        () => store.roomRecord(id),
        () => files.readRecord(id),
        () => files.readHead(made.room, id),
        () => files.readHead(id, made.video),
        () => files.readPage(made.room, id, new Uint8Array(32)),
        () => files.listVideos(id),
        () => files.storedSegments(made.room, id),
      ];
      for (const call of calls) await rejectsWith('REQUEST_MALFORMED', (async () => await call())());
    }
    for (const segment of [-1, 0.5, Number.NaN, 1e9, Number.POSITIVE_INFINITY]) {
      await rejectsWith('REQUEST_MALFORMED', store.putSegment(made.room, made.video, segment, body()));
    }
    await rejectsWith('REQUEST_MALFORMED', files.readPage(made.room, made.video, new Uint8Array(31)));
    assert.equal(await filesUnder(folder), [join('rooms', made.room, 'record')]);
  }),
);

escapes(
  'should not be listed',
  withRoom(async ({ folder, files, made }) => {
    const segmentFolder = files.segmentsFolder(made.room, made.video);
    await mkdir(segmentFolder, { recursive: true });
    for (const name of ['0', '7', '12', '07', '1.tmp', '-1', '.DS_Store', '99999999999']) {
      await writeFile(join(segmentFolder, name), '');
    }
    await writeFile(join(segmentFolder, '..', 'head'), 'head');
    await mkdir(join(folder, 'rooms', made.room, 'videos', 'lost+found'));
    await mkdir(join(folder, 'rooms', 'lost+found'));
    assert.equal(await files.storedSegments(made.room, made.video), [0, 7, 12]);
    assert.equal(await files.listVideos(made.room), [made.video]);
    assert.equal(await files.listRooms(), [made.room]);
  }),
);

escapes.run();

const pieces = suite('reading pieces');

/** Files named 0, 1, ... that hold their own number in every byte. */
async function withNumbered(count: number, body: (folder: string) => Promise<void>): Promise<void> {
  const { path, remove } = await temporaryFolder();
  try {
    for (let i = 0; i < count; i++) await writeFile(join(path, String(i)), new Uint8Array(100).fill(i));
    await body(path);
  } finally {
    await remove();
  }
}

pieces('should read any part of any segment, many at once, with few files open', () =>
  withNumbered(40, async (folder) => {
    const files = new SegmentFiles(folder, 3);
    const reads = Array.from({ length: 400 }, async (_, i) => {
      const into = new Uint8Array(10);
      await files.readPiece((i * 7) % 40, i % 90, into);
      assert.ok(into.every((byte) => byte === (i * 7) % 40));
    });
    await Promise.all(reads);
    files.close();
    await hasOpenFiles(folder, 0);
  }),
);

pieces('should keep no more files open than it may', () =>
  withNumbered(10, async (folder) => {
    const files = new SegmentFiles(folder, 4);
    const into = new Uint8Array(1);
    for (let i = 0; i < 10; i++) await files.readPiece(i, 0, into);
    await hasOpenFiles(folder, 4);
    files.close();
    await hasOpenFiles(folder, 0);
  }),
);

pieces('should reject for what is not there, and find it once it is', () =>
  withNumbered(1, async (folder) => {
    const files = new SegmentFiles(folder);
    const into = new Uint8Array(10);
    await rejectsWith('NOT_FOUND', files.readPiece(5, 0, into));
    await rejectsWith('NOT_FOUND', files.readPiece(0, 91, into));
    await rejectsWith('NOT_FOUND', files.readPiece(0, 1000, into));
    await rejectsWith('REQUEST_MALFORMED', files.readPiece(-1, 0, into));
    await writeFile(join(folder, '5'), new Uint8Array(10).fill(5));
    await files.readPiece(5, 0, into);
    assert.equal([...into], new Array(10).fill(5));
    files.close();
  }),
);

/** Asserts how many files of a folder this process has open, on systems that tell. Closing happens in the background. */
async function hasOpenFiles(folder: string, expected: number): Promise<void> {
  if (!existsSync('/proc/self/fd')) return;
  let count = -1;
  for (let tries = 0; tries < 100 && count !== expected; tries++) {
    await new Promise(setImmediate);
    const targets = await Promise.all((await readdir('/proc/self/fd')).map(openTarget));
    count = targets.filter((target) => target.startsWith(folder)).length;
  }
  assert.is(count, expected);
}

/** What an open file of this process is; empty for one closed meanwhile. */
async function openTarget(name: string): Promise<string> {
  return await readlink(`/proc/self/fd/${name}`).catch(() => '');
}

pieces.run();

const serial = suite('tasks in series');

serial('should run one after the other for a key, and go on after a failure', async () => {
  const line = new Serial();
  const log: string[] = [];
  const task = (name: string) => async () => {
    log.push(`${name} begins`);
    await new Promise(setImmediate);
    log.push(`${name} ends`);
    if (name === 'a1') throw new Error('a1 failed');
  };
  const [a1] = await Promise.allSettled([
    line.run('a', task('a1')),
    line.run('a', task('a2')),
    line.run('b', task('b1')),
  ]);
  assert.is(a1.status, 'rejected');
  assert.equal(
    log.filter((entry) => entry.startsWith('a')),
    ['a1 begins', 'a1 ends', 'a2 begins', 'a2 ends'],
  );
  assert.ok(log.indexOf('b1 begins') < log.indexOf('a2 begins'));
});

serial.run();

const layout = suite('the data folder');

layout(
  'should have the layout that other programs may rely on',
  withRoom(async (bench) => {
    const { made, folder } = bench;
    const update = await made.grow(10);
    await publish(bench, update);
    await upload(bench, 0);
    const { head, pages } = decodeManifestUpdate(update);
    const pageName = toHex(await crypto.sha256(pages[0] ?? new Uint8Array()));
    const video = join('rooms', made.room, 'videos', made.video);
    assert.equal(
      await filesUnder(folder),
      [
        join('rooms', made.room, 'record'),
        join(video, 'head'),
        join(video, 'pages', pageName),
        join(video, 'segments', '0'),
      ].sort(),
    );
    assert.ok(areEqual(await readFile(join(folder, video, 'head')), head));
  }),
);

layout.run();
