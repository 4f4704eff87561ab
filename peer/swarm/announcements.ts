import type { Clock } from '../clock.ts';
import { pieceCount } from '../manifest/geometry.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { encodeFrame } from '../wire/frame.ts';
import type { Link } from '../wire/link.ts';
import type { Bodies } from '../wire/messages.ts';
import { toBits, toRuns } from './availability.ts';
import type { PieceIndex } from './piece-store.ts';

/**
 * News waits for more to be told together, for each batch is a message to every neighbour: a twentieth of the time until it is
 * needed, at most so long, and at least until so long after the news before.
 */
const GATHER_SHARE = 1 / 20;
const MAX_GATHER_MS = 250;
const MIN_GAP_MS = 30;

export interface AnnouncementParts {
  clock: Clock;
  manifest: Manifest;
  pieces: PieceIndex;
  /** In how many milliseconds this viewer plays a segment; 0 where it is playing, or past. */
  neededInMs(segment: number): number;
  /** Links that want to know what we have. */
  audience(): Iterable<Link>;
}

/** Tells other viewers what this one has: everything once, then what is new, in batches. */
export class Announcements {
  readonly #parts: AnnouncementParts;
  readonly #news = new Map<number, Set<number>>();
  #toldMs = Number.NEGATIVE_INFINITY;
  /** When it is told next. */
  #tellAtMs = Number.POSITIVE_INFINITY;
  #cancelTimer: (() => void) | null = null;

  constructor(parts: AnnouncementParts) {
    this.#parts = parts;
  }

  /** Everything held, to one who does not know yet. */
  tellAll(link: Link): void {
    const { pieces } = this.#parts;
    const held = [...pieces.segments].map((segment) => [segment, new Set(pieces.piecesOf(segment))] as const);
    if (held.length > 0) link.send('have', this.#describe(new Map(held)));
  }

  /** A piece came; it is told with the next batch. */
  add(segment: number, piece: number): void {
    const { clock, neededInMs } = this.#parts;
    const news = this.#news.get(segment) ?? new Set();
    this.#news.set(segment, news.add(piece));
    const gatherMs = Math.min(MAX_GATHER_MS, neededInMs(segment) * GATHER_SHARE);
    this.#tellAt(Math.max(this.#toldMs + MIN_GAP_MS, clock.nowMs() + gatherMs));
  }

  /** Segments were given up. */
  drop(segments: number[]): void {
    for (const segment of segments) this.#news.delete(segment);
    if (segments.length === 0) return;
    for (const link of this.#parts.audience()) link.send('drop', { runs: toRuns(segments) });
  }

  close(): void {
    this.#cancelTimer?.();
    this.#news.clear();
  }

  #tellAt(atMs: number): void {
    const waitMs = atMs - this.#parts.clock.nowMs();
    if (waitMs <= 0) this.#tell();
    if (waitMs <= 0 || atMs >= this.#tellAtMs) return;
    this.#cancelTimer?.();
    this.#tellAtMs = atMs;
    this.#cancelTimer = this.#parts.clock.after(waitMs, () => this.#tell());
  }

  #tell(): void {
    this.#cancelTimer?.();
    this.#tellAtMs = Number.POSITIVE_INFINITY;
    this.#toldMs = this.#parts.clock.nowMs();
    if (this.#news.size === 0) return;
    const frame = encodeFrame('have', this.#describe(this.#news));
    this.#news.clear();
    for (const link of this.#parts.audience()) link.sendFrame(frame);
  }

  #describe(held: ReadonlyMap<number, ReadonlySet<number>>): Bodies['have'] {
    const { manifest, pieces } = this.#parts;
    const isWhole = (segment: number): boolean => {
      const entry = manifest.entry(segment);
      return entry !== null && pieces.countOf(segment) === pieceCount(entry.sizeBytes);
    };
    const whole = [...held.keys()].filter(isWhole);
    const parts = [...held].filter(([segment]) => !isWhole(segment));
    return { whole: toRuns(whole), parts: parts.map(([segment, its]) => [segment, toBits(its)]) };
  }
}
