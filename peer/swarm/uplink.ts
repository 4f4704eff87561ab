import type { Clock } from '../clock.ts';
import type { Link } from '../wire/link.ts';

/**
 * Before anything was measured: a small home uplink, 1.2 Mbit/s. Too little is found out within a second; too much is a queue
 * of half a second just when everybody waits for the first pieces.
 */
const FIRST_GUESS_BYTES_PER_SEC = 150_000;

/**
 * A piece is handed to the line once no more than so much waits in it, by our reckoning: little, so that the order of serving is
 * decided late and requests and acknowledgements do not wait long behind it; enough that the line is never idle for our errors.
 */
const COVER_MS = 60;

/** And at most so much to one peer: it waits in memory here, and more than 16 MiB breaks Chromium's channels. */
const MAX_AWAY_BYTES = 8 * 1024 * 1024;

/** A sample of the rate covers so much time: what is reckoned for one piece is off by as much as a piece takes. */
const LONG_SAMPLE_MS = 1_000;
const SAMPLE_MS = 100;
const SAMPLE_PIECES = 6;
const SAMPLE_WEIGHT = 0.3;
const HIGHER_SAMPLE_WEIGHT = 0.5;

/** A line that ran empty is tried with so many times what it carried. */
const PROBE = 1.1;

/** How much of what an acknowledgement shows is believed at once. */
const CORRECTION = 0.25;

/** A piece that waited less than this found the line empty. */
const EMPTY_MS = 5;

/** The shortest way seen is forgotten so slowly, should the way have become longer or a clock be slow: as much for each millisecond. */
const FORGET = 1e-4;

/** Sizes of pieces whose ways are remembered for a peer: a film has two, and a shorter one at the end of each segment. */
const MAX_SIZES = 8;

/** A peer that has not acknowledged a piece for this long gets no other, and does not hold up the rest. */
const SLOW_MS = 800;

interface Sent {
  sizeBytes: number;
  atMs: number;
  /** All that the line had been handed by then, over all links, this piece included. */
  handedBytes: number;
}

/** Pieces on their way to one peer, oldest first. */
interface Pipe {
  sent: Sent[];
  ackedCount: number;
  awayBytes: number;
  /** The shortest way of a piece of each size, from our clock to the peer's: means something only beside another one. */
  ways: Map<number, { leastMs: number; atMs: number }>;
}

/**
 * The line out of this machine, shared by all links: says when another piece may be sent. What a transport or a modem holds
 * can neither be reordered nor taken back, and none of them tells how much it holds (a transport's own count leaves out what
 * it has passed down). So peers acknowledge pieces, and say when each came: what a piece took longer than the quickest of its
 * size it spent waiting in our line, however late the acknowledgement is (LEDBAT, RFC 6817). From that, the rate at which
 * acknowledgements come (as BBR, Cardwell et al., 2016), and what was handed over since, follows when the line will be empty.
 */
export class Uplink {
  readonly #clock: Clock;
  readonly #pipes = new Map<Link, Pipe>();
  #waiters: (() => void)[] = [];
  #cancelCheck: (() => void) | null = null;
  #bytesPerSec = FIRST_GUESS_BYTES_PER_SEC;
  /** What left the line since a moment. */
  #sample = { startMs: Number.NEGATIVE_INFINITY, handedBytes: 0, pieces: 0, intoEmpty: 0 };
  /** When all that was handed to the line will have left it, by our reckoning. */
  #emptyAtMs = 0;
  #handedBytes = 0;

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
    const pipe = this.#pipes.get(link) ?? newPipe();
    const atMs = this.#clock.nowMs();
    this.#pipes.set(link, pipe);
    this.#handedBytes += sizeBytes;
    this.#emptyAtMs = Math.max(atMs, this.#emptyAtMs) + this.#carryMs(sizeBytes);
    pipe.awayBytes += sizeBytes;
    pipe.sent.push({ sizeBytes, atMs, handedBytes: this.#handedBytes });
  }

  /** The peer says how many pieces it has received on this link in all, and when the last one came, by its own clock. False where it was never sent so many. */
  acknowledged(link: Link, count: number, theirMs: number): boolean {
    const pipe = this.#pipes.get(link);
    const news = pipe?.sent.splice(0, count - pipe.ackedCount) ?? [];
    if (!pipe || pipe.ackedCount + news.length !== count) return false;
    pipe.ackedCount = count;
    for (const { sizeBytes } of news) pipe.awayBytes -= sizeBytes;
    const last = news.at(-1);
    if (last) this.#reckon(pipe, last, theirMs);
    this.#wake();
    return true;
  }

  /** Lets everybody through: for the end, when links are closed. */
  close(): void {
    this.#pipes.clear();
    this.#wake();
  }

  #carryMs(sizeBytes: number): number {
    return (sizeBytes * 1000) / this.#bytesPerSec;
  }

