import { type Bytes, concat } from '../bytes.ts';
import { MAX_EXTRA_BYTES } from '../extras/extra.ts';
import { pieceCount } from '../manifest/geometry.ts';
import type { Manifest } from '../manifest/manifest.ts';
import type { Wants } from '../swarm/wanted.ts';

/** Extras this near to the playhead, and those at the film's start, are fetched before the others. */
const NEAR_MS = 60_000;

/** In how many milliseconds an extra is said to be needed: less urgent than the film that is played next, and for long. */
const SOON_MS = 8_000;
const LATER_MS = 18_000;

/** Pieces of extras that are wanted at a time, and pages. */
const MAX_PIECES = 16;
const MAX_PAGES = 2;

/** Extras of one film that are fetched, and their bytes: what a host may make its viewers hold. */
const MAX_EXTRAS = 500;
const MAX_TOTAL_BYTES = 32 * 1024 * 1024;

export interface ExtraFetchingParts {
  manifest: Manifest;
  hasPiece(segment: number, piece: number): boolean;
  /** The plaintext of a piece; null where it is not here. */
  readPiece(segment: number, piece: number): Promise<Bytes | null>;
  /** An extra is whole: its plaintext, not looked at yet. */
  onExtra(data: Bytes): void;
}

/** Which of a film's extras a viewer wants, and telling each of them once it is here. */
export class ExtraFetching {
  readonly #parts: ExtraFetchingParts;
  /** Those that were told, or are too much. */
  readonly #done = new Set<number>();
  readonly #reading = new Set<number>();
  #totalBytes = 0;
  #isClosed = false;

  constructor(parts: ExtraFetchingParts) {
    this.#parts = parts;
  }

  /** What is missing of them, what is wanted first in front. `isHere`: a piece is held or being checked. */
  wants(playheadMs: number, isHere: (segment: number, piece: number) => boolean): Wants {
    const { manifest } = this.#parts;
    const nearness = ({ startMs }: { startMs: number }): number => Math.abs(startMs - playheadMs);
    const pages = manifest.extrasPages().filter((page) => !manifest.hasPage(page));
    const wants: Wants = {
      pages: pages.sort((a, b) => nearness(a) - nearness(b)).slice(0, MAX_PAGES),
      pieces: [],
    };
    for (const segment of manifest.extras) {
      const entry = manifest.entry(segment);
      if (!entry || !this.#isWanted(segment, entry.sizeBytes)) continue;
      const isSoon = entry.startMs === 0 || nearness(entry) < NEAR_MS;
      for (let piece = 0; piece < pieceCount(entry.sizeBytes); piece++)
        if (!isHere(segment, piece)) wants.pieces.push({ segment, piece, inMs: isSoon ? SOON_MS : LATER_MS });
    }
    wants.pieces.sort((a, b) => a.inMs - b.inMs || a.segment - b.segment || a.piece - b.piece);
    wants.pieces.length = Math.min(wants.pieces.length, MAX_PIECES);
    return wants;
  }

  /** A piece of this segment came. */
  came(segment: number): void {
    const { manifest, hasPiece } = this.#parts;
    if (!manifest.isExtra(segment) || this.#done.has(segment) || this.#reading.has(segment)) return;
    const entry = manifest.entry(segment);
    const count = pieceCount(entry?.sizeBytes ?? 0);
    for (let piece = 0; piece < count; piece++) if (!hasPiece(segment, piece)) return;
    void this.#read(segment, count);
  }

  /** Nothing is told any more. */
  close(): void {
    this.#isClosed = true;
  }

  #isWanted(segment: number, sizeBytes: number): boolean {
    const isTooMuch =
      sizeBytes > MAX_EXTRA_BYTES ||
      this.#done.size >= MAX_EXTRAS ||
      this.#totalBytes + sizeBytes > MAX_TOTAL_BYTES;
    return !isTooMuch && !this.#done.has(segment);
  }

  async #read(segment: number, count: number): Promise<void> {
    this.#reading.add(segment);
    const pieces: Bytes[] = [];
    for (let piece = 0; piece < count; piece++) {
      const data = await this.#parts.readPiece(segment, piece).catch(() => null);
      // Given up meanwhile: it is fetched again.
      if (!data) break;
      pieces.push(data);
    }
    this.#reading.delete(segment);
    if (pieces.length < count || this.#isClosed) return;
    this.#done.add(segment);
    const data = concat(...pieces);
    this.#totalBytes += data.byteLength;
    this.#parts.onExtra(data);
  }
}
