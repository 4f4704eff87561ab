import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Bytes, concat } from '../../peer/bytes.ts';
import { encodeCbor } from '../../peer/cbor.ts';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import { counterBlock, decryptRange, encryptSegment } from '../../peer/crypto/content.ts';
import type { Crypto, SigningKey } from '../../peer/crypto/crypto.ts';
import { deriveVideoKeys, roomIdOf } from '../../peer/crypto/keys.ts';
import { type ErrorCode, MatineeError } from '../../peer/errors.ts';
import { MAX_PAGE_PIECES, MAX_SEGMENT_BYTES, PIECE_BYTES } from '../../peer/limits.ts';
import { pieceBytes, pieceCount, pieceStart } from '../../peer/manifest/geometry.ts';
import { openHead, signHead } from '../../peer/manifest/head.ts';
import { Manifest } from '../../peer/manifest/manifest.ts';
import { type ManifestUpdate, ManifestWriter } from '../../peer/manifest/manifest-writer.ts';
import { encodePage, type SegmentEntry } from '../../peer/manifest/page.ts';
import { openSigned, peekBody, signBody } from '../../peer/manifest/signed.ts';
import type { Viewer } from '../../peer/room/viewer.ts';
import { memberId, VirtualRoom } from '../sim/virtual-room.ts';
import { BarePeer, madeUpId, pieceFrame } from '../tools/bare-peer.ts';
import { once } from '../tools/once.ts';

fc.configureGlobal({ seed: 20_260_104, numRuns: 60 });

const crypto = await chooseCrypto();
const SEGMENT_MS = 2_000;

/** How bytes are damaged on their way: every kind changes them. */
const damages = fc.oneof(
  fc.record({ kind: fc.constant('flip' as const), at: fc.nat(), bit: fc.nat(7) }),
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat() }),
  fc.record({ kind: fc.constant('grow' as const), at: fc.nat(), extra: fc.uint8Array({ minLength: 1 }) }),
  fc.record({ kind: fc.constant('swap' as const), at: fc.nat(), to: fc.nat() }),
);
type Damage = typeof damages extends fc.Arbitrary<infer T> ? T : never;

function damaged(bytes: Bytes, damage: Damage): Bytes {
  const at = damage.at % bytes.byteLength;
  if (damage.kind === 'cut') return bytes.slice(0, at);
  if (damage.kind === 'grow') return concat(bytes.subarray(0, at), damage.extra, bytes.subarray(at));
  const copy = bytes.slice();
  if (damage.kind === 'flip') copy[at] = (bytes[at] ?? 0) ^ (1 << damage.bit);
  else {
    const to = damage.to % bytes.byteLength;
    copy[at] = bytes[to] ?? 0;
    copy[to] = bytes[at] ?? 0;
  }
  return copy;
}

function areSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** Resolves with the code with which it is refused. */
async function refusal(run: () => Promise<unknown>): Promise<ErrorCode | null> {
  try {
    await run();
    return null;
  } catch (error) {
    if (error instanceof MatineeError) return error.code;
    throw error;
  }
}

interface Hosted {
  key: SigningKey;
  room: Bytes;
  /** What was published, one after the other; each lists more segments. */
  updates: ManifestUpdate[];
}

async function hosted(counts: readonly number[], key?: SigningKey, hashByte = 0): Promise<Hosted> {
  const signingKey = key ?? (await crypto.generateSigningKey());
  const room = await roomIdOf(crypto, signingKey.publicKey);
  const video = new Uint8Array(16).fill(9);
  const subject = { room, video, info: new Uint8Array(50), durationMs: 1_000_000 };
  const writer = new ManifestWriter(crypto, signingKey, subject);
  const updates: ManifestUpdate[] = [];
  for (const count of counts) {
    for (let i = 0; i < count; i++) await writer.append(entry(writer.segmentCount, hashByte));
    updates.push(await writer.publish(false));
  }
  return { key: signingKey, room, updates };
}

function entry(number: number, hashByte: number): SegmentEntry {
  const sizeBytes = 100_000;
  const pieceHashes = new Uint8Array(32 * pieceCount(sizeBytes)).fill(number ^ hashByte);
  const startMs = Math.max(0, number - 1) * SEGMENT_MS;
  return { startMs, durationMs: number === 0 ? 0 : SEGMENT_MS, sizeBytes, pieceHashes };
}

