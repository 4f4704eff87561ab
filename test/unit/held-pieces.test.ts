import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { areEqual, type Bytes } from '../../peer/bytes.ts';
import { PIECE_BYTES } from '../../peer/limits.ts';
import { pieceSize, pieceStart } from '../../peer/manifest/geometry.ts';
import type { Viewer } from '../../peer/room/viewer.ts';
import { HeldPieces, type HeldPiecesParts } from '../../peer/swarm/held-pieces.ts';
import type { PieceDisk } from '../../peer/swarm/piece-disk.ts';
import { BLOCK_SLOTS } from '../../peer/swarm/slots.ts';
import { MAX_WRITES } from '../../peer/swarm/spill-disk.ts';
import { VirtualRoom } from '../sim/virtual-room.ts';
import { fileDisk, SLOT_BYTES, SlowDisk, settle } from '../tools/piece-disks.ts';
import { temporaryFolder } from '../tools/temporary-folder.ts';

const PIECES_A_SEGMENT = 4;

/** What piece `piece` of segment `segment` holds; the last piece of each is short. */
function contents(segment: number, piece: number): Bytes {
  const sizeBytes = piece === PIECES_A_SEGMENT - 1 ? 1000 + segment : PIECE_BYTES;
  return new Uint8Array(sizeBytes).map((_, i) => (segment * 31 + piece * 7 + i * 13) & 255);
}

/** A slow disk with room for so many full pieces. */
function slowDisk(pieceCount: number): SlowDisk {
  return new SlowDisk(pieceCount * BLOCK_SLOTS);
}

interface Rig {
  held: HeldPieces;
  dropped: number[];
  errors: unknown[];
  /** Which segment the playhead is in. */
  playhead: { segment: number };
  putSegments(...segments: number[]): void;
}

interface RigWish {
  memoryPieces: number;
  /** Bounds memory where the disk does not; as much as memoryPieces where left out. */
  alonePieces?: number;
  open?: (() => Promise<PieceDisk | null>) | null;
  parts?: Partial<HeldPiecesParts>;
}

function rig({ memoryPieces, alonePieces = memoryPieces, open = null, parts = {} }: RigWish): Rig {
  const dropped: number[] = [];
  const errors: unknown[] = [];
  const playhead = { segment: 1 };
  const held = new HeldPieces({
    memoryBytes: alonePieces * PIECE_BYTES,
    spill: open && { memoryBytes: memoryPieces * PIECE_BYTES, open },
    weightOf: (segment) =>
      segment < playhead.segment ? 2 * (playhead.segment - segment) : segment - playhead.segment,
    isRight: async (segment, piece, data) => areEqual(data, contents(segment, piece)),
    onDrop: (segments) => dropped.push(...segments),
    onError: (error) => errors.push(error),
    ...parts,
  });
  const putSegments = (...segments: number[]): void => {
    for (const segment of segments)
      for (let piece = 0; piece < PIECES_A_SEGMENT; piece++)
        held.put(segment, piece, contents(segment, piece));
  };
  return { held, dropped, errors, playhead, putSegments };
}

async function isIntact(held: HeldPieces, segment: number): Promise<boolean> {
  for (let piece = 0; piece < PIECES_A_SEGMENT; piece++) {
    const data = await held.load(segment, piece);
    if (!data || !areEqual(data, contents(segment, piece))) return false;
  }
  return true;
}

/** Segments of which some piece lies on the disk. */
function onDisk(disk: SlowDisk, count: number): number[] {
  const stored = [...disk.slots.values()];
  return [...Array(count).keys()].filter((segment) =>
    stored.some((data) => areEqual(data, contents(segment, 0).subarray(0, SLOT_BYTES))),
  );
}

const spilling = suite('what a viewer holds, with a disk');

