import type { Bytes } from '../bytes.ts';
import type { Clock } from '../clock.ts';
import { pieceBytes, pieceCount, pieceStart } from '../manifest/geometry.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { pieceKey } from './piece-key.ts';
import type { Wanted } from './wanted.ts';

/** Fetches ciphertext past the swarm, by plain HTTP: handed in by whoever knows the server. */
export interface PlainFetcher {
  /**
   * The bytes of a video's segment from `firstByte` to `lastByte`, both included.
   * Rejects where they cannot be had now; `signal` ends it.
   */
  fetch(
    video: Bytes,
    segment: number,
    firstByte: number,
    lastByte: number,
    signal: AbortSignal,
  ): Promise<Bytes>;
}

/** What is needed sooner than this is near: it may be fetched beside data channels once it has been near for PATIENCE_MS. */
const NEAR_MS = 4_000;
const PATIENCE_MS = 3_000;

/**
 * In a crowd it may only where nothing at all has come for so long. What is late there waits for the server's line, which all
 * share: fetched by HTTP it comes to each of them once, and takes the line from pieces that would have gone to all.
 */
const SILENCE_MS = 4_000;

/** Bytes of one request beside data channels at most: it takes the line from them. */
const MAX_FETCH_BESIDE_BYTES = 64 * 1024;

/** How far ahead is fetched where there is no other way: a seek throws away no more. */
const AHEAD_MS = 20_000;

/** Bytes of one request at most, and requests at once: enough to hide a round trip, little enough to be spoilt by a seek. */
const MAX_FETCH_BYTES = 512 * 1024;
const MAX_FETCHES = 2;

/** The wait after a failure, doubling from the first to the last. */
const FIRST_PAUSE_MS = 500;
const LAST_PAUSE_MS = 4_000;

/** How long a fetch may take: 512 KiB at 0.3 Mbit/s. */
const FETCH_WITHIN_MS = 15_000;

/** Pieces of one segment that follow each other. */
interface Run {
  segment: number;
  firstPiece: number;
  lastPiece: number;
}

/** Who else can be asked: nobody, the origin alone, or viewers too. */
export type Others = 'nobody' | 'origin' | 'viewers';

export interface PlainFetchingParts {
  clock: Clock;
  manifest: Manifest;
  fetcher: PlainFetcher;
  /** A piece came: it is not verified yet. Resolves with whether it was right. */
  onPiece(segment: number, piece: number, data: Bytes): Promise<boolean>;
  /** Something was fetched, or failed: more may be asked for. */
  onSettled(): void;
}

/**
 * Plain HTTP as a source of pieces: for all there is to fetch where no peer can be asked, and beside peers for what is
 * still missing shortly before it is needed. Owns what is being fetched that way, and since when pieces are near.
 */
export class PlainFetching {
  /** Of right pieces, since the start. */
  receivedBytes = 0;
  readonly #parts: PlainFetchingParts;
  readonly #fetching = new Set<number>();
  readonly #aborts = new Set<AbortController>();
  /** When each near piece was first seen to be near and missing. */
  #nearSinceMs = new Map<number, number>();
  #heardMs: number;
  #failures = 0;
  #pausedUntilMs = Number.NEGATIVE_INFINITY;

  constructor(parts: PlainFetchingParts) {
    this.#parts = parts;
    this.#heardMs = parts.clock.nowMs();
  }

  /** A piece came from a peer. */
  heard(): void {
    this.#heardMs = this.#parts.clock.nowMs();
  }

