import type { Clock } from '../../peer/clock.ts';

interface Timer {
  atMs: number;
  order: number;
  run(): void;
}

/** Time that passes only when told to. Timers that are due at the same moment run in the order they were set. */
export class VirtualClock implements Clock {
  #nowMs = 0;
  #order = 0;
  readonly #timers = new Set<Timer>();

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return Date.UTC(2026, 0, 1) + this.#nowMs;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Timers that are set. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Lets time pass until `isDone`, at most `forMs`; after each timer all promises settle first. Returns whether it was done. */
  async runUntil(isDone: () => boolean, forMs: number): Promise<boolean> {
    const endMs = this.#nowMs + forMs;
    await settle();
    while (!isDone()) {
      const next = this.#next();
      if (!next || next.atMs > endMs) {
        this.#nowMs = endMs;
        return isDone();
      }
      this.#timers.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.run();
      await settle();
    }
    return true;
  }

  /** Lets this much time pass. */
  async run(forMs: number): Promise<void> {
    await this.runUntil(() => false, forMs);
  }

  #next(): Timer | null {
    let first: Timer | null = null;
    for (const timer of this.#timers) {
      if (!first || timer.atMs < first.atMs || (timer.atMs === first.atMs && timer.order < first.order))
        first = timer;
    }
    return first;
  }
}

/** Everything that promises had still to do is done: a macrotask begins only when no microtask is left. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
