import type { Clock } from '../clock.ts';

/** How much may be sent at once after a pause, in time, where nothing else is said; and always one piece. */
const BURST_MS = 250;

interface Waiter {
  sizeBytes: number;
  resolve(): void;
}

/** A token bucket over everything a peer sends to others: first come, first served, so that every link gets its turn. */
export class SendBudget {
  readonly #clock: Clock;
  readonly #burstMs: number;
  #bytesPerSec: number | null;
  #tokensBytes = 0;
  #filledAtMs: number;
  #waiters: Waiter[] = [];
  #cancelTimer: (() => void) | null = null;

  /** `bytesPerSec` null: without limit. @param burstMs how long a pause is made up for. */
  constructor(clock: Clock, bytesPerSec: number | null, burstMs = BURST_MS) {
    this.#clock = clock;
    this.#burstMs = burstMs;
    this.#bytesPerSec = bytesPerSec;
    this.#filledAtMs = clock.nowMs();
  }

  get bytesPerSec(): number | null {
    return this.#bytesPerSec;
  }

  /** Changes the limit; those who wait are reckoned anew. */
  setLimit(bytesPerSec: number | null): void {
    this.#refill();
    this.#bytesPerSec = bytesPerSec;
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    this.#serve();
  }

  /** Resolves when `sizeBytes` may be sent. Never where the limit is 0, until it is changed or closed. */
  take(sizeBytes: number): Promise<void> {
    if (this.#bytesPerSec === null) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiters.push({ sizeBytes, resolve });
      if (!this.#cancelTimer) this.#serve();
    });
  }

  /** Counts bytes that somebody else has sent over the same line: those who wait here do so longer. */
  spent(sizeBytes: number): void {
    if (this.#bytesPerSec === null) return;
    this.#refill();
    this.#tokensBytes -= sizeBytes;
  }

  /** Lets everybody through: for the end, when links are closed and nobody sends any more. */
  close(): void {
    this.setLimit(null);
  }

  #serve(): void {
    this.#cancelTimer = null;
    this.#refill();
    for (let next = this.#waiters[0]; next; next = this.#waiters[0]) {
      // Going into debt for the last one is what lets a piece larger than the burst through.
      if (this.#bytesPerSec !== null && this.#tokensBytes <= 0) {
        this.#wakeLater(this.#bytesPerSec);
        return;
      }
      this.#tokensBytes -= next.sizeBytes;
      this.#waiters.shift();
      next.resolve();
    }
  }

  #wakeLater(bytesPerSec: number): void {
    if (bytesPerSec <= 0) return;
    const delayMs = Math.max(1, ((1 - this.#tokensBytes) / bytesPerSec) * 1000);
    this.#cancelTimer = this.#clock.after(delayMs, () => this.#serve());
  }

  #refill(): void {
    const nowMs = this.#clock.nowMs();
    const limit = this.#bytesPerSec ?? 0;
    const earned = ((nowMs - this.#filledAtMs) / 1000) * limit;
    this.#tokensBytes = Math.min(this.#tokensBytes + earned, (limit * this.#burstMs) / 1000);
    this.#filledAtMs = nowMs;
  }
}
