/** What should be at hand before playing starts, or goes on after it had to wait. */
const ENOUGH_MS = 1_000;

/** The same for one that has no connection to the origin: nobody can help it out when its neighbours are late. */
const ENOUGH_WITHOUT_ORIGIN_MS = 3_000;

/** This is enough where it grows so many times as fast as it will be played. */
const ENOUGH_WHEN_FAST_MS = 800;
const FAST = 2.5;

/** A growth over less time says nothing. */
const MIN_WATCHED_MS = 100;

/** What is known when playing could start. */
export interface AtStart {
  nowMs: number;
  /** What is at hand after the playhead. */
  aheadMs: number;
  /** Nothing more will come. */
  isAll: boolean;
  /** Whether the origin, or the server by plain HTTP, can be asked. */
  hasOrigin: boolean;
}

/**
 * When to start: at once where the film comes quickly; else a second's worth later, for in a crowd that has just come the
 * next pieces come unevenly, and a picture that stops again is worse than one that comes a moment later.
 */
export class StartGate {
  #first: { atMs: number; aheadMs: number } | null = null;

  /** Whether to start now, with so much at hand. Ask whenever something came. */
  isOpen({ nowMs, aheadMs, isAll, hasOrigin }: AtStart): boolean {
    if (aheadMs <= 0) return false;
    this.#first ??= { atMs: nowMs, aheadMs };
    if (isAll || aheadMs >= (hasOrigin ? ENOUGH_MS : ENOUGH_WITHOUT_ORIGIN_MS)) return true;
    if (!hasOrigin) return false;
    const watchedMs = nowMs - this.#first.atMs;
    if (aheadMs < ENOUGH_WHEN_FAST_MS || watchedMs < MIN_WATCHED_MS) return false;
    return (aheadMs - this.#first.aheadMs) / watchedMs >= FAST;
  }
}
