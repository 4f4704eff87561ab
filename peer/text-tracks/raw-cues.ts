import { cueTextOf } from '../extras/cue-text.ts';
import type { Cue } from '../extras/extra.ts';
import { MAX_DURATION_MS } from '../limits.ts';
import { MAX_TRACK_CUES, type RawCue } from './text-tracks.ts';

/** How long a cue is shown where neither the file nor the next one says. */
const LASTS_MS = 5_000;

/** Cues as they are shown, in the order they begin: with an end, safe texts, and those that only go on made one. */
export function shownCues(raw: readonly RawCue[]): Cue[] {
  const ordered = [...raw].sort((a, b) => a.startMs - b.startMs);
  const cues: Cue[] = [];
  for (const [i, { startMs, endMs, text }] of ordered.entries()) {
    const untilMs =
      endMs ?? Math.min(ordered[i + 1]?.startMs ?? Number.POSITIVE_INFINITY, startMs + LASTS_MS);
    const shown = cueTextOf(text);
    const isIn = startMs >= 0 && untilMs > startMs && untilMs <= MAX_DURATION_MS;
    if (shown === '' || !isIn) continue;
    const last = cues.at(-1);
    // MP4 cuts a cue in two where another one begins or ends.
    if (last && last[1] === startMs && last[2] === shown) last[1] = untilMs;
    else if (cues.length < MAX_TRACK_CUES) cues.push([startMs, untilMs, shown]);
  }
  return cues;
}

/** The same with times counted from `originMs` on; what is over by then is left out. */
export function cuesFrom(cues: readonly Cue[], originMs: number): Cue[] {
  return cues
    .map(([startMs, endMs, text]): Cue => [Math.max(0, startMs - originMs), endMs - originMs, text])
    .filter(([startMs, endMs]) => endMs > startMs);
}
