import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Bytes, concat } from '../../peer/bytes.ts';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import type { SigningKey } from '../../peer/crypto/crypto.ts';
import { roomIdOf } from '../../peer/crypto/keys.ts';
import { type ErrorCode, MatineeError } from '../../peer/errors.ts';
import { MAX_PAGE_PIECES, PIECE_BYTES, SMALL_PIECE_BYTES } from '../../peer/limits.ts';
import { pieceCount, piecesOf } from '../../peer/manifest/geometry.ts';
import { Manifest } from '../../peer/manifest/manifest.ts';
import {
  type ManifestSubject,
  type ManifestUpdate,
  ManifestWriter,
} from '../../peer/manifest/manifest-writer.ts';
import { describeSegment, type SegmentEntry } from '../../peer/manifest/page.ts';
import { isJoinToken, openRoomRecord, signRoomRecord } from '../../peer/manifest/room-record.ts';
import { signTakeDown, verifyTakeDown } from '../../peer/manifest/take-down.ts';

const crypto = await chooseCrypto();
const SEGMENT_MS = 2_000;

interface Hosted {
  key: SigningKey;
  room: Bytes;
  subject: ManifestSubject;
  writer: ManifestWriter;
}

async function host(video = new Uint8Array(16)): Promise<Hosted> {
  const key = await crypto.generateSigningKey();
  const room = await roomIdOf(crypto, key.publicKey);
  const subject = { room, video, info: new Uint8Array(50), durationMs: 1_000_000 };
  return { key, room, subject, writer: new ManifestWriter(crypto, key, subject) };
}

/** A made-up entry: the n-th segment of two seconds, init first. */
function entry(number: number, sizeBytes = 100_000): SegmentEntry {
  const pieceHashes = new Uint8Array(32 * pieceCount(sizeBytes)).fill(number);
  const startMs = Math.max(0, number - 1) * SEGMENT_MS;
  return { startMs, durationMs: number === 0 ? 0 : SEGMENT_MS, sizeBytes, pieceHashes };
}

async function append(writer: ManifestWriter, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await writer.append(entry(writer.segmentCount));
}

async function adopt(manifest: Manifest, { head, pages }: ManifestUpdate): Promise<boolean> {
  const isNew = await manifest.adoptHead(head);
  for (const page of pages) await manifest.adoptPage(page);
  return isNew;
}

async function fails(run: () => Promise<unknown>, code: ErrorCode): Promise<void> {
  try {
    await run();
  } catch (error) {
    assert.instance(error, MatineeError);
    assert.is((error as MatineeError).code, code);
    return;
  }
  assert.unreachable(`should have failed with ${code}`);
}

const manifests = suite('manifest');

manifests('should reach a reader whole, over many pages', async () => {
  const { writer, room } = await host();
  await append(writer, 100);
  const manifest = new Manifest(crypto, room);
  assert.ok(await adopt(manifest, await writer.publish(true)));
  const firsts = manifest.head?.pages.map(({ firstSegment }) => firstSegment);
  assert.equal(firsts, [0, 2, 6, 14, 30, 62, 94], 'each page has twice as many as the one before, up to 32');
  assert.is(manifest.head?.durationMs, 99 * SEGMENT_MS, 'a finished one says its true length');
  for (let segment = 0; segment < 100; segment++) assert.equal(manifest.entry(segment), entry(segment));
  assert.is(manifest.entry(100), null);
});

manifests('should find the segment at any moment', async () => {
  const { writer, room } = await host();
  await append(writer, 80);
  const manifest = new Manifest(crypto, room);
  await adopt(manifest, await writer.publish(true));
  const table = [
    [0, 1],
    [1_999, 1],
    [2_000, 2],
    [61_999, 31],
    [62_000, 32],
    [63_999, 32],
    [64_000, 33],
    [157_999, 79],
    [999_999, 79],
  ] as const;
  for (const [atMs, segment] of table) assert.is(manifest.segmentAt(atMs), segment, `at ${atMs}`);
});

manifests('should need only the page it is asked about', async () => {
  const { writer, room } = await host();
  await append(writer, 80);
  const { head, pages } = await writer.publish(true);
  const manifest = new Manifest(crypto, room);
  await manifest.adoptHead(head);
  assert.is(manifest.segmentAt(100_000), null);
  assert.ok(await manifest.adoptPage(pages[4] as Bytes));
  assert.is(manifest.segmentAt(100_000), 51);
  assert.is(manifest.segmentAt(0), null);
});

manifests('should grow while the upload runs, and say what is new', async () => {
  const { writer, room } = await host();
  const manifest = new Manifest(crypto, room);
  for (const count of [1, 2, 40, 1, 30]) {
    await append(writer, count);
    assert.ok(await adopt(manifest, await writer.publish(false)));
    assert.is(manifest.head?.segmentCount, writer.segmentCount);
    assert.ok(manifest.entry(writer.segmentCount - 1));
  }
  const last = await writer.publish(true);
  assert.ok(await adopt(manifest, last));
  assert.not(await adopt(manifest, last), 'the same again is nothing new');
});

