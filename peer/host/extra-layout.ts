import type { Bytes } from '../bytes.ts';
import type { Clock } from '../clock.ts';
import { MAX_EXTRA_BYTES } from '../extras/extra.ts';
import { isExtra, type SegmentEntry } from '../manifest/page.ts';
import type { PackagedSegment } from './package.ts';

/** What goes with a film beside its pictures and sound: extras as they are encoded. */
export interface ExtraSource {
  /** Listed right after the init segment; the same ones each time the upload goes on. */
  first: readonly Bytes[];
  /**
   * Makes more of them while the film is packaged, which does not wait for them; left out: there are none. `listed` are
   * those it made at an earlier time, which are not to be made again. An error ends it, and nothing else.
   */
  make?(listed: readonly Bytes[], signal: AbortSignal): AsyncIterable<Bytes>;
}

/** A segment of the film, or an extra among them. */
export interface LaidOutSegment extends PackagedSegment {
  /** The extra; null where it is a segment of the film. */
  extra: Bytes | null;
}

export interface Layout {
  media: AsyncIterable<PackagedSegment>;
  extras: ExtraSource;
  /** What was signed before, by number: it is laid out the same way again. */
  signed: readonly SegmentEntry[];
  /** The extras among it that were not the first ones. */
  signedExtras: ReadonlyMap<number, Bytes>;
  clock: Clock;
  signal: AbortSignal;
}

/** How long extras may take when the film is packaged: what is not made by then is left out. */
const REST_MS = 60_000;

/**
 * The segments of a film with its extras between them, numbered anew: the first ones after the init segment, others where the film
 * was when they were made. Where something was signed before, all is at the place where it was then; an extra that is
 * missing for that is left out, which whoever compares will see.
 */
export async function* withExtras(layout: Layout): AsyncGenerator<LaidOutSegment, void, undefined> {
  const { media, extras, signed, signedExtras, clock, signal } = layout;
  const listed = [...signedExtras].filter(([at]) => at > extras.first.length).map(([, data]) => data);
  const made = new MadeExtras(extras, listed, signal);
  let number = 0;
  let endMs = 0;
  const extra = (data: Bytes): LaidOutSegment => {
    return { number: number++, startMs: endMs, durationMs: 0, parts: [data], extra: data };
  };
  function* dueExtras(): Generator<LaidOutSegment> {
    for (let entry = signed[number]; entry && isExtra(number, entry); entry = signed[number]) {
      const data = signedExtras.get(number);
      if (!data) return;
      yield extra(data);
    }
    if (number >= signed.length) for (const data of made.take()) yield extra(data);
  }
  try {
    for await (const segment of media) {
      yield { ...segment, number: number++, extra: null };
      endMs = segment.startMs + segment.durationMs;
      if (number === 1) for (const data of extras.first) yield extra(data);
      else yield* dueExtras();
    }
    if (number === 0) return;
    await made.untilAll(clock);
    yield* dueExtras();
  } finally {
    made.stop();
  }
}

/** Extras in the making. */
class MadeExtras {
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #onAbort = (): void => this.stop();
  readonly #all: Promise<void>;
  #ready: Bytes[] = [];

  constructor({ make }: ExtraSource, listed: readonly Bytes[], signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', this.#onAbort);
    // What goes with a film is never worth losing it for.
    this.#all = make
      ? this.#collect(make(listed, this.#stop.signal)).catch(() => undefined)
      : Promise.resolve();
  }

  /** What was made since the last time. */
  take(): Bytes[] {
    const ready = this.#ready;
    this.#ready = [];
    return ready;
  }

  /** Resolves when no more will come, or it takes too long. */
  async untilAll(clock: Clock): Promise<void> {
    let cancel = (): void => undefined;
    const isLate = new Promise<void>((resolve) => {
      cancel = clock.after(REST_MS, resolve);
    });
    const isStopped = new Promise<void>((resolve) => {
      this.#stop.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await Promise.race([this.#all, isLate, isStopped]);
    cancel();
  }

  stop(): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#stop.abort();
  }

  async #collect(making: AsyncIterable<Bytes>): Promise<void> {
    for await (const data of making) {
      if (this.#stop.signal.aborted) return;
      if (data.byteLength <= MAX_EXTRA_BYTES) this.#ready.push(data);
    }
  }
}
