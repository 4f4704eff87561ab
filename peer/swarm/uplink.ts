import type { Clock } from '../clock.ts';
import type { Link } from '../wire/link.ts';

/**
 * Before anything was measured: a small home uplink, 2.4 Mbit/s. Too little leaves the line idle just when everybody waits for the first
 * pieces; too much is a queue, and is found out within a second.
 */
const FIRST_GUESS_BYTES_PER_SEC = 300_000;

/**
 * What may be on its way: one piece, which is acknowledged only when all of it is there, and so much time's worth of the measured
 * rate beyond a round trip, so that the order of serving is decided late; and a little more than nothing, so that the line is never
 * idle. Requests and acknowledgements wait behind it too: with 160 ms a crowd starts a second later (simulated), with 60 ms lines
 * stand idle; without the piece thin ones do for a fifth of the time.
 */
const COVER_MS = 100;
const MIN_AWAY_BYTES = 16 * 1024;

/** And at most so much to one peer: it waits in memory here, and more than 16 MiB breaks Chromium's channels. */
const MAX_AWAY_BYTES = 8 * 1024 * 1024;

/** Until a round trip was measured. */
const FIRST_ROUND_TRIP_MS = 50;

/** A sample of the rate covers at least this time. */
const SAMPLE_MS = 100;
const SAMPLE_WEIGHT = 0.3;
const HIGHER_SAMPLE_WEIGHT = 0.5;

/** A peer that has not acknowledged a piece for this long gets no other, and does not hold up the rest. */
const SLOW_MS = 800;

interface Sent {
  sizeBytes: number;
  atMs: number;
  /** What was to leave before it, and it, took so long at the measured rate: no part of the way. */
  queuedMs: number;
}

/** Pieces on their way to one peer, oldest first. */
interface Pipe {
  sent: Sent[];
  ackedCount: number;
  awayBytes: number;
  roundTripMs: number;
}

/**
 * The line out of this machine, shared by all links: says when another piece may be sent. What a transport or a modem holds
 * can neither be reordered nor taken back, and none of them tells how much it holds (a transport's own count leaves out what
 * it has passed down). So peers acknowledge pieces, and little more is on its way than the line carries in a round trip; the
 * idea is BBR's (Cardwell et al., 2016), for all links together.
 */
export class Uplink {
  readonly #clock: Clock;
  readonly #pipes = new Map<Link, Pipe>();
  #waiters: (() => void)[] = [];
  #cancelCheck: (() => void) | null = null;
  #bytesPerSec = FIRST_GUESS_BYTES_PER_SEC;
  /** What the last piece had. */
  #pieceBytes = 0;
  #sample = { startMs: 0, ackedBytes: 0, wasIdle: true };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What the line was last seen to carry while it was busy. */
  get bytesPerSec(): number {
    return this.#bytesPerSec;
  }

  remove(link: Link): void {
    this.#pipes.delete(link);
    this.#wake();
  }