  /** What one piece shows: when it had left the line, and so when what was handed over after it will have. */
  #reckon(pipe: Pipe, { sizeBytes, atMs, handedBytes }: Sent, theirMs: number): void {
    const waitedMs = noteWay(pipe, sizeBytes, theirMs - atMs, atMs);
    if (waitedMs === null) return;
    this.#measure(atMs + waitedMs, handedBytes - sizeBytes, waitedMs < EMPTY_MS);
    const laterMs =
      atMs + waitedMs + this.#carryMs(sizeBytes + this.#handedBytes - handedBytes) - this.#emptyAtMs;
    // Whatever disturbs a piece on its way makes it late, never early.
    this.#emptyAtMs += laterMs > 0 ? laterMs * CORRECTION : laterMs;
  }

  #hasRoom(): boolean {
    const nowMs = this.#clock.nowMs();
    let awayBytes = 0;
    for (const pipe of this.#pipes.values()) if (!isSlow(pipe, nowMs)) awayBytes += pipe.awayBytes;
    // What nobody will acknowledge must not stand for a full line.
    if (awayBytes === 0) this.#emptyAtMs = Math.min(this.#emptyAtMs, nowMs);
    return this.#roomInMs(nowMs) <= 0;
  }

  #roomInMs(nowMs: number): number {
    return this.#emptyAtMs - COVER_MS - nowMs;
  }

  /**
   * A piece left at this moment, after so many bytes; `foundEmpty`: the line had nothing to do. A line that ran empty meanwhile
   * could have carried more: such a sample can only raise the estimate.
   */
  #measure(leftMs: number, handedBytes: number, foundEmpty: boolean): void {
    const sample = this.#sample;
    const sizeBytes = handedBytes - sample.handedBytes;
    const spentMs = leftMs - sample.startMs;
    if (sizeBytes <= 0) return;
    sample.pieces += 1;
    if (foundEmpty) sample.intoEmpty += 1;
    // Far too little is handed to a line that every piece found empty: that is seen sooner.
    const isFarOff = sample.intoEmpty === sample.pieces && sample.pieces >= SAMPLE_PIECES;
    if (spentMs < (isFarOff ? SAMPLE_MS : LONG_SAMPLE_MS)) return;
    const rate = (sizeBytes * 1000) / spentMs;
    const weight = rate > this.#bytesPerSec ? HIGHER_SAMPLE_WEIGHT : SAMPLE_WEIGHT;
    if (sample.intoEmpty === 0) this.#bytesPerSec += (rate - this.#bytesPerSec) * weight;
    else this.#bytesPerSec = Math.max(this.#bytesPerSec, rate * PROBE);
    this.#sample = { startMs: leftMs, handedBytes, pieces: 0, intoEmpty: 0 };
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

  /** When the line should have room; and if it has none then, for nobody may acknowledge anything any more. */
  #checkLater(): void {
    if (this.#cancelCheck) return;
    const roomInMs = this.#roomInMs(this.#clock.nowMs());
    const waitMs = roomInMs > 0 ? Math.min(roomInMs, SLOW_MS / 2) : SLOW_MS / 2;
    this.#cancelCheck = this.#clock.after(waitMs, () => {
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

/** How much longer than the shortest way a piece of this size took; null where it is the first. */
function noteWay({ ways }: Pipe, sizeBytes: number, wayMs: number, atMs: number): number | null {
  const known = ways.get(sizeBytes);
  const leastMs = known && known.leastMs + (atMs - known.atMs) * FORGET;
  ways.delete(sizeBytes);
  ways.set(sizeBytes, { leastMs: Math.min(wayMs, leastMs ?? wayMs), atMs });
  const [oldest] = ways.keys();
  if (ways.size > MAX_SIZES && oldest !== undefined) ways.delete(oldest);
  return leastMs === undefined ? null : Math.max(0, wayMs - leastMs);
}

function newPipe(): Pipe {
  return { sent: [], ackedCount: 0, awayBytes: 0, ways: new Map() };
}
