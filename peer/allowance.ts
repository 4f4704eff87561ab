import type { Clock } from './clock.ts';

/** How often something may be done: so many times at once, then once in `everyMs`; what is not used is saved up to that first number again. */
export class Allowance {
  readonly #clock: Clock;
  readonly #atOnce: number;
  readonly #everyMs: number;
  #left: number;
  #countedMs: number;

  constructor(clock: Clock, atOnce: number, everyMs: number) {
    this.#clock = clock;
    this.#atOnce = atOnce;
    this.#everyMs = everyMs;
    this.#left = atOnce;
    this.#countedMs = clock.nowMs();
  }

  /** Whether it may be done now, `count` times at once; it counts if so. */
  canTake(count = 1): boolean {
    this.#count();
    if (this.#left < count) return false;
    this.#left -= count;
    return true;
  }

  /** Milliseconds until it may be done again; 0 for now. */
  waitMs(): number {
    this.#count();
    return this.#left >= 1 ? 0 : Math.ceil((1 - this.#left) * this.#everyMs);
  }

  #count(): void {
    const nowMs = this.#clock.nowMs();
    this.#left = Math.min(this.#atOnce, this.#left + (nowMs - this.#countedMs) / this.#everyMs);
    this.#countedMs = nowMs;
  }
}