  /** Resolves when one more piece may be sent to somebody; those who wait take turns. */
  async whenRoom(): Promise<void> {
    if (this.#waiters.length === 0 && this.#hasRoom()) return;
    await new Promise<void>((resolve) => {
      this.#waiters.push(resolve);
      this.#checkLater();
    });
  }

  /** Whether this peer may be sent another piece. */
  hasRoomFor(link: Link): boolean {
    const pipe = this.#pipes.get(link);
    return !pipe || (pipe.awayBytes < MAX_AWAY_BYTES && !isSlow(pipe, this.#clock.nowMs()));
  }

  /** A piece was sent. */
  sent(link: Link, sizeBytes: number): void {
    const pipe = this.#pipes.get(link) ?? {
      sent: [],
      ackedCount: 0,
      awayBytes: 0,
      roundTripMs: FIRST_ROUND_TRIP_MS,
    };
    this.#pipes.set(link, pipe);
    pipe.awayBytes += sizeBytes;
    this.#pieceBytes = sizeBytes;
    const queuedMs = (this.#awayBytes() * 1000) / this.#bytesPerSec;
    pipe.sent.push({ sizeBytes, atMs: this.#clock.nowMs(), queuedMs });
  }

  /** The peer says how many pieces it has received on this link in all. False where it was never sent so many. */
  acknowledged(link: Link, count: number): boolean {
    const pipe = this.#pipes.get(link);
    const news = pipe?.sent.splice(0, count - pipe.ackedCount) ?? [];
    if (!pipe || pipe.ackedCount + news.length !== count) return false;
    pipe.ackedCount = count;
    for (const { sizeBytes } of news) {
      pipe.awayBytes -= sizeBytes;
      this.#sample.ackedBytes += sizeBytes;
    }
    const last = news.at(-1);
    if (last) noteRoundTrip(pipe, this.#clock.nowMs() - last.atMs, last.queuedMs);
    this.#wake();
    return true;
  }

  /** Lets everybody through: for the end, when links are closed. */
  close(): void {
    this.#pipes.clear();
    this.#wake();
  }

  #awayBytes(): number {
    let sum = 0;
    for (const { awayBytes } of this.#pipes.values()) sum += awayBytes;
    return sum;
  }

  #hasRoom(): boolean {
    const nowMs = this.#clock.nowMs();
    let awayBytes = 0;
    let roundTripMs = 0;
    for (const pipe of this.#pipes.values()) {
      if (isSlow(pipe, nowMs)) continue;
      awayBytes += pipe.awayBytes;
      if (pipe.awayBytes > 0) roundTripMs = Math.max(roundTripMs, pipe.roundTripMs);
    }
    this.#measure(nowMs, awayBytes === 0);
    const coverBytes = (this.#bytesPerSec * (roundTripMs + COVER_MS)) / 1000;
    return awayBytes <= Math.max(MIN_AWAY_BYTES, this.#pieceBytes + coverBytes);
  }

  /** A line that ran empty meanwhile could have carried more: such a sample can only raise the estimate. */
  #measure(nowMs: number, isIdle: boolean): void {
    const sample = this.#sample;
    sample.wasIdle ||= isIdle;
    const spentMs = nowMs - sample.startMs;
    if (spentMs < SAMPLE_MS) return;
    const rate = (sample.ackedBytes * 1000) / spentMs;
    const weight = rate > this.#bytesPerSec ? HIGHER_SAMPLE_WEIGHT : SAMPLE_WEIGHT;
    if (!sample.wasIdle) this.#bytesPerSec += (rate - this.#bytesPerSec) * weight;
    else if (rate > this.#bytesPerSec) this.#bytesPerSec = rate;
    this.#sample = { startMs: nowMs, ackedBytes: 0, wasIdle: isIdle };
  }

  #wake(): void {
    while (this.#waiters.length > 0 && this.#hasRoom()) {
      this.#waiters.shift()?.();
      // One at a time: what it sends counts before the next is let through.
      if (this.#pipes.size > 0) break;
    }
    if (this.#waiters.length > 0) this.#checkLater();
    else this.#stopChecking();
  }

  /** Nobody may acknowledge anything any more. */
  #checkLater(): void {
    this.#cancelCheck ??= this.#clock.after(SLOW_MS / 2, () => {
      this.#cancelCheck = null;
      this.#wake();
    });
  }

  #stopChecking(): void {
    this.#cancelCheck?.();
    this.#cancelCheck = null;
  }
}

function isSlow({ sent }: Pipe, nowMs: number): boolean {
  const [oldest] = sent;
  return oldest !== undefined && nowMs - oldest.atMs > SLOW_MS;
}

/**
 * The shortest counts, for longer ones have waited in a queue. It grows slowly, should the way have become longer, and only by
 * what our own queue does not explain: else the queue would be taken for the way, and be made longer for it, without end.
 */
function noteRoundTrip(pipe: Pipe, sampleMs: number, queuedMs: number): void {
  const longerMs = Math.max(0, sampleMs - queuedMs - pipe.roundTripMs);
  pipe.roundTripMs = Math.min(sampleMs, pipe.roundTripMs + longerMs * 0.01);
}