  /** Fetches what it should of what is wanted (in the order it is needed). */
  run(wanted: readonly Wanted[], others: Others): void {
    const nowMs = this.#parts.clock.nowMs();
    const late = this.#noteNear(wanted, nowMs);
    if (nowMs < this.#pausedUntilMs) return;
    if (others === 'viewers' && nowMs - this.#heardMs < SILENCE_MS) return;
    const isBeside = others !== 'nobody';
    const due = isBeside ? late : wanted.filter(({ inMs }) => inMs < AHEAD_MS);
    const most = isBeside ? 1 : MAX_FETCHES;
    for (const run of this.#runsOf(due, isBeside ? MAX_FETCH_BESIDE_BYTES : MAX_FETCH_BYTES)) {
      if (this.#aborts.size >= most) return;
      void this.#fetch(run);
    }
  }

  close(): void {
    for (const abort of this.#aborts) abort.abort();
  }

  /** Those that have been near and missing for too long. */
  #noteNear(wanted: readonly Wanted[], nowMs: number): Wanted[] {
    const near = wanted.filter(({ inMs }) => inMs < NEAR_MS);
    const before = this.#nearSinceMs;
    this.#nearSinceMs = new Map(
      near.map(({ segment, piece }) => {
        const key = pieceKey(segment, piece);
        return [key, before.get(key) ?? nowMs];
      }),
    );
    return near.filter(({ segment, piece }) => {
      const sinceMs = this.#nearSinceMs.get(pieceKey(segment, piece)) ?? nowMs;
      return nowMs - sinceMs >= PATIENCE_MS;
    });
  }

  /** What is not being fetched yet, as runs of neighbours, each no longer than one request may be. */
  #runsOf(due: readonly Wanted[], maxBytes: number): Run[] {
    const runs: Run[] = [];
    for (const { segment, piece } of due) {
      const sizeBytes = this.#parts.manifest.entry(segment)?.sizeBytes ?? 0;
      if (this.#fetching.has(pieceKey(segment, piece)) || piece >= pieceCount(sizeBytes)) continue;
      const last = runs.at(-1);
      const isNext = last?.segment === segment && last.lastPiece + 1 === piece;
      const wouldHaveBytes = last
        ? pieceStart(sizeBytes, piece + 1) - pieceStart(sizeBytes, last.firstPiece)
        : 0;
      if (last && isNext && wouldHaveBytes <= maxBytes) last.lastPiece = piece;
      else runs.push({ segment, firstPiece: piece, lastPiece: piece });
    }
    return runs;
  }

  async #fetch(run: Run): Promise<void> {
    const { clock, fetcher, manifest, onSettled } = this.#parts;
    const { head } = manifest;
    if (!head) return;
    const sizeBytes = manifest.entry(run.segment)?.sizeBytes ?? 0;
    const firstByte = pieceStart(sizeBytes, run.firstPiece);
    const lastByte = pieceStart(sizeBytes, run.lastPiece) + pieceBytes(sizeBytes, run.lastPiece) - 1;
    const abort = new AbortController();
    const cancelTimeout = clock.after(FETCH_WITHIN_MS, () => abort.abort());
    this.#aborts.add(abort);
    this.#mark(run, true);
    try {
      const data = await fetcher.fetch(head.video, run.segment, firstByte, lastByte, abort.signal);
      await this.#take(run, sizeBytes, data);
      this.#failures = 0;
    } catch {
      // Why hardly matters: the server is away, busy, or has not got it. It is asked again a little later.
      this.#pausedUntilMs = clock.nowMs() + Math.min(LAST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures);
      this.#failures += 1;
    }
    cancelTimeout();
    this.#mark(run, false);
    this.#aborts.delete(abort);
    onSettled();
  }

  async #take({ segment, firstPiece, lastPiece }: Run, sizeBytes: number, data: Bytes): Promise<void> {
    const base = pieceStart(sizeBytes, firstPiece);
    for (let piece = firstPiece; piece <= lastPiece; piece++) {
      const start = pieceStart(sizeBytes, piece) - base;
      const bytes = data.slice(start, start + pieceBytes(sizeBytes, piece));
      if (!(await this.#parts.onPiece(segment, piece, bytes))) throw new Error('not what the host signed');
      this.receivedBytes += bytes.byteLength;
    }
  }

  #mark({ segment, firstPiece, lastPiece }: Run, isFetching: boolean): void {
    for (let piece = firstPiece; piece <= lastPiece; piece++) {
      if (isFetching) this.#fetching.add(pieceKey(segment, piece));
      else this.#fetching.delete(pieceKey(segment, piece));
    }
  }
}
