import { NO_SUBTITLES } from './player-choices.ts';

/** Names by which a film's subtitles can be told apart, and found again: "German", and "German 2" for others called so. */
export function subtitleNames(labels: readonly string[]): string[] {
  return labels.map((label, i) => {
    const before = labels.slice(0, i).filter((each) => each === label).length;
    return before === 0 ? label : `${label} ${before + 1}`;
  });
}

/** Which of them to show by what was kept, by their number; -1: none. `already`: those that the host wants shown. */
export function subtitlesToShow(names: readonly string[], already: number, kept: string | null): number {
  if (kept === null) return already;
  if (kept === NO_SUBTITLES) return -1;
  return names.includes(kept) ? names.indexOf(kept) : already;
}
