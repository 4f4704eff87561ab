import type { Bytes } from '../bytes.ts';
import { decodeExtra, encodeExtra, MAX_POSTER_BYTES, type Poster } from './extra.ts';

/** How the pictures begin that a poster may be: JPEG; and WebP, which has its length after "RIFF". */
const JPEG_START = [0xff, 0xd8, 0xff];
const RIFF = [0x52, 0x49, 0x46, 0x46];
const WEBP = [0x57, 0x45, 0x42, 0x50];

/**
 * The cover of a file that has no pictures else as an encoded poster, its bytes as they are: for whoever cannot make it smaller. Null where
 * it is too large for that or of another kind, or where `listed` (extras of an earlier time) has one.
 */
export function plainCover(bytes: Bytes, listed: readonly Bytes[]): Bytes | null {
  const mime = mimeOf(bytes);
  if (mime === null || bytes.byteLength > MAX_POSTER_BYTES) return null;
  if (listed.map(decodeExtra).some(({ kind }) => kind === 'poster')) return null;
  return encodeExtra({ kind: 'poster', mime, bytes });
}

/** By its first bytes, for files are often wrong about it. */
function mimeOf(bytes: Bytes): Poster['mime'] | null {
  const has = (at: number, mark: readonly number[]): boolean =>
    mark.every((byte, i) => bytes[at + i] === byte);
  if (has(0, JPEG_START)) return 'image/jpeg';
  return has(0, RIFF) && has(8, WEBP) ? 'image/webp' : null;
}
