/** AES works in blocks of this size, whatever the key's. */
export const AES_BLOCK_BYTES = 16;

/** What Web Crypto calls the length of the counter: the low bits of the block that count up. */
export const COUNTER_BITS = 64;

/**
 * Throws RangeError unless the counter block is 16 bytes and its low 64 bits last for `dataBytes`.
 * Past their end Web Crypto starts over (and so repeats the key stream) while noble carries into the high bits.
 */
export function checkCounter(counterBlock: Uint8Array, dataBytes: number): void {
  if (counterBlock.byteLength !== AES_BLOCK_BYTES) {
    throw new RangeError(`A counter block is 16 bytes, not ${counterBlock.byteLength}.`);
  }
  const first = new DataView(counterBlock.buffer, counterBlock.byteOffset).getBigUint64(8);
  const blockCount = BigInt(Math.ceil(dataBytes / AES_BLOCK_BYTES));
  if (first + blockCount > 1n << BigInt(COUNTER_BITS)) {
    throw new RangeError('The data would wrap the 64-bit counter: encrypt it under a block of its own.');
  }
}
