import type { RoomSnapshot } from '../room-session.ts';

/** So near to the end of what is uploaded one would only wait. */
const MARGIN_MS = 2_000;

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
