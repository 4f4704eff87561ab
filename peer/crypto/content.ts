import { type Bytes, concat, totalBytes } from '../bytes.ts';
import { PIECE_BYTES } from '../limits.ts';
import { AES_BLOCK_BYTES } from './counter.ts';
import type { Crypto } from './crypto.ts';

/** Whole pieces, and little enough that memory for it is found among what was used before. */
const ENCRYPTED_AT_ONCE_BYTES = PIECE_BYTES;

/**
 * The counter block for the bytes of a segment from `firstByte` on: the segment's number, then the number
 * of the 16-byte block within it, both 64 bits big-endian. So no two blocks of a video share a counter;
 * the content key must be a video's own, and a segment's number must never be encrypted with other content.
 * Throws RangeError unless both are safe integers >= 0 and `firstByte` is a multiple of 16.
 */
export function counterBlock(segment: number, firstByte: number): Bytes {
  checkIndex('segment', segment);
  checkIndex('first byte', firstByte);
  if (firstByte % AES_BLOCK_BYTES !== 0) throw new RangeError(`Byte ${firstByte} does not start a block.`);
  const block = new Uint8Array(AES_BLOCK_BYTES);
  const view = new DataView(block.buffer);
  view.setBigUint64(0, BigInt(segment));
  view.setBigUint64(8, BigInt(firstByte / AES_BLOCK_BYTES));
  return block;
}

/**
 * Encrypts a whole segment, which comes in parts that follow one another. So does its ciphertext, PIECE_BYTES in each but the last: one
 * array for all of it would cost more than the encryption. Rejects as `counterBlock` throws.
 */
export async function encryptSegment(
  crypto: Crypto,
  key: Bytes,
  segment: number,
  parts: readonly Uint8Array[],
): Promise<Bytes[]> {
  const encrypted: Bytes[] = [];
  let firstByte = 0;
  for (const block of inBlocks(parts, ENCRYPTED_AT_ONCE_BYTES)) {
    encrypted.push(await crypto.aesCtr(key, counterBlock(segment, firstByte), block));
    firstByte += block.byteLength;
  }
  return encrypted;
}

/** The same bytes in blocks of one size, the last one as it comes. All are in one array: each is there until the next is asked for. */
function* inBlocks(parts: readonly Uint8Array[], sizeBytes: number): Generator<Bytes, void, undefined> {
  const block = new Uint8Array(Math.min(sizeBytes, totalBytes(parts)));
  let filled = 0;
  for (const part of parts) {
    for (let at = 0; at < part.byteLength; ) {
      const taken = part.subarray(at, at + sizeBytes - filled);
      block.set(taken, filled);
      at += taken.byteLength;
      filled += taken.byteLength;
      if (filled < sizeBytes) continue;
      yield block;
      filled = 0;
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}

/**
 * The plaintext of any range of a segment's ciphertext, `firstByte` being the range's place in the segment.
 * Says nothing of whether the ciphertext is genuine: verify its hash first. Rejects with RangeError for
 * numbers that are no safe integers >= 0.
 */
export async function decryptRange(
  crypto: Crypto,
  key: Bytes,
  segment: number,
  firstByte: number,
  ciphertext: Uint8Array,
): Promise<Bytes> {
  checkIndex('first byte', firstByte);
  const skippedBytes = firstByte % AES_BLOCK_BYTES;
  const block = counterBlock(segment, firstByte - skippedBytes);
  if (skippedBytes === 0) return await crypto.aesCtr(key, block, ciphertext);
  const padded = concat(new Uint8Array(skippedBytes), ciphertext);
  return (await crypto.aesCtr(key, block, padded)).slice(skippedBytes);
}

function checkIndex(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`No ${name} has the number ${value}.`);
}
