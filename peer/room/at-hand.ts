import { pieceCount, pieceStart } from '../manifest/geometry.ts';
import type { Manifest } from '../manifest/manifest.ts';

/** What can be played from one place on: the pieces that are here without a gap. */
export interface HeldFilm {
  manifest: Manifest;
  hasPiece(segment: number, piece: number): boolean;
}

/** The place up to which a film can be played from another place on. Remembers how far it has looked. */
export class AtHand {
  readonly #film: HeldFilm;
  readonly #fromMs: number;
  /** Where nothing is known to be here yet, and where what is here before it ends. */
  #next: { segment: number; piece: number; endMs: number } | null = null;

  constructor(film: HeldFilm, fromMs: number) {
    this.#film = film;
    this.#fromMs = fromMs;
  }

  /** Milliseconds from the film's start; where it began while nothing is here, or the manifest does not tell yet. */
  untilMs(): number {
    const film = this.#film;
    this.#next ??= this.#first();
    const next = this.#next;
    if (!next) return this.#fromMs;
    for (;;) {
      next.segment = film.manifest.filmFrom(next.segment);
      const entry = film.manifest.entry(next.segment);
      if (!entry) return next.endMs;
      const count = pieceCount(entry.sizeBytes);
      while (next.piece < count && film.hasPiece(next.segment, next.piece)) next.piece += 1;
      const isWhole = next.piece === count;
      if (!isWhole)
        return entry.startMs + (entry.durationMs * pieceStart(entry.sizeBytes, next.piece)) / entry.sizeBytes;
      next.segment += 1;
      next.piece = 0;
      next.endMs = entry.startMs + entry.durationMs;
    }
  }

  /** Where the place's segment begins, once that is known and the init segment is here. */
  #first(): { segment: number; piece: number; endMs: number } | null {
    const film = this.#film;
    const init = film.manifest.entry(0);
    const segment = film.manifest.segmentAt(this.#fromMs);
    if (!init || segment === null) return null;
    for (let piece = 0; piece < pieceCount(init.sizeBytes); piece++)
      if (!film.hasPiece(0, piece)) return null;
    return { segment, piece: 0, endMs: this.#fromMs };
  }
}