async function adopt(manifest: Manifest, { head, pages }: ManifestUpdate): Promise<void> {
  await manifest.adoptHead(head);
  for (const page of pages) await manifest.adoptPage(page);
}

const REFUSED: readonly (ErrorCode | null)[] = ['MANIFEST_MALFORMED', 'SIGNATURE_WRONG'];
const growths = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 2, maxLength: 5 });

const heads = suite('a signed manifest');

heads('should be refused with any change to its bytes, and leave the reader with nothing', async () => {
  const { room, updates } = await hosted([40]);
  const head = updates[0]?.head ?? new Uint8Array();
  const property = fc.asyncProperty(damages, async (damage) => {
    const bent = damaged(head, damage);
    fc.pre(!areSame(bent, head));
    const manifest = new Manifest(crypto, room);
    assert.ok(REFUSED.includes(await refusal(() => manifest.adoptHead(bent))));
    assert.equal([manifest.head, manifest.envelope], [null, null]);
  });
  await fc.assert(property, { numRuns: 400 });
});

heads('should be refused from any other host, or signed by any other key', async () => {
  const { room, updates, key } = await hosted([10]);
  const other = await hosted([10]);
  const manifest = new Manifest(crypto, room);
  for (const { head } of other.updates)
    assert.is(await refusal(() => manifest.adoptHead(head)), 'SIGNATURE_WRONG');
  const head = updates[0]?.head ?? new Uint8Array();
  const honest = await openHead(crypto, room, head);
  // The host's public key inside, another's signature around it.
  const forged = await signHead(crypto, other.key.privateKey, { ...honest, durationMs: 1 });
  assert.is(await refusal(() => manifest.adoptHead(forged)), 'SIGNATURE_WRONG');
  // Another's public key inside and its signature: then the key is not the room's.
  const foreign = await signHead(crypto, other.key.privateKey, {
    ...honest,
    publicKey: other.key.publicKey,
  });
  assert.is(await refusal(() => manifest.adoptHead(foreign)), 'SIGNATURE_WRONG');
  // The host's own signature, but for another use.
  const label = 'matinee/1 room record';
  const misused = await signBody(crypto, key.privateKey, label, peekBody(head));
  assert.is(await refusal(() => manifest.adoptHead(misused)), 'SIGNATURE_WRONG');
  assert.ok(await openSigned(crypto, key.publicKey, label, misused));
  assert.is(manifest.head, null);
  const property = fc.asyncProperty(fc.uint8Array({ minLength: 64, maxLength: 64 }), async (signature) => {
    const made = encodeCbor([peekBody(head), signature]);
    assert.is(await refusal(() => manifest.adoptHead(made)), 'SIGNATURE_WRONG');
  });
  await fc.assert(property);
});

heads('should come to the newest in whatever order its versions come, and however often', async () => {
  const property = fc.asyncProperty(growths, fc.array(fc.nat(), { maxLength: 12 }), async (counts, picks) => {
    const { room, updates } = await hosted(counts);
    const manifest = new Manifest(crypto, room);
    let newest = -1;
    for (const pick of [...picks, updates.length - 1]) {
      const index = pick % updates.length;
      const update = updates[index];
      if (!update) continue;
      assert.is(await manifest.adoptHead(update.head), index > newest, 'only a newer one is news');
      newest = Math.max(newest, index);
      assert.is(manifest.envelope, updates[newest]?.head);
    }
    const total = counts.reduce((sum, count) => sum + count, 0);
    assert.is(manifest.head?.segmentCount, total);
  });
  await fc.assert(property, { numRuns: 25 });
});

