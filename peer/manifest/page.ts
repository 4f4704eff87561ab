import * as v from 'valibot';
import { type Bytes, concat, totalBytes } from '../bytes.ts';
import { byteString, count, decodeCbor, encodeCbor } from '../cbor.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { MatineeError } from '../errors.ts';
import {
  HASH_BYTES,
  MAX_DURATION_MS,
  MAX_PAGE_PIECES,
  MAX_PAGE_SEGMENTS,
  MAX_SEGMENT_BYTES,
} from '../limits.ts';
import { pieceCount } from './geometry.ts';

/** One segment as the manifest lists it. */
export interface SegmentEntry {
  /** When its first picture is shown, milliseconds from the start of the film. The init segment has 0. */
  startMs: number;
  /** How long it plays; the next one starts at startMs + durationMs. The init segment has 0, and so have extras. */
  durationMs: number;
  /** Bytes of its ciphertext, which are those of its plaintext. */
  sizeBytes: number;
  /** The SHA-256 of each ciphertext piece, one after the other: 32 bytes a piece. */
  pieceHashes: Bytes;
}

const entry = v.strictTuple([
  count(MAX_DURATION_MS),
  count(MAX_DURATION_MS),
  v.pipe(count(MAX_SEGMENT_BYTES), v.minValue(1)),
  byteString(HASH_BYTES, HASH_BYTES * MAX_PAGE_PIECES),
]);
const page = v.pipe(v.array(entry), v.minLength(1), v.maxLength(MAX_PAGE_SEGMENTS));

/** The bytes of a page: what its hash in the manifest head is over. */
export function encodePage(entries: readonly SegmentEntry[]): Bytes {
  return encodeCbor(entries.map((e) => [e.startMs, e.durationMs, e.sizeBytes, e.pieceHashes]));
}

/**
 * The entries of a page whose hash has been checked.
 * @throws MatineeError MANIFEST_MALFORMED where sizes and hashes disagree or times have a gap.
 */
export function decodePage(bytes: Uint8Array): SegmentEntry[] {
  const entries = decodeCbor(page, bytes, 'MANIFEST_MALFORMED', 'manifest page').map(
    ([startMs, durationMs, sizeBytes, pieceHashes]) => ({ startMs, durationMs, sizeBytes, pieceHashes }),
  );
  entries.forEach((e, i) => {
    const before = entries[i - 1];
    const isContiguous = !before || e.startMs === before.startMs + before.durationMs;
    if (!isContiguous || e.pieceHashes.byteLength !== pieceCount(e.sizeBytes) * HASH_BYTES) {
      throw new MatineeError('MANIFEST_MALFORMED', `manifest page: entry ${i} contradicts itself`);
    }
  });
  return entries;
}

/** Whether segment `number` is an extra: something beside pictures and sound. */
export function isExtra(number: number, { durationMs }: Pick<SegmentEntry, 'durationMs'>): boolean {
  return number > 0 && durationMs === 0;
}

/** Whether one more entry still belongs in a page that holds `entries`. */
export function doesFitPage(entries: readonly SegmentEntry[], next: SegmentEntry): boolean {
  const pieces = [...entries, next].reduce((sum, e) => sum + pieceCount(e.sizeBytes), 0);
  return entries.length < MAX_PAGE_SEGMENTS && pieces <= MAX_PAGE_PIECES;
}

/** The manifest's entry for a segment, from the pieces of its ciphertext. */
export async function describeSegment(
  crypto: Crypto,
  startMs: number,
  durationMs: number,
  pieces: readonly Bytes[],
): Promise<SegmentEntry> {
  const hashes = await Promise.all(pieces.map((piece) => crypto.sha256(piece)));
  return { startMs, durationMs, sizeBytes: totalBytes(pieces), pieceHashes: concat(...hashes) };
}

/** The hash that a piece of this segment must have. */
export function pieceHash(segment: SegmentEntry, piece: number): Bytes {
  return segment.pieceHashes.subarray(piece * HASH_BYTES, (piece + 1) * HASH_BYTES);
}