spilling('should keep its budget in memory and bring the rest back from a real file', async () => {
  const folder = await temporaryFolder();
  const path = join(folder.path, 'pieces');
  const { held, dropped, errors, putSegments } = rig({
    memoryPieces: 8,
    alonePieces: 1000,
    open: () => fileDisk(path, 1000),
  });
  try {
    for (let segment = 0; segment < 50; segment++) {
      putSegments(segment);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    while (held.heldBytes.memory > 8 * PIECE_BYTES) await settle();
    const { memory, disk } = held.heldBytes;
    const allBytes = [...Array(50).keys()].reduce((sum, s) => sum + 3 * PIECE_BYTES + 1000 + s, 0);
    assert.is(memory + disk, allBytes);
    for (let segment = 0; segment < 50; segment++) assert.ok(await isIntact(held, segment), `${segment}`);
    const into = new Uint8Array(held.pieceBytes(40, 3));
    assert.ok(await held.read(40, 3, into));
    assert.equal(into, contents(40, 3));
    assert.equal([dropped, errors], [[], []]);
    assert.ok(existsSync(path));
    await held.close();
    assert.not(existsSync(path), 'the file is removed');
    assert.equal(held.heldBytes, { memory: 0, disk: 0 });
    assert.is(await held.load(40, 0), null);
  } finally {
    await folder.remove();
  }
});

spilling('should open its disk once, and not before memory is nearly full', async () => {
  let opened = 0;
  const { held, putSegments } = rig({
    memoryPieces: 16,
    open: async () => {
      opened += 1;
      return slowDisk(100);
    },
  });
  putSegments(0, 1, 2);
  assert.is(opened, 0);
  putSegments(3, 4, 5);
  await settle();
  putSegments(6, 7, 8);
  assert.is(opened, 1);
  await held.close();
});

spilling('should send the farthest to the disk first, what was played twice as early', async () => {
  const disk = slowDisk(100);
  const { held, playhead, putSegments } = rig({ memoryPieces: 25, alonePieces: 100, open: async () => disk });
  playhead.segment = 10;
  putSegments(0, 5, 7, 9, 10, 11, 13, 17, 19, 21);
  await disk.endAll();
  // Weights: 5: 10, 7: 6, 9: 2, 10: 0, 11: 1, 13: 3, 17: 7, 19: 9, 21: 11. A little less than two have to go.
  assert.equal(onDisk(disk, 25), [5, 21]);
  assert.ok(held.heldBytes.memory <= 25 * PIECE_BYTES);
  await held.close();
});

spilling('should hand out a piece from memory until its write is done', async () => {
  const disk = slowDisk(100);
  const { held, putSegments } = rig({ memoryPieces: 4, alonePieces: 100, open: async () => disk });
  putSegments(1, 2, 3);
  await settle();
  assert.ok(disk.waiting.length > 0, 'writes are under way');
  for (const segment of [1, 2, 3]) assert.ok(await isIntact(held, segment));
  assert.is(held.heldBytes.disk, 0);
  await disk.endAll();
  assert.ok(held.heldBytes.disk > 0);
  await held.close();
});

spilling('should have no more than MAX_WRITES writes under way', async () => {
  const disk = slowDisk(1000);
  const { held, putSegments } = rig({ memoryPieces: 4, alonePieces: 1000, open: async () => disk });
  putSegments(...Array(30).keys());
  await settle();
  assert.is(disk.waiting.length, MAX_WRITES);
  await disk.endAll();
  assert.ok(held.heldBytes.memory <= 4 * PIECE_BYTES);
  await held.close();
});

spilling('should give up whole segments, the farthest first, when the disk is full as well', async () => {
  const disk = slowDisk(8);
  const { held, dropped, playhead, putSegments } = rig({
    memoryPieces: 8,
    alonePieces: 100,
    open: async () => disk,
  });
  for (const segment of [0, 1, 2, 3, 4, 5, 6, 7]) {
    playhead.segment = Math.max(1, segment);
    putSegments(segment);
    await disk.endAll();
  }
  assert.ok(dropped.length > 0);
  assert.equal(
    dropped,
    dropped.slice().sort((a, b) => a - b),
  );
  assert.not(dropped.includes(0), 'the init segment stays');
  for (const segment of [0, 5, 6, 7]) assert.ok(held.has(segment, 0));
  for (const segment of dropped) assert.not(held.has(segment, 0));
  const reads = [0, 5, 6, 7].map((segment) => isIntact(held, segment));
  for (let i = 0; i < 20; i++) await disk.endAll();
  assert.equal(await Promise.all(reads), [true, true, true, true]);
  assert.ok(held.heldBytes.memory <= 8 * PIECE_BYTES);
  assert.ok(held.heldBytes.disk <= 8 * PIECE_BYTES);
  await held.close();
});

spilling('should not give a slot to another piece while it is being read', async () => {
  const disk = slowDisk(3);
  const { held, dropped, playhead, putSegments } = rig({
    memoryPieces: 4,
    alonePieces: 100,
    open: async () => disk,
    // Only the slots' owner can keep the bytes apart then.
    parts: { isRight: async () => true },
  });
  playhead.segment = 4;
  putSegments(3, 4);
  await disk.endAll();
  assert.is(disk.slots.size, 3 * BLOCK_SLOTS);
  const read = held.load(3, 0);
  assert.is(disk.waiting.length, 1);
  playhead.segment = 20;
  putSegments(20);
  await settle();
  assert.ok(dropped.includes(3));
  while (disk.waiting.length > 1) await disk.end(1);
  assert.ok(held.heldBytes.memory > 4 * PIECE_BYTES, 'a slot is missing');
  await disk.end(0);
  assert.equal(await read, contents(3, 0));
  await disk.endAll();
  assert.ok(held.heldBytes.memory <= 4 * PIECE_BYTES, 'it came free');
  await held.close();
});

spilling('should forget and tell a segment that does not come back as it was', async () => {
  for (const spoil of [
    (data: Bytes) => data.map((byte) => byte ^ 1),
    (data: Bytes) => data.slice(0, -1),
    () => new Uint8Array(),
  ]) {
    const disk = slowDisk(100);
    const { held, dropped, errors, putSegments } = rig({
      memoryPieces: 4,
      alonePieces: 100,
      open: async () => disk,
    });
    putSegments(1, 2);
    await disk.endAll();
    for (const [slot, data] of disk.slots) disk.slots.set(slot, spoil(data));
    const into = new Uint8Array(held.pieceBytes(2, 1));
    const reads = [held.read(2, 1, into), held.load(2, 2)];
    await disk.endAll();
    assert.equal(await Promise.all(reads), [false, null]);
    assert.equal(dropped, [2], 'told once');
    assert.not(held.has(2, 1));
    assert.equal([...held.segments], [1]);
    assert.is(errors.length, 0, 'the disk itself works');
    putSegments(2);
    await disk.endAll();
    const again = isIntact(held, 2);
    for (let i = 0; i < 8; i++) await disk.endAll();
    assert.ok(await again, 'fetched anew, it is here again');
    await held.close();
  }
});

spilling('should go on in memory when the disk fails, and tell why once', async () => {
  const disk = slowDisk(100);
  const { held, dropped, errors, putSegments } = rig({
    memoryPieces: 4,
    alonePieces: 16,
    open: async () => disk,
  });
  putSegments(1, 2);
  await disk.endAll();
  putSegments(3);
  while (disk.waiting.length > 0) await disk.end(0, true);
  assert.is(errors.length, 1);
  assert.equal(dropped, []);
  assert.ok(await isIntact(held, 3), 'what could not be written is still in memory');
  putSegments(4, 5, 6);
  assert.equal(disk.waiting, [], 'nothing more is written');
  assert.ok(held.heldBytes.memory <= 16 * PIECE_BYTES);
  const intact = isIntact(held, 2);
  for (let i = 0; i < 8; i++) await disk.endAll();
  assert.ok(await intact, 'what it holds is still read');
  const failing = held.load(2, 0);
  await disk.end(0, true);
  assert.is(await failing, null);
  assert.equal(dropped, [2]);
  assert.is(errors.length, 1);
  await held.close();
  assert.is(disk.closedCount, 1);
});

spilling('should hold as much as it may in memory where the disk refuses to open', async () => {
  for (const open of [() => Promise.reject(new Error('no')), async () => null]) {
    const { held, dropped, errors, putSegments } = rig({ memoryPieces: 4, alonePieces: 12, open });
    putSegments(0, 1, 2);
    await settle();
    assert.equal(dropped, []);
    putSegments(3, 4, 5);
    assert.equal(dropped, [2, 3, 4], 'the farthest each time, but not what is coming');
    for (const segment of held.segments) assert.ok(await isIntact(held, segment));
    assert.ok(held.heldBytes.memory <= 12 * PIECE_BYTES);
    assert.ok(errors.length <= 1);
    await held.close();
  }
});

spilling('should close a disk that was still opening', async () => {
  const disk = slowDisk(100);
  let opened: (disk: PieceDisk) => void = () => undefined;
  const { held, putSegments } = rig({
    memoryPieces: 4,
    open: () =>
      new Promise((resolve) => {
        opened = resolve;
      }),
  });
  putSegments(1, 2);
  await held.close();
  opened(disk);
  await settle();
  assert.is(disk.closedCount, 1);
  assert.equal(disk.waiting, []);
});

spilling.run();

const alone = suite('what a viewer holds, without a disk');

alone('should give up whole segments, the farthest first, within its memory', async () => {
  const { held, dropped, playhead, putSegments } = rig({ memoryPieces: 12 });
  playhead.segment = 5;
  putSegments(0, 1, 5, 9);
  assert.equal(dropped, [1], 'played and as far away as 9, which is to come');
  assert.equal([...held.segments], [0, 5, 9]);
  putSegments(6);
  assert.equal(dropped, [1, 9]);
  await held.close();
});

alone.run();

const serving = suite('a viewer whose film lies on its disk');

serving('should serve it to others, and never fetch it again', async () => {
  const film = { segmentCount: 20, segmentMs: 2_000, segmentBytes: 400_000 };
  const room = await VirtualRoom.open(film);
  const disk = slowDisk(1000);
  const spill = { memoryBytes: 1_000_000, open: async () => disk };
  const [a, b] = [room.viewer({ memoryBytes: 2e6, spill }), room.viewer()];
  const line = room.connectOrigin(a, 1);
  assert.ok(await watch(room, a, disk, 60_000));
  assert.ok(a.heldBytes.memory <= 1_000_000, `${a.heldBytes.memory} in memory`);
  assert.ok(a.heldBytes.disk >= room.filmBytes - 1_000_000);
  line.vanish();
  room.connectViewers(a, 1, b, 2);
  assert.ok(await watch(room, b, disk, 60_000));
  assert.is(b.traffic().fromPeersBytes, room.filmBytes);
  assert.is(a.traffic().fromOriginBytes, room.filmBytes);
  assert.is(a.diskError, null);
  assert.is(b.rejectedPieces, 0);
  const piece = a.readPiece(7, 1);
  await disk.endAll();
  const start = pieceStart(film.segmentBytes, 1);
  assert.equal(await piece, room.plaintexts[7]?.subarray(start, start + pieceSize(film.segmentBytes)));
  a.close();
  b.close();
  await settle();
  assert.is(disk.closedCount, 1);
});

/** Watches until all of the film is here, with a disk that keeps up with the room's time; false where that takes too long. */
async function watch(room: VirtualRoom, viewer: Viewer, disk: SlowDisk, forMs: number): Promise<boolean> {
  const isDone = (): boolean => room.holds(viewer, 0, room.film.segmentCount);
  for (let passedMs = 0; passedMs < forMs && !isDone(); passedMs += 10) {
    viewer.setPlayhead(Math.min(passedMs, 39_000));
    await room.clock.run(10);
    await disk.endAll();
  }
  return isDone();
}

serving.run();