heads('should be refused where the host tells another story under the same key', async () => {
  const property = fc.asyncProperty(growths, fc.integer({ min: 1, max: 255 }), async (counts, hashByte) => {
    const { room, updates, key } = await hosted(counts);
    const other = await hosted([...counts, 5], key, hashByte);
    const manifest = new Manifest(crypto, room);
    for (const update of updates) await adopt(manifest, update);
    const { envelope } = manifest;
    const last = other.updates.at(-1);
    assert.is(
      await refusal(() => manifest.adoptHead(last?.head ?? new Uint8Array())),
      // Where all there is lies in one page that may have grown, the host may.
      (manifest.head?.pages.length ?? 0) > 1 ? 'MANIFEST_STALE' : null,
    );
    if ((manifest.head?.pages.length ?? 0) > 1) assert.is(manifest.envelope, envelope);
  });
  await fc.assert(property, { numRuns: 25 });
});

heads('should take no page but its own, whole and unchanged', async () => {
  const { room, updates } = await hosted([70]);
  const { updates: foreign } = await hosted([70], undefined, 1);
  const update = updates[0];
  assert.ok(update && foreign[0]);
  const manifest = new Manifest(crypto, room);
  await manifest.adoptHead(update?.head ?? new Uint8Array());
  for (const page of foreign[0]?.pages ?? []) assert.is(await manifest.adoptPage(page), null);
  const property = fc.asyncProperty(fc.nat(), damages, async (pick, damage) => {
    const page = update?.pages[pick % (update?.pages.length ?? 1)] ?? new Uint8Array(1);
    const bent = damaged(page, damage);
    fc.pre(!areSame(bent, page));
    assert.is(await manifest.adoptPage(bent), null);
  });
  await fc.assert(property, { numRuns: 300 });
  for (let segment = 0; segment < 70; segment++) assert.is(manifest.entry(segment), null);
});

heads('should take no page whose entries are in another order, though the host signed its hash', async () => {
  const entries = [0, 1, 2, 3].map((number) => entry(number, 0));
  const orders = fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 });
  const { key, room, updates } = await hosted([4]);
  const honest = await openHead(crypto, room, updates[0]?.head ?? new Uint8Array());
  const property = fc.asyncProperty(orders, async (order) => {
    fc.pre(order.some((number, i) => number !== i));
    const page = encodePage(order.flatMap((number) => entries[number] ?? []));
    const pages = [{ firstSegment: 0, startMs: 0, hash: await crypto.sha256(page) }];
    const manifest = new Manifest(crypto, room);
    await manifest.adoptHead(await signHead(crypto, key.privateKey, { ...honest, pages }));
    // Init segment and first one both start at 0: those two may be told apart by their hashes alone.
    const isInOrder = order.join() === '1,0,2,3';
    fc.pre(!isInOrder);
    assert.is(await refusal(() => manifest.adoptPage(page)), 'MANIFEST_MALFORMED');
    for (let segment = 0; segment < 4; segment++) assert.is(manifest.entry(segment), null);
  });
  await fc.assert(property);
});

heads.run();

const FILM = { segmentCount: 3, segmentMs: SEGMENT_MS, segmentBytes: 50_000 };
const openRoom = once(() => VirtualRoom.open(FILM, 1));
/** The same film, host and room but for another seed: so another room's, and another video's. */
const openOther = once(() => VirtualRoom.open(FILM, 2));

/** What a liar may send in the place of a piece. */
const lies = fc.oneof(
  fc.record({ kind: fc.constant('damaged' as const), damage: damages }),
  fc.record({ kind: fc.constant('otherSegment' as const), by: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ kind: fc.constant('otherPiece' as const), by: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ kind: fc.constant('otherRoom' as const) }),
  fc.record({ kind: fc.constant('plaintext' as const) }),
  fc.record({ kind: fc.constant('noise' as const), bytes: fc.uint8Array({ minLength: 1 }) }),
);
type Lie = typeof lies extends fc.Arbitrary<infer T> ? T : never;

function cut(segments: readonly Bytes[], segment: number, piece: number): Bytes {
  const whole = segments[segment] ?? new Uint8Array();
  const start = pieceStart(whole.byteLength, piece);
  return whole.slice(start, start + Math.max(0, pieceBytes(whole.byteLength, piece)));
}

