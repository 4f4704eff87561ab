/** What should be at hand before playing starts, or goes on after it had to wait. */
const ENOUGH_MS = 1_000;

/** This is enough where it grows so many times as fast as it will be played. */
const ENOUGH_WHEN_FAST_MS = 400;
const FAST = 2.5;

/** A growth over less time says nothing. */
const MIN_WATCHED_MS = 100;

/**
 * When to start: at once where the film comes quickly; else a second's worth later, for in a crowd that has just come the
 * next pieces come unevenly, and a picture that stops again is worse than one that comes a moment later.
 */
export class StartGate {
  #first: { atMs: number; aheadMs: number } | null = null;

  /** Whether to start now, with so much at hand; `isAll`: nothing more will come. Ask whenever something came. */
  isOpen(nowMs: number, aheadMs: number, isAll: boolean): boolean {
    if (aheadMs <= 0) return false;
    this.#first ??= { atMs: nowMs, aheadMs };
    if (isAll || aheadMs >= ENOUGH_MS) return true;
    const watchedMs = nowMs - this.#first.atMs;
    if (aheadMs < ENOUGH_WHEN_FAST_MS || watchedMs < MIN_WATCHED_MS) return false;
    return (aheadMs - this.#first.aheadMs) / watchedMs >= FAST;
  }
}
