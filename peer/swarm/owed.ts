import type { Link } from '../wire/link.ts';
import { pieceKey } from './piece-key.ts';

/** A request of ours that its peer has not answered yet. */
export interface Debt {
  link: Link;
  segment: number;
  piece: number;
  askedMs: number;
  /** When it is given up; Infinity where it may stand. */
  expiresMs: number;
}

/** What peers owe us. A piece is asked of one viewer at most, and of the origin besides. */
export class Owed {
  readonly #byLink = new Map<Link, Map<number, Debt>>();
  readonly #byViewers = new Map<number, Debt>();
  readonly #byOrigin = new Map<number, Debt>();

  /** Notes a request; one for the same piece of the same peer, or of another viewer, must have been settled. */
  add(debt: Debt): void {
    const { link } = debt;
    const key = pieceKey(debt.segment, debt.piece);
    const own = this.#byLink.get(link) ?? new Map<number, Debt>();
    this.#byLink.set(link, own.set(key, debt));
    this.#ofKind(link).set(key, debt);
  }

  /** Takes a request out; false where there is none. */
  settle(link: Link, segment: number, piece: number): boolean {
    const key = pieceKey(segment, piece);
    if (!this.#byLink.get(link)?.delete(key)) return false;
    this.#ofKind(link).delete(key);
    return true;
  }

  /** Takes all that one peer owes out, and returns it. */
  forget(link: Link): Debt[] {
    const own = [...this.by(link)];
    for (const { segment, piece } of own) this.settle(link, segment, piece);
    this.#byLink.delete(link);
    return own;
  }

  /** The request for this piece at a viewer. */
  ofViewer(segment: number, piece: number): Debt | null {
    return this.#byViewers.get(pieceKey(segment, piece)) ?? null;
  }

  /** The request for this piece that stands at the origin. */
  ofOrigin(segment: number, piece: number): Debt | null {
    return this.#byOrigin.get(pieceKey(segment, piece)) ?? null;
  }

  /** What a peer owes us, the oldest first. */
  by(link: Link): Iterable<Debt> {
    return this.#byLink.get(link)?.values() ?? [];
  }

  countOf(link: Link): number {
    return this.#byLink.get(link)?.size ?? 0;
  }

  #ofKind({ remote }: Link): Map<number, Debt> {
    return remote.kind === 'origin' ? this.#byOrigin : this.#byViewers;
  }
}