function lieFor(lie: Lie, room: VirtualRoom, other: VirtualRoom, segment: number, piece: number): Bytes {
  const { segments, plaintexts } = room;
  const pieces = pieceCount(segments[segment]?.byteLength ?? 1);
  switch (lie.kind) {
    case 'damaged':
      return damaged(cut(segments, segment, piece), lie.damage);
    case 'otherSegment':
      return cut(segments, (segment + lie.by) % segments.length, piece);
    case 'otherPiece':
      return cut(segments, segment, (piece + lie.by) % Math.max(pieces, lie.by + 1));
    case 'otherRoom':
      return cut(other.segments, segment, piece);
    case 'plaintext':
      return cut(plaintexts, segment, piece);
    case 'noise':
      return new Uint8Array(lie.bytes);
  }
}

/** What a viewer holds, each piece of it proven to be the film's. Fails where one is not. */
async function heldPieces(room: VirtualRoom, viewer: Viewer): Promise<number> {
  let heldCount = 0;
  for (const [segment, plaintext] of room.plaintexts.entries()) {
    for (let piece = 0; piece < pieceCount(plaintext.byteLength); piece++) {
      const read = await viewer.readPiece(segment, piece);
      assert.is(read !== null, viewer.hasPiece(segment, piece));
      if (!read) continue;
      heldCount += 1;
      assert.ok(areSame(read, cut(room.plaintexts, segment, piece)), `piece ${piece} of segment ${segment}`);
    }
  }
  return heldCount;
}

/** A peer that says it has everything, and lies whenever it is asked (but for those it is told to spare). */
function liar(
  room: VirtualRoom,
  viewer: Viewer,
  answer: (segment: number, piece: number) => Bytes | null,
): BarePeer {
  const peer: BarePeer = new BarePeer({
    room,
    target: viewer,
    id: madeUpId(7),
    onMessage: ({ name, body }) => {
      if (name !== 'request') return;
      for (const piece of body.pieces) {
        const data = answer(body.segment, piece);
        if (data && data.byteLength > 0) peer.sendPiece(body.segment, piece, data);
      }
    },
  });
  peer.send('have', { whole: [[0, FILM.segmentCount + 1]], parts: [] });
  return peer;
}

const pieces = suite('a piece that is not what the host signed');

pieces('should be held by nobody and read by nobody, and cost its sender the link', async () => {
  const [room, other] = [await openRoom(), await openOther()];
  const property = fc.asyncProperty(lies, async (lie) => {
    const closed: string[] = [];
    const viewer = room.viewer({ onLinkClosed: ({ id }, code) => closed.push(`${id} ${code}`) });
    let lieCount = 0;
    const answer = (segment: number, piece: number): Bytes | null => {
      const honest = cut(room.segments, segment, piece);
      const data = lieFor(lie, room, other, segment, piece);
      if (areSame(data, honest) || data.byteLength === 0 || data.byteLength > PIECE_BYTES) return null;
      lieCount += 1;
      return data;
    };
    const peer = liar(room, viewer, answer);
    const envelope = room.origin.manifest.envelope ?? new Uint8Array();
    peer.send('head', { envelope });
    for (const page of room.origin.manifest.head?.pages ?? [])
      peer.send('page', { bytes: room.origin.manifest.pageBytes(page.hash) ?? new Uint8Array() });
    await room.clock.run(2_000);
    fc.pre(lieCount >= 1);
    assert.is(await heldPieces(room, viewer), 0);
    assert.equal(closed, [`${peer.id} PIECE_WRONG`]);
    assert.is(peer.goodbye, 'PIECE_WRONG');
    assert.is(viewer.rejectedPieces, 1);
    assert.ok(viewer.isBanned(peer.id));
    // And the film still comes from an honest one, whole.
    room.connectOrigin(viewer, 1);
    assert.ok(await room.clock.runUntil(() => room.holds(viewer, 0, FILM.segmentCount), 20_000));
    assert.ok((await heldPieces(room, viewer)) > 0);
    viewer.close();
  });
  await fc.assert(property);
});

pieces('should bar its sender though nobody asked for it, and whoever comes back by that name', async () => {
  const room = await openRoom();
  const closed: string[] = [];
  const viewer = room.viewer({ onLinkClosed: (_, code) => closed.push(code) });
  room.connectOrigin(viewer, 1);
  await room.clock.runUntil(() => viewer.manifest.head !== null, 1_000);
  const peer = new BarePeer({ room, target: viewer, id: madeUpId(8) });
  peer.sendPiece(3, 0, new Uint8Array(16_384));
  await room.clock.run(200);
  assert.ok(viewer.isBanned(madeUpId(8)));
  assert.equal(closed, ['PIECE_WRONG']);
  const again = new BarePeer({ room, target: viewer, id: madeUpId(8) });
  again.sendPiece(3, 0, new Uint8Array(16_384));
  await room.clock.run(200);
  assert.is(viewer.rejectedPieces, 1);
  viewer.close();
});

