import type { Link } from '../wire/link.ts';
import { pieceKey } from './piece-key.ts';

/** One request of one peer that waits for its answer. */
export interface Request {
  link: Link;
  segment: number;
  piece: number;
  /** When it came, and when the asker needs the piece; on our clock. */
  askedMs: number;
  neededMs: number;
  /** Viewers the asker is connected to. */
  others: number;
}

/** Everybody who waits for one piece. */
export interface Wait {
  key: number;
  segment: number;
  piece: number;
  by: Map<Link, Request>;
}

/** The requests that wait at a peer, by piece and by who asked. */
export class Requests {
  readonly #waits = new Map<number, Wait>();
  readonly #counts = new Map<Link, number>();

  /** Pieces somebody waits for, the oldest wait first. */
  get waits(): Iterable<Wait> {
    return this.#waits.values();
  }

  get isEmpty(): boolean {
    return this.#waits.size === 0;
  }

  /** Links with at least one request. */
  get links(): Iterable<Link> {
    return this.#counts.keys();
  }

  countOf(link: Link): number {
    return this.#counts.get(link) ?? 0;
  }

  /** Adds a request; one for the same piece by the same peer takes its place. */
  add(request: Request): void {
    const { link, segment, piece } = request;
    const key = pieceKey(segment, piece);
    const wait = this.#waits.get(key) ?? { key, segment, piece, by: new Map() };
    this.#waits.set(key, wait);
    if (!wait.by.has(link)) this.#counts.set(link, this.countOf(link) + 1);
    wait.by.set(link, request);
  }

  /** Takes a request out; false where there is none. */
  delete(link: Link, segment: number, piece: number): boolean {
    const key = pieceKey(segment, piece);
    const wait = this.#waits.get(key);
    if (!wait?.by.delete(link)) return false;
    if (wait.by.size === 0) this.#waits.delete(key);
    const count = this.countOf(link) - 1;
    if (count > 0) this.#counts.set(link, count);
    else this.#counts.delete(link);
    return true;
  }

  /** Takes all requests of one peer out. */
  remove(link: Link): Request[] {
    const own = [...this.#waits.values()].flatMap(({ by }) => by.get(link) ?? []);
    for (const { segment, piece } of own) this.delete(link, segment, piece);
    return own;
  }
}
