import type { Clock } from '../../peer/clock.ts';

const SAMPLE_EVERY_MS = 15_000;

/** Six hours of samples. */
const MAX_SAMPLES = 1440;

/** Figures at one moment, by name. */
export interface Sample {
  /** Milliseconds since 1970. */
  atMs: number;
  figures: Record<string, number>;
}

/** Figures of the last six hours, in memory, for the status page; whoever wants more keeps /metrics. */
export class History {
  readonly #clock: Clock;
  readonly #read: () => Promise<Record<string, number>>;
  readonly #samples: Sample[] = [];
  #cancel: () => void = () => {};
  #isClosed = false;

  constructor(clock: Clock, read: () => Promise<Record<string, number>>) {
    this.#clock = clock;
    this.#read = read;
  }

  /** Samples from now on, until it is closed. */
  start(): void {
    void this.#sample();
  }

  /** Oldest first. */
  get samples(): readonly Sample[] {
    return this.#samples;
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel();
  }

  async #sample(): Promise<void> {
    try {
      const figures = await this.#read();
      this.#samples.push({ atMs: this.#clock.wallMs(), figures });
      if (this.#samples.length > MAX_SAMPLES) this.#samples.shift();
    } catch {
      // A folder that cannot be read at the moment leaves a gap in the curves.
    }
    if (!this.#isClosed) this.#cancel = this.#clock.after(SAMPLE_EVERY_MS, () => void this.#sample());
  }
}