pieces('should not take the place of a right one that comes from somebody else meanwhile', async () => {
  const room = await openRoom();
  const viewer = room.viewer();
  let askedCount = 0;
  const honest: BarePeer = new BarePeer({
    room,
    target: viewer,
    id: madeUpId(1),
    onMessage: ({ name, body }) => {
      if (name !== 'request') return;
      askedCount += body.pieces.length;
      for (const piece of body.pieces) {
        // The wrong one comes just before, unasked: it is still being checked when the right one is there.
        const right = cut(room.segments, body.segment, piece);
        wrong.strike(pieceFrame(body.segment, piece, new Uint8Array(right.byteLength)));
        honest.strike(pieceFrame(body.segment, piece, right));
      }
    },
  });
  const wrong = new BarePeer({ room, target: viewer, id: madeUpId(2) });
  const { manifest } = room.origin;
  honest.send('head', { envelope: manifest.envelope ?? new Uint8Array() });
  for (const page of manifest.head?.pages ?? [])
    honest.send('page', { bytes: manifest.pageBytes(page.hash) ?? new Uint8Array() });
  honest.send('have', { whole: [[0, FILM.segmentCount + 1]], parts: [] });
  assert.ok(await room.clock.runUntil(() => room.holds(viewer, 0, FILM.segmentCount), 10_000));
  assert.is(wrong.goodbye, 'PIECE_WRONG');
  assert.is(await heldPieces(room, viewer), askedCount, 'each was asked for once');
  viewer.close();
});

pieces('should be right in whatever order, and however often, an honest peer sends it', async () => {
  const room = await openRoom();
  const property = fc.asyncProperty(fc.infiniteStream(fc.nat()), async (numbers) => {
    const closed: string[] = [];
    const viewer = room.viewer({ onLinkClosed: (_, code) => closed.push(code) });
    const waiting: [number, number][] = [];
    const peer = liar(room, viewer, (segment, piece) => {
      waiting.push([segment, piece]);
      return null;
    });
    const { manifest } = room.origin;
    peer.send('head', { envelope: manifest.envelope ?? new Uint8Array() });
    for (const page of manifest.head?.pages ?? [])
      peer.send('page', { bytes: manifest.pageBytes(page.hash) ?? new Uint8Array() });
    const sendOne = (): void => {
      const number = numbers.next().value ?? 0;
      const [next] = waiting.splice(number % Math.max(1, waiting.length), 1);
      if (!next) return;
      for (let i = 0; i <= number % 3; i++) peer.sendPiece(...next, cut(room.segments, ...next));
    };
    for (let i = 0; i < 200 && !room.holds(viewer, 0, FILM.segmentCount); i++) {
      sendOne();
      await room.clock.run(50);
    }
    assert.ok(room.holds(viewer, 0, FILM.segmentCount));
    await heldPieces(room, viewer);
    assert.equal([closed, viewer.rejectedPieces], [[], 0]);
    viewer.close();
  });
  await fc.assert(property, { numRuns: 8 });
});

pieces.run();

const manifestPeers = suite('a peer with a manifest that is not the newest, or not the room’s');

manifestPeers('should change nothing with an old one, and lose its link with another room’s', async () => {
  const [room, other] = [await openRoom(), await openOther()];
  const codes = new Map<string, string>();
  const viewer = room.viewer({ onLinkClosed: ({ id }, code) => codes.set(id, code) });
  room.connectOrigin(viewer, 1);
  await room.clock.run(1_000);
  const { envelope, head } = viewer.manifest;
  assert.ok(envelope && head);
  const stranger = new BarePeer({ room, target: viewer, id: memberId(3) });
  stranger.send('head', { envelope: other.origin.manifest.envelope ?? new Uint8Array() });
  const garbler = new BarePeer({ room, target: viewer, id: memberId(4) });
  garbler.send('page', { bytes: new Uint8Array(500) });
  const flood = new BarePeer({ room, target: viewer, id: memberId(5) });
  for (let i = 0; i < 1000; i++) flood.send('head', { envelope: envelope ?? new Uint8Array() });
  await room.clock.run(1_000);
  assert.equal([...codes], [[memberId(3), 'SIGNATURE_WRONG']], 'the others say nothing that is wrong');
  assert.is(viewer.manifest.head, head);
  viewer.close();
});

