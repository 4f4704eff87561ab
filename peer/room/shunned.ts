import type { Clock } from '../clock.ts';

/** How long one that could not be reached is left alone: four times as long with each failure in a row, up to the last. */
const FIRST_FAILURE_MS = 10_000;
const LAST_FAILURE_MS = 600_000;

/** Members remembered at most; the oldest are forgotten first. */
const MAX_SHUNNED = 48;

interface Entry {
  failures: number;
  untilMs: number;
}

/** Members that are not to be dialled for a while. */
export class Shunned {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Leaves it alone for this long. */
  put(id: string, forMs: number): void {
    this.#set(id, { failures: this.#entries.get(id)?.failures ?? 0, untilMs: this.#clock.nowMs() + forMs });
  }

  /** It could not be reached. */
  failed(id: string): void {
    const failures = (this.#entries.get(id)?.failures ?? 0) + 1;
    const forMs = Math.min(LAST_FAILURE_MS, FIRST_FAILURE_MS * 4 ** (failures - 1));
    this.#set(id, { failures, untilMs: this.#clock.nowMs() + forMs });
  }

  forget(id: string): void {
    this.#entries.delete(id);
  }

  /** Whether it is to be left alone now. */
  has(id: string): boolean {
    return (this.#entries.get(id)?.untilMs ?? 0) > this.#clock.nowMs();
  }

  /** All that are to be left alone now. */
  ids(): string[] {
    return [...this.#entries.keys()].filter((id) => this.has(id));
  }

  /** Those whose time is over, longest remembered first. */
  ready(): string[] {
    return [...this.#entries.keys()].filter((id) => !this.has(id));
  }

  /** Milliseconds until the next one's time is over; Infinity where nobody is shunned. */
  waitMs(): number {
    const nowMs = this.#clock.nowMs();
    const waits = [...this.#entries.values()].map(({ untilMs }) => untilMs - nowMs).filter((ms) => ms > 0);
    return Math.min(Number.POSITIVE_INFINITY, ...waits);
  }

  #set(id: string, entry: Entry): void {
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > MAX_SHUNNED && oldest !== undefined) this.#entries.delete(oldest);
  }
}
