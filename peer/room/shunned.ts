import type { Clock } from '../clock.ts';

/** How long one that could not be reached is left alone: four times as long with each failure in a row. */
const FIRST_FAILURE_MS = 10_000;

/** How long one that had no place for us is: twice as long with each refusal. */
const FIRST_REFUSAL_MS = 60_000;

/** The longest that anybody is left alone for failures or refusals. */
export const LONGEST_MS = 600_000;

/** Members remembered at most; the oldest are forgotten first. */
const MAX_SHUNNED = 48;

interface Entry {
  failures: number;
  refusals: number;
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
    this.#set(id, this.#entry(id), forMs);
  }

  /** It could not be reached. */
  failed(id: string): void {
    const entry = this.#entry(id);
    const forMs = Math.min(LONGEST_MS, FIRST_FAILURE_MS * 4 ** entry.failures);
    this.#set(id, { ...entry, failures: entry.failures + 1 }, forMs);
  }

  /** It had no place for us, and said not to ask again before `retryInMs`. */
  refused(id: string, retryInMs: number): void {
    const entry = this.#entry(id);
    const forMs = Math.min(LONGEST_MS, FIRST_REFUSAL_MS * 2 ** entry.refusals);
    this.#set(id, { ...entry, refusals: entry.refusals + 1 }, Math.max(forMs, retryInMs));
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

  #entry(id: string): Entry {
    return this.#entries.get(id) ?? { failures: 0, refusals: 0, untilMs: 0 };
  }

  #set(id: string, entry: Entry, forMs: number): void {
    this.#entries.delete(id);
    this.#entries.set(id, { ...entry, untilMs: this.#clock.nowMs() + forMs });
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > MAX_SHUNNED && oldest !== undefined) this.#entries.delete(oldest);
  }
}
