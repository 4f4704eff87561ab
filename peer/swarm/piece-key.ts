import { MAX_PAGE_PIECES } from '../limits.ts';

/** A piece's name within its film: one number, since it is looked up far more often than anything else. */
export function pieceKey(segment: number, piece: number): number {
  return segment * MAX_PAGE_PIECES + piece;
}