manifestPeers.run();

const counters = suite('the counters of a film');

/** Lengths of segments, the edges of pieces among them. */
const sizes = fc.oneof(
  fc.integer({ min: 1, max: 200_000 }),
  fc.constantFrom(1, 15, 16, 17, 16_384, 65_535, 65_536, 65_537, 1_048_576, 1_048_577),
);

interface Range {
  key: string;
  segment: bigint;
  firstBlock: bigint;
  endBlock: bigint;
}

/** A Crypto that only notes which counters it is asked to use under which key. */
function recording(ranges: Range[]): Crypto {
  return {
    ...crypto,
    aesCtr: async (key, block, data) => {
      const view = new DataView(block.buffer, block.byteOffset);
      const firstBlock = view.getBigUint64(8);
      const endBlock = firstBlock + BigInt(Math.ceil(data.byteLength / 16));
      ranges.push({ key: key.join(), segment: view.getBigUint64(0), firstBlock, endBlock });
      return new Uint8Array(data);
    },
  };
}

function areDisjoint(ranges: readonly Range[]): boolean {
  const endOf = new Map<string, bigint>();
  const inOrder = [...ranges].sort((a, b) => (a.firstBlock < b.firstBlock ? -1 : 1));
  for (const { key, segment, firstBlock, endBlock } of inOrder) {
    const space = `${key} ${segment}`;
    if (firstBlock < (endOf.get(space) ?? 0n)) return false;
    endOf.set(space, endBlock);
  }
  return true;
}

counters('should never be used twice under one key, whatever the segments’ lengths', async () => {
  const films = fc.array(sizes, { minLength: 1, maxLength: 12 });
  const property = fc.asyncProperty(films, films, async (one, other) => {
    const ranges: Range[] = [];
    const secret = new Uint8Array(32).fill(1);
    for (const [video, segments] of [one, other].entries()) {
      const { contentKey } = await deriveVideoKeys(crypto, secret, new Uint8Array(16).fill(video));
      for (const [segment, sizeBytes] of segments.entries())
        await encryptSegment(recording(ranges), contentKey, segment, [new Uint8Array(sizeBytes)]);
    }
    const usedBlocks = ranges.reduce((sum, range) => sum + Number(range.endBlock - range.firstBlock), 0);
    assert.is(
      usedBlocks,
      [...one, ...other].reduce((sum, bytes) => sum + Math.ceil(bytes / 16), 0),
    );
    assert.ok(areDisjoint(ranges));
  });
  await fc.assert(property);
});

counters('should be those of the piece alone when it is read alone', async () => {
  const property = fc.asyncProperty(fc.nat(100_000), sizes, async (segment, sizeBytes) => {
    const ranges: Range[] = [];
    const key = new Uint8Array(32);
    for (let piece = 0; piece < pieceCount(sizeBytes); piece++) {
      const data = new Uint8Array(pieceBytes(sizeBytes, piece));
      await decryptRange(recording(ranges), key, segment, pieceStart(sizeBytes, piece), data);
    }
    assert.ok(areDisjoint(ranges), 'no block belongs to two pieces');
    assert.is(ranges[0]?.firstBlock, 0n);
    assert.is(ranges.at(-1)?.endBlock, BigInt(Math.ceil(sizeBytes / 16)));
  });
  await fc.assert(property);
});

counters('should differ between the last block of the largest segment and the first of the next', () => {
  const last = counterBlock(7, MAX_SEGMENT_BYTES - 16);
  assert.not(areSame(last, counterBlock(8, 0)));
  assert.ok(pieceCount(MAX_SEGMENT_BYTES) <= MAX_PAGE_PIECES);
});

counters.run();