manifests('should ignore an older one replayed', async () => {
  const { writer, room } = await host();
  await append(writer, 3);
  const old = await writer.publish(false);
  await append(writer, 40);
  const manifest = new Manifest(crypto, room);
  await adopt(manifest, await writer.publish(false));
  assert.not(await manifest.adoptHead(old.head));
  assert.is(manifest.head?.segmentCount, 43);
});

manifests('should refuse another history signed by the same host', async () => {
  const { writer, room, key, subject } = await host();
  await append(writer, 40);
  const manifest = new Manifest(crypto, room);
  await adopt(manifest, await writer.publish(false));
  const other = new ManifestWriter(crypto, key, subject);
  for (let i = 0; i < 50; i++) await other.append(entry(i, 70_000));
  const update = await other.publish(false);
  await fails(() => manifest.adoptHead(update.head), 'MANIFEST_STALE');
});

manifests('should refuse what another host signed, and a flipped bit anywhere', async () => {
  const { writer, room } = await host();
  await append(writer, 3);
  const { head } = await writer.publish(true);
  const other = await host();
  await append(other.writer, 3);
  const foreign = await other.writer.publish(true);
  await fails(() => new Manifest(crypto, room).adoptHead(foreign.head), 'SIGNATURE_WRONG');
  for (let at = 0; at < head.byteLength; at += 7) {
    const bent = head.slice();
    bent[at] = (bent[at] ?? 0) ^ 1;
    let isRefused = false;
    await new Manifest(crypto, room).adoptHead(bent).catch(() => {
      isRefused = true;
    });
    assert.ok(isRefused, `bit flipped in byte ${at}`);
  }
});

manifests('should take no page that its head does not list', async () => {
  const { writer, room } = await host();
  await append(writer, 3);
  const { head, pages } = await writer.publish(true);
  const manifest = new Manifest(crypto, room);
  await manifest.adoptHead(head);
  const bent = (pages[0] as Bytes).slice();
  bent[10] = (bent[10] ?? 0) ^ 1;
  assert.is(await manifest.adoptPage(bent), null);
  assert.is(manifest.entry(0), null);
});

manifests('should begin a new page before one outgrows a frame', async () => {
  const { writer, room } = await host();
  for (let i = 0; i < 5; i++) await writer.append(entry(i, (MAX_PAGE_PIECES / 2) * PIECE_BYTES));
  const update = await writer.publish(true);
  assert.is(update.pages.length, 3);
  const manifest = new Manifest(crypto, room);
  await adopt(manifest, update);
  assert.equal(manifest.entry(4), entry(4, (MAX_PAGE_PIECES / 2) * PIECE_BYTES));
});

manifests('should describe a segment by the hash of each of its pieces', async () => {
  const data = new Uint8Array(SMALL_PIECE_BYTES + 5).fill(9);
  const described = await describeSegment(crypto, 4_000, 2_000, piecesOf([data]));
  const hashes = [
    await crypto.sha256(data.subarray(0, SMALL_PIECE_BYTES)),
    await crypto.sha256(data.subarray(SMALL_PIECE_BYTES)),
  ];
  assert.equal(described.pieceHashes, concat(...hashes));
  assert.is(described.sizeBytes, data.byteLength);
});

manifests.run();

const rooms = suite('room record and take-down');

rooms('should prove whose room it is and let only the token in', async () => {
  const { key, room } = await host();
  const token = crypto.randomBytes(32);
  const envelope = await signRoomRecord(crypto, key, token, 1);
  const record = await openRoomRecord(crypto, room, envelope);
  assert.ok(await isJoinToken(crypto, record, token));
  assert.not(await isJoinToken(crypto, record, crypto.randomBytes(32)));
  const other = await host();
  await fails(() => openRoomRecord(crypto, other.room, envelope), 'SIGNATURE_WRONG');
});

rooms('should be taken down by its host alone, and no other room with the same command', async () => {
  const [mine, other] = [await host(), await host()];
  const command = await signTakeDown(crypto, mine.key.privateKey, mine.room, 1);
  await verifyTakeDown(crypto, mine.key.publicKey, mine.room, command);
  await fails(() => verifyTakeDown(crypto, mine.key.publicKey, other.room, command), 'SIGNATURE_WRONG');
  const forged = await signTakeDown(crypto, other.key.privateKey, mine.room, 1);
  await fails(() => verifyTakeDown(crypto, mine.key.publicKey, mine.room, forged), 'SIGNATURE_WRONG');
});

rooms.run();
