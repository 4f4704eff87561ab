/** A timer that is set: due at `atMs`, and among those due at once in the order they were set. */
export interface Timer {
  readonly atMs: number;
  readonly order: number;
  /** Returns false where nothing that could have promises was called. */
  readonly run: () => boolean;
  isOff: boolean;
}

/** Timers by due time in a binary heap (Williams, 1964): setting and taking the next cost O(log n). */
export class TimerHeap {
  readonly #timers: Timer[] = [];

  push(timer: Timer): void {
    const timers = this.#timers;
    let at = timers.length;
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = timers[up];
      if (!parent || isBefore(parent, timer)) break;
      timers[at] = parent;
      at = up;
    }
    timers[at] = timer;
  }

  /** The next timer that is not off, left in place; null where there is none. */
  peek(): Timer | null {
    for (let first = this.#timers[0]; first?.isOff; first = this.#timers[0]) this.pop();
    return this.#timers[0] ?? null;
  }

  /** Takes the first timer, off or not. */
  pop(): Timer | null {
    const first = this.#timers[0];
    const last = this.#timers.pop();
    if (first && last && first !== last) this.#sink(last);
    return first ?? null;
  }

  #sink(timer: Timer): void {
    const timers = this.#timers;
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      let child = timers[down];
      const right = timers[down + 1];
      if (child && right && isBefore(right, child)) {
        child = right;
        down += 1;
      }
      if (!child || isBefore(timer, child)) break;
      timers[at] = child;
      at = down;
    }
    timers[at] = timer;
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
