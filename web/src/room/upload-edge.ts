import type { Manifest } from '../../../peer/manifest/manifest.ts';
import type { RoomSnapshot } from '../room-session.ts';

/** So near to the end of what is uploaded one would only wait. */
const MARGIN_MS = 2_000;

/** So near to it the film stands still because nobody has more of it. */
const AT_EDGE_MS = 10_000;

/** The host sends a few segments at once: of more that are listed and on their way the end of the list is taken for the edge. */
const MAX_ON_THEIR_WAY = 64;

/**
 * How far the film has been uploaded, milliseconds from its start: to the last segment of the list that is to be had. The list names
 * what is on its way, too, and on a poor line that may take long. `isToBeHad` as Viewer's.
 */
export function uploadedMs(
  manifest: Pick<Manifest, 'head' | 'entry'>,
  isToBeHad: (segment: number) => boolean | null,
): number {
  const { head } = manifest;
  if (!head) return 0;
  if (head.isDone) return head.durationMs;
  const listed = head.segmentCount - 1;
  let last = listed;
  while (last > listed - MAX_ON_THEIR_WAY && last >= 0 && isToBeHad(last) === false) last -= 1;
  const entry = manifest.entry(last > listed - MAX_ON_THEIR_WAY ? last : listed);
  if (entry) return entry.startMs + entry.durationMs;
  return last < 0 ? 0 : (head.pages.at(-1)?.startMs ?? 0);
}

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
