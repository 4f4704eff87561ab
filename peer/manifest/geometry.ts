import { PIECE_BYTES } from '../limits.ts';

/** How many pieces a segment of `segmentBytes` is cut into. */
export function pieceCount(segmentBytes: number): number {
  return Math.ceil(segmentBytes / PIECE_BYTES);
}

/** Bytes of piece number `piece` (from 0) of a segment of `segmentBytes`; all but the last have PIECE_BYTES. */
export function pieceBytes(segmentBytes: number, piece: number): number {
  return Math.min(PIECE_BYTES, segmentBytes - piece * PIECE_BYTES);
}
