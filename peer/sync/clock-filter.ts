/** Parts in which a clock may run fast or slow: RFC 5905 takes 15 millionths (PHI), cheap ones in phones and laptops are worse. */
export const CLOCK_TOLERANCE = 50e-6;

/** Samples kept of one peer: as in RFC 5905, section 10. */
const MAX_SAMPLES = 8;

/** Part of a reading by which nobody counts as surer than whom it was learnt from. */
const READING_ERROR_MS = 1;

/** What a peer knows of the room's time: add `offsetMs` to one's own monotonic clock; wrong by `errorMs` at most, when it was learnt. */
export interface Estimate {
  offsetMs: number;
  errorMs: number;
}

/** One question and its answer. */
export interface Exchange {
  /** When it was asked and when answered, by our own monotonic clock. */
  askedMs: number;
  heardMs: number;
  /** Room time at the moment of answering, and how wrong the peer thinks that may be. */
  roomMs: number;
  errorMs: number;
}

interface Sample extends Estimate {
  heardMs: number;
}

/**
 * What the last few exchanges with one peer say of the room's time. The answer was somewhere between question and reply, so
 * half the round trip is the most that can be wrong with the middle; the exchange that took least says most, and waiting
 * in queues only ever adds (the clock filter of RFC 5905, section 10).
 */
export class ClockFilter {
  #samples: Sample[] = [];

  /** An answer came. */
  add({ askedMs, heardMs, roomMs, errorMs }: Exchange): void {
    const offsetMs = roomMs - (askedMs + heardMs) / 2;
    const ownErrorMs = (heardMs - askedMs) / 2 + READING_ERROR_MS;
    this.#samples = [...this.#samples, { offsetMs, errorMs: errorMs + ownErrorMs, heardMs }].slice(
      -MAX_SAMPLES,
    );
  }

  /** The best of them as it stands at `nowMs`; null before the first. */
  best(nowMs: number): Estimate | null {
    let best: Estimate | null = null;
    for (const { offsetMs, errorMs, heardMs } of this.#samples) {
      const agedMs = errorMs + (nowMs - heardMs) * CLOCK_TOLERANCE;
      if (!best || agedMs < best.errorMs) best = { offsetMs, errorMs: agedMs };
    }
    return best;
  }

  /** Forgets all: our own clock stood still meanwhile. */
  clear(): void {
    this.#samples = [];
  }
}
