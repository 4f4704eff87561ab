/** A bucket of tokens: lets `burst` events through at once and `perSec` a second in the long run. */
export class Rate {
  readonly #burst: number;
  readonly #perSec: number;
  #tokens: number;
  #atMs: number;

  constructor(burst: number, perSec: number, nowMs: number) {
    this.#burst = burst;
    this.#perSec = perSec;
    this.#tokens = burst;
    this.#atMs = nowMs;
  }

  /** Whether one more event may happen at `nowMs`, milliseconds of a clock that never goes backwards; it counts if so. */
  canTake(nowMs: number): boolean {
    const gained = ((nowMs - this.#atMs) / 1000) * this.#perSec;
    this.#tokens = Math.min(this.#burst, this.#tokens + gained);
    this.#atMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
