import type { FilmParts } from './virtual-film.ts';

/** What one viewer has and does. Times are virtual milliseconds since the start of the run. */
export interface ViewerPlan {
  joinMs: number;
  upBytesPerSec: number;
  downBytesPerSec: number;
  /** What its person lets it give, bytes per second: null without limit. */
  uploadLimit: number | null;
  /** Flips a byte in every piece it sends. */
  isLiar: boolean;
  /** Leaves with a goodbye. */
  leaveMs: number | null;
  /** Is cut from the network without one. */
  vanishMs: number | null;
  /** Leaves so long after the film's end; null: stays as long as the others watch. */
  lingerMs: number | null;
  seek: { whenMs: number; toMs: number } | null;
}

/** All that decides a run. */
export interface Plan {
  film: FilmParts;
  viewers: ViewerPlan[];
  originUpBytesPerSec: number;
  originMaxLinks: number;
  /** The origin's own send budget, bytes per second; null: none. */
  originBudgetBytesPerSec: number | null;
  minRoundTripMs: number;
  maxRoundTripMs: number;
  /** What each viewer loads from the origin before it joins. */
  pageBytes: number;
  seed: number;
  /** The run ends here, whoever is still watching; null: when everybody is done. */
  endMs: number | null;
}
