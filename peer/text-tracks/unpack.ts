import { concat } from '../bytes.ts';
import type { Packing } from './matroska-tracks.ts';

/** The data of a block as it was before it was made smaller; null where it is damaged, or has more than so many bytes. */
export async function unpacked(
  packing: Packing,
  data: Uint8Array,
  maxBytes: number,
): Promise<Uint8Array | null> {
  if (packing.how === 'none') return data;
  if (packing.how === 'stripped') return concat(packing.head, data);
  // The data are at hand: nothing can fail but what they say, for which browsers and Node have errors of their own.
  return await inflated(data, maxBytes).catch(() => null);
}

async function inflated(data: Uint8Array, maxBytes: number): Promise<Uint8Array | null> {
  const stream = new Blob([new Uint8Array(data)]).stream().pipeThrough(new DecompressionStream('deflate'));
  // Not every browser iterates over a stream.
  const reader = stream.getReader();
  const parts: Uint8Array[] = [];
  let sizeBytes = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    sizeBytes += next.value.byteLength;
    parts.push(next.value);
    if (sizeBytes <= maxBytes) continue;
    await reader.cancel();
    return null;
  }
  return concat(...parts);
}
