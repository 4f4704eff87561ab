import { concat } from '../bytes.ts';

/** Each read is a trip to another thread and back, which takes longer than a small read itself. */
export const BLOCK_BYTES = 2 * 1024 * 1024;

/** Sound and pictures of one moment may lie some way apart: of each the block before, the one it is at, and the next. */
const KEPT_BLOCKS = 6;

type Read = (start: number, end: number) => Promise<Uint8Array>;

/**
 * Reads the same bytes (start inclusive, end exclusive) in few large reads, and keeps the blocks used last for the next ones. Where one
 * is read after the one before it, the next is read ahead. What it gives may be a part of such a block, not to be changed.
 */
export function readInBlocks(
  sizeBytes: number,
  read: Read,
  { blockBytes = BLOCK_BYTES, keptBlocks = KEPT_BLOCKS } = {},
): Read {
  const blocks = new Map<number, Promise<Uint8Array>>();
  const keep = (index: number): Promise<Uint8Array> => {
    const first = index * blockBytes;
    const kept = blocks.get(index) ?? read(first, Math.min(first + blockBytes, sizeBytes));
    blocks.delete(index);
    blocks.set(index, kept);
    // A failed read is not kept: the next one tries anew. Who asked for it is told by its own await.
    kept.catch(() => blocks.get(index) === kept && blocks.delete(index));
    for (const oldest of blocks.keys()) if (blocks.size > keptBlocks) blocks.delete(oldest);
    return kept;
  };
  const block = (index: number): Promise<Uint8Array> => {
    const asked = keep(index);
    if (blocks.has(index - 1) && (index + 1) * blockBytes < sizeBytes) void keep(index + 1);
    return asked;
  };
  return async (start, end) => {
    const parts: Uint8Array[] = [];
    for (let at = start; at < end; ) {
      const index = Math.floor(at / blockBytes);
      const first = index * blockBytes;
      const part = (await block(index)).subarray(at - first, end - first);
      if (part.byteLength === 0) break;
      parts.push(part);
      at += part.byteLength;
    }
    return parts.length === 1 && parts[0] ? parts[0] : concat(...parts);
  };
}
