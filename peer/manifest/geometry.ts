import { type Bytes, totalBytes } from '../bytes.ts';
import { PIECE_BYTES, SMALL_PIECE_BYTES, SMALL_SEGMENT_BYTES } from '../limits.ts';

/** Bytes of each piece but the last of a segment of `segmentBytes`. */
export function pieceSize(segmentBytes: number): number {
  return segmentBytes <= SMALL_SEGMENT_BYTES ? SMALL_PIECE_BYTES : PIECE_BYTES;
}

/** A segment's pieces, of which none is in more than one of the arrays that hold it. They are parts of those. */
export function piecesOf(parts: readonly Bytes[]): Bytes[] {
  const sizeBytes = pieceSize(totalBytes(parts));
  const pieces: Bytes[] = [];
  for (const part of parts)
    for (let at = 0; at < part.byteLength; at += sizeBytes) pieces.push(part.subarray(at, at + sizeBytes));
  return pieces;
}

/** How many pieces a segment of `segmentBytes` is cut into. */
export function pieceCount(segmentBytes: number): number {
  return Math.ceil(segmentBytes / pieceSize(segmentBytes));
}

/** Where piece number `piece` (from 0) of a segment of `segmentBytes` begins, bytes from the segment's start. */
export function pieceStart(segmentBytes: number, piece: number): number {
  return piece * pieceSize(segmentBytes);
}

/** Bytes of piece number `piece` (from 0) of a segment of `segmentBytes`; 0 or less where there is no such piece. */
export function pieceBytes(segmentBytes: number, piece: number): number {
  return Math.min(pieceSize(segmentBytes), segmentBytes - pieceStart(segmentBytes, piece));
}
