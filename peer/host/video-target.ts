/** The most a picture that is encoded anew may have. The long side counts as the width, however it is held. */
export interface SizeLimit {
  longPx: number;
  shortPx: number;
  bitsPerSec: number;
}

/** For slow uplinks: 720p. */
export const SMALL_SIZE: SizeLimit = { longPx: 1280, shortPx: 720, bitsPerSec: 2_500_000 };

/** Where it must be encoded and nobody asked for less: 1080p, which every machine decodes, and most encode in time. */
export const FULL_SIZE: SizeLimit = { longPx: 1920, shortPx: 1080, bitsPerSec: 8_000_000 };

/** A source that has so much more than the limit is not worth encoding for that. */
const TOLERANCE = 1.2;

/** Bits per pixel and second at which H.264 of a film looks like its source to most: 2.8 Mbit/s at 720p, 6.2 at 1080p. */
const BITS_PER_PIXEL = 3;
const MIN_BITS_PER_SEC = 400_000;

/** What a picture is encoded as: H.264 in square pixels, upright. */
export interface VideoTarget {
  widthPx: number;
  heightPx: number;
  bitsPerSec: number;
  /** RFC 6381. */
  codecString: string;
}

interface Picture {
  widthPx: number;
  heightPx: number;
}

/** Whether a picture keeps a limit as it is; `bitsPerSec` is that of its file, 0 where it isn't known. */
export function isWithin({ widthPx, heightPx }: Picture, bitsPerSec: number, limit: SizeLimit): boolean {
  const [longPx, shortPx] = [Math.max(widthPx, heightPx), Math.min(widthPx, heightPx)];
  const isSmall = longPx <= limit.longPx && shortPx <= limit.shortPx;
  return isSmall && bitsPerSec <= limit.bitsPerSec * TOLERANCE;
}

/** The picture as large as the limit and the source allow, in even sizes, which H.264 wants. */
export function fitTarget(
  { widthPx, heightPx }: Picture,
  sourceBitsPerSec: number,
  limit: SizeLimit,
): VideoTarget {
  const [longPx, shortPx] = [Math.max(widthPx, heightPx, 1), Math.max(1, Math.min(widthPx, heightPx))];
  const scale = Math.min(1, limit.longPx / longPx, limit.shortPx / shortPx);
  const [width, height] = [even(widthPx * scale), even(heightPx * scale)];
  // H.264 needs more than what came after it; nothing needs much more than its source has.
  const sourceBits = sourceBitsPerSec > 0 ? sourceBitsPerSec * 1.5 : Number.POSITIVE_INFINITY;
  const bitsPerSec = Math.min(limit.bitsPerSec, width * height * BITS_PER_PIXEL, sourceBits);
  return {
    widthPx: width,
    heightPx: height,
    bitsPerSec: Math.round(Math.max(MIN_BITS_PER_SEC, bitsPerSec)),
    codecString: width * height <= 1280 * 720 ? HIGH_3_2 : HIGH_4_2,
  };
}

/** H.264 High at the levels of 720p and 1080p with up to 60 pictures a second (ITU-T H.264, table A-1). */
const HIGH_3_2 = 'avc1.640020';
const HIGH_4_2 = 'avc1.64002a';

function even(px: number): number {
  return Math.max(2, Math.round(px / 2) * 2);
}
