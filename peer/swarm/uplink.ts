import type { Clock } from '../clock.ts';
import type { Link } from '../wire/link.ts';

/** Before anything was measured: a common home uplink, 8 Mbit/s. */
const FIRST_GUESS_BYTES_PER_SEC = 1_000_000;

/**
 * Another piece is handed over when no more than this waits in the transports: so much time's worth of the measured rate, so
 * that the order of serving is decided late, and a little more than nothing, so that the line is never idle.
 */
const COVER_MS = 60;
const MIN_WAITING_BYTES = 16 * 1024;

/** A sample of the rate covers at least this time. */
const SAMPLE_MS = 100;
const SAMPLE_WEIGHT = 0.3;

/** A link from which nothing leaves for this long does not hold up the others. */
const STUCK_MS = 1_000;

interface Pipe {
  waitingBytes: number;
  progressMs: number;
  isWatched: boolean;
}

/**
 * The line out of this machine, shared by all links: says when another piece may be handed to a transport. What lies in
 * a transport can neither be reordered nor taken back, and all links share one line: on a slow one a quarter of a
 * megabyte in each would be seconds of delay for everyone.
 */
export class Uplink {
  readonly #clock: Clock;
  readonly #pipes = new Map<Link, Pipe>();
  #waiters: (() => void)[] = [];
  #cancelCheck: (() => void) | null = null;
  #bytesPerSec = FIRST_GUESS_BYTES_PER_SEC;
  #handedBytes = 0;
  #sample = { startMs: 0, drainedBytes: 0, wasIdle: true };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What the line was last seen to carry while it was busy. */
  get bytesPerSec(): number {
    return this.#bytesPerSec;
  }

  /** Links that share the line. */
  add(link: Link): void {
    if (!this.#pipes.has(link))
      this.#pipes.set(link, { waitingBytes: 0, progressMs: this.#clock.nowMs(), isWatched: false });
  }

  remove(link: Link): void {
    this.#pipes.delete(link);
    this.#wake();
  }

  /** Resolves when one more piece may be handed to some link; those who wait take turns. */
  async whenRoom(): Promise<void> {
    if (this.#waiters.length === 0 && this.#hasRoom()) return;
    await new Promise<void>((resolve) => {
      this.#waiters.push(resolve);
      this.#watch();
    });
  }

  /** So many bytes were handed to a link. */
  handed(sizeBytes: number): void {
    this.#handedBytes += sizeBytes;
  }

  /** Lets everybody through: for the end, when links are closed. */
  close(): void {
    this.#pipes.clear();
    this.#wake();
  }

  #hasRoom(): boolean {
    return this.#look() <= Math.max(MIN_WAITING_BYTES, (this.#bytesPerSec * COVER_MS) / 1000);
  }

  /** Bytes waiting in all links that move; notes how fast they leave. */
  #look(): number {
    const nowMs = this.#clock.nowMs();
    let movingBytes = 0;
    let allBytes = 0;
    for (const [link, pipe] of this.#pipes) {
      const { waitingBytes } = link;
      if (waitingBytes !== pipe.waitingBytes || waitingBytes === 0) pipe.progressMs = nowMs;
      pipe.waitingBytes = waitingBytes;
      allBytes += waitingBytes;
      if (nowMs - pipe.progressMs < STUCK_MS) movingBytes += waitingBytes;
    }
    this.#measure(nowMs, allBytes);
    return movingBytes;
  }

  /** A line that ran empty meanwhile could have carried more: such a sample can only raise the estimate. */
  #measure(nowMs: number, waitingBytes: number): void {
    const { startMs, drainedBytes, wasIdle } = this.#sample;
    const isIdle = waitingBytes === 0;
    const spentMs = nowMs - startMs;
    if (spentMs < SAMPLE_MS) {
      this.#sample.wasIdle = wasIdle || isIdle;
      return;
    }
    const nowDrained = this.#handedBytes - waitingBytes;
    const rate = (Math.max(0, nowDrained - drainedBytes) * 1000) / spentMs;
    if (!wasIdle && !isIdle) this.#bytesPerSec += (rate - this.#bytesPerSec) * SAMPLE_WEIGHT;
    else if (rate > this.#bytesPerSec) this.#bytesPerSec = rate;
    this.#sample = { startMs: nowMs, drainedBytes: nowDrained, wasIdle: isIdle };
  }

  #watch(): void {
    for (const [link, pipe] of this.#pipes) {
      if (pipe.isWatched || link.waitingBytes === 0) continue;
      pipe.isWatched = true;
      void link.whenDrained(link.waitingBytes / 2).then(() => {
        pipe.isWatched = false;
        this.#wake();
      });
    }
    this.#cancelCheck ??= this.#clock.after(STUCK_MS / 2, () => {
      this.#cancelCheck = null;
      this.#wake();
    });
  }

  #wake(): void {
    if (this.#waiters.length > 0 && (this.#pipes.size === 0 || this.#hasRoom())) this.#waiters.shift()?.();
    if (this.#waiters.length > 0) this.#watch();
    else {
      this.#cancelCheck?.();
      this.#cancelCheck = null;
    }
  }
}
