import type { Clock } from '../clock.ts';
import { Change } from './change.ts';
import type { SealedSegment } from './seal-segment.ts';

/** The init segment and one that plays: from then on viewers see something. */
export const FIRST_SEGMENTS = 2;

/** Milliseconds of film that follow at once: what the first viewer plays while the rest waits, and some more. */
const FILM_MS = 6_000;

export interface HeadStartParts {
  clock: Clock;
  /** How long all else waits once the first segments are stored; 0: not at all. */
  waitMs: number;
  /** The first segments are stored. Called once. */
  onFirst(): void;
  /** Ends every wait. */
  signal: AbortSignal;
}

/**
 * What comes first in a new upload: what a first picture needs has line and processor for itself, then a little more film follows. All
 * else waits a moment, for who opens the link at once often does it on the host's own machine, where a page that starts and an
 * upload at full speed would fight for the processor. A line that carries no more film than that in the meantime loses nothing.
 */
export class HeadStart {
  readonly #parts: HeadStartParts;
  readonly #change: Change;
  /** Of the first segments, those that are not stored yet. */
  readonly #needed = new Set<number>();
  #madeCount = 0;
  #state: 'first' | 'more' | 'over' = 'first';
  #cancel: () => void = () => undefined;

  constructor(parts: HeadStartParts) {
    this.#parts = parts;
    this.#change = new Change(parts.signal);
    parts.signal.addEventListener('abort', () => this.#cancel(), { once: true });
  }

  /** To be told of each segment that is made, and of each that is stored: it must have been made. */
  made({ number, extra }: SealedSegment): void {
    if (extra || this.#madeCount === FIRST_SEGMENTS) return;
    this.#needed.add(number);
    this.#madeCount += 1;
  }

  stored({ number }: SealedSegment): void {
    const isLast = this.#needed.delete(number) && this.#needed.size === 0;
    if (!isLast || this.#madeCount < FIRST_SEGMENTS) return;
    if (this.#state === 'first') this.#begin();
    this.#parts.onFirst();
  }

  /** Nothing waits any more: the whole film is made, or it is no new upload. */
  end(): void {
    this.#cancel();
    this.#state = 'over';
    this.#change.tell();
  }

  /** Resolves when the film from `startMs` on may be made. Rejects with the signal's reason. */
  async untilFilm(startMs: number): Promise<void> {
    await this.#change.until(() => {
      if (this.#state === 'first') return this.#madeCount < FIRST_SEGMENTS;
      return this.#state === 'over' || startMs < FILM_MS;
    });
  }

  /** Resolves when all that is not the film may be made. Rejects with the signal's reason. */
  async untilOver(): Promise<void> {
    await this.#change.until(() => this.#state === 'over');
  }

  #begin(): void {
    const { clock, waitMs } = this.#parts;
    this.#state = 'more';
    if (waitMs > 0) this.#cancel = clock.after(waitMs, () => this.end());
    else this.end();
    this.#change.tell();
  }
}
