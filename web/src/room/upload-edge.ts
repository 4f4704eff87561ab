import type { RoomSnapshot } from '../room-session.ts';

/** So near to the end of what is uploaded one would only wait. */
const MARGIN_MS = 2_000;

/** So near to it the film stands still because nobody has more of it. */
const AT_EDGE_MS = 10_000;

/** Whether at `placeMs`, milliseconds from the film's start, there is nothing to do but to wait for the host's upload. */
export function isAtEdge(
  { uploadedMs, isDone }: Pick<NonNullable<RoomSnapshot['video']>, 'uploadedMs' | 'isDone'>,
  placeMs: number,
): boolean {
  return !isDone && uploadedMs < placeMs + AT_EDGE_MS;
}

/**
 * Where one gets to who wants to go from `placeMs` to `toMs` in a film: what is not uploaded yet cannot be gone to.
 * All milliseconds from the film's start.
 */
export function heldAtEdge(
  { durationMs, uploadedMs, isDone }: NonNullable<RoomSnapshot['video']>,
  placeMs: number,
  toMs: number,
): number {
  const inFilmMs = Math.min(durationMs, Math.max(0, toMs));
  if (isDone) return inFilmMs;
  const edgeMs = Math.max(0, uploadedMs - MARGIN_MS);
  // Who is past it already is not thrown back.
  return Math.min(inFilmMs, Math.max(edgeMs, placeMs));
}
