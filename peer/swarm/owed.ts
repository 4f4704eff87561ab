import type { Link } from '../wire/link.ts';
import { pieceKey } from './piece-key.ts';

/** A request of ours that its peer has not answered yet. */
export interface Debt {
  segment: number;
  piece: number;
  askedMs: number;
  /** When it is given up; Infinity where it may stand. */
  expiresMs: number;
}

const NOBODY: ReadonlyMap<Link, Debt> = new Map();

/** What peers owe us, by peer and by piece. */
export class Owed {
  readonly #byLink = new Map<Link, Map<number, Debt>>();
  readonly #byPiece = new Map<number, Map<Link, Debt>>();

  /** Notes a request; one for the same piece of the same peer takes its place. */
  add(link: Link, debt: Debt): void {
    const key = pieceKey(debt.segment, debt.piece);
    const own = this.#byLink.get(link) ?? new Map<number, Debt>();
    this.#byLink.set(link, own.set(key, debt));
    const of = this.#byPiece.get(key) ?? new Map<Link, Debt>();
    this.#byPiece.set(key, of.set(link, debt));
  }

  /** Takes a request out; false where there is none. */
  settle(link: Link, segment: number, piece: number): boolean {
    const key = pieceKey(segment, piece);
    if (!this.#byLink.get(link)?.delete(key)) return false;
    const of = this.#byPiece.get(key);
    of?.delete(link);
    if (of?.size === 0) this.#byPiece.delete(key);
    return true;
  }

  /** Takes all that one peer owes out, and returns it. */
  forget(link: Link): Debt[] {
    const own = [...(this.#byLink.get(link)?.values() ?? [])];
    for (const { segment, piece } of own) this.settle(link, segment, piece);
    this.#byLink.delete(link);
    return own;
  }

  /** Who owes us this piece. */
  of(segment: number, piece: number): ReadonlyMap<Link, Debt> {
    return this.#byPiece.get(pieceKey(segment, piece)) ?? NOBODY;
  }

  /** What a peer owes us, the oldest first. */
  by(link: Link): Iterable<Debt> {
    return this.#byLink.get(link)?.values() ?? [];
  }

  countOf(link: Link): number {
    return this.#byLink.get(link)?.size ?? 0;
  }
}
