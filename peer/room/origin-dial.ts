import type { Allowance } from '../allowance.ts';
import type { Clock } from '../clock.ts';

/** First wait before dialling again, doubled each time up to the last. */
const FIRST_BACKOFF_MS = 500;
const LAST_BACKOFF_MS = 10_000;

/** An origin that reappeared is dialled by everybody: not all in the same moment. */
const COMEBACK_MS = 1_000;

/** Who was closed to make room for others asks again after this long, and up to twice as long. */
const TURN_BREAK_MS = 30_000;

/** The code in the origin's goodbye to one whose turn is over. */
export const MAKE_ROOM = 'MAKE_ROOM';

export interface OriginDialParts {
  clock: Clock;
  /** Numbers from 0 (inclusive) to 1 (exclusive). */
  random(): number;
  budget: Allowance;
  isConnected(): boolean;
  dial(): void;
}

/** Dials the origin and decides when again: for as long as the room is open and an origin is there. */
export class OriginDial {
  readonly #parts: OriginDialParts;
  #tries = 0;
  #cancel: () => void = () => undefined;
  #isClosed = false;

  constructor(parts: OriginDialParts) {
    this.#parts = parts;
  }

  /** It is there: dials now. */
  isHere(): void {
    this.#tries = 0;
    this.#dialIn(0);
  }

  /** It came back: dials soon. */
  cameBack(): void {
    this.#tries = 0;
    this.#dialIn(this.#parts.random() * COMEBACK_MS);
  }

  /** Nobody is at its address: it will be announced. */
  gone(): void {
    this.#tries = 0;
    this.#cancel();
  }

  opened(): void {
    this.#tries = 0;
    this.#cancel();
  }

  /** It has no place for us now, and said when to try again. */
  busy(retryInMs: number): void {
    const waitMs = Math.max(FIRST_BACKOFF_MS, retryInMs);
    this.#dialIn(waitMs * (1 + 0.25 * this.#parts.random()));
  }

  /** The connection was lost, with this goodbye code, or could not be made. */
  lost(code: string): void {
    if (code === MAKE_ROOM) {
      this.#dialIn(TURN_BREAK_MS * (1 + this.#parts.random()));
      return;
    }
    const backoffMs = Math.min(LAST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** this.#tries);
    this.#tries += 1;
    this.#dialIn(backoffMs * (0.5 + this.#parts.random()));
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel();
  }

  #dialIn(waitMs: number): void {
    this.#cancel();
    if (this.#isClosed) return;
    this.#cancel = waitMs > 0 ? this.#parts.clock.after(waitMs, () => this.#dial()) : () => undefined;
    if (waitMs <= 0) this.#dial();
  }

  #dial(): void {
    const { budget, isConnected, dial } = this.#parts;
    if (isConnected()) return;
    if (budget.canTake()) dial();
    else this.#dialIn(budget.waitMs());
  }
}
