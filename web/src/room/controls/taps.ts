/** Two taps within this time at the same part of the picture are a double tap. */
const DOUBLE_TAP_MS = 300;

/** What a tap means: `show` the controls or hide them, or jump. */
export type Tap = 'show' | 'back' | 'on';

/** Tells single taps on the picture from double ones at its sides, which jump; each further one at once jumps again. */
export class Taps {
  #last: { atMs: number; part: Tap } | null = null;

  /** `share`: where along the picture, 0 to 1. `atMs`: on any clock that runs on. */
  tap(share: number, atMs: number): Tap {
    const part = partAt(share);
    const isDouble = this.#last?.part === part && atMs - this.#last.atMs < DOUBLE_TAP_MS;
    this.#last = { atMs, part };
    return isDouble ? part : 'show';
  }
}

/** The picture has three parts of one width. */
function partAt(share: number): Tap {
  if (share < 1 / 3) return 'back';
  return share < 2 / 3 ? 'show' : 'on';
}
