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

/** A bucket for each key; of keys beyond `maxKeys` the one used longest ago is forgotten, and starts with a full one. */
export class Rates {
  readonly #burst: number;
  readonly #perSec: number;
  readonly #maxKeys: number;
  /** The one used last is the last. */
  readonly #rates = new Map<string, Rate>();

  constructor(burst: number, perSec: number, maxKeys: number) {
    this.#burst = burst;
    this.#perSec = perSec;
    this.#maxKeys = maxKeys;
  }

  /** Buckets remembered. */
  get size(): number {
    return this.#rates.size;
  }

  /** As Rate.canTake, for this key. */
  canTake(key: string, nowMs: number): boolean {
    const rate = this.#rates.get(key) ?? new Rate(this.#burst, this.#perSec, nowMs);
    this.#rates.delete(key);
    this.#rates.set(key, rate);
    const [oldest = key] = this.#rates.keys();
    if (this.#rates.size > this.#maxKeys) this.#rates.delete(oldest);
    return rate.canTake(nowMs);
  }
}
