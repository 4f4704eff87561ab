import type { Bytes } from '../../peer/bytes.ts';

/** Numbers from 0 (inclusive) to 1 (exclusive), the same for the same seed (mulberry32, Tommy Ettinger, public domain). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Fills an array with bytes that the generator draws, four from each number. */
export function fillFrom(random: () => number, into: Bytes): Bytes {
  const words = new Uint32Array(Math.ceil(into.byteLength / 4));
  for (let at = 0; at < words.length; at++) words[at] = random() * 2 ** 32;
  into.set(new Uint8Array(words.buffer, 0, into.byteLength));
  return into;
}
