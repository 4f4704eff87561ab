import type { Clock } from '../../../peer/clock.ts';

/** Viewers to be connected to: enough to find every piece, few enough for a phone. */
const WANTED_MEMBERS = 8;

/** First wait before dialling again, doubled each time up to the last. */
const FIRST_BACKOFF_MS = 500;
const LAST_BACKOFF_MS = 10_000;

/** A member who cannot be reached is given up after so many tries; the origin never is. */
const MAX_MEMBER_TRIES = 3;

/** How often signaling is asked for more members while there are too few. */
const ASK_EVERY_MS = 10_000;

export interface NeighbourParts {
  originId: string;
  clock: Clock;
  random(): number;
  isConnected(id: string): boolean;
  connectedMembers(): string[];
  dial(id: string): void;
  /** Asks signaling for members besides those known; false where it is away. */
  askForMore(known: string[]): boolean;
}

/**
 * Decides whom to dial and when again. The origin is dialled for as long as the room is open; a member only by
 * the one who dialled first, so that two do not redial each other at once.
 */
export class Neighbours {
  readonly #parts: NeighbourParts;
  readonly #tries = new Map<string, number>();
  readonly #timers = new Map<string, () => void>();
  #cancelAsk: () => void;

  constructor(parts: NeighbourParts) {
    this.#parts = parts;
    this.#cancelAsk = parts.clock.after(ASK_EVERY_MS, () => this.#askAgain());
  }

  /** Members that signaling names. */
  found(ids: readonly string[]): void {
    for (const id of ids) if (this.#parts.connectedMembers().length < WANTED_MEMBERS) this.#parts.dial(id);
  }

  /** The origin is said to be there. */
  originIsHere(): void {
    this.#forget(this.#parts.originId);
    this.#parts.dial(this.#parts.originId);
  }

  /** Whether one more member may connect to us. */
  mayAccept(): boolean {
    return this.#parts.connectedMembers().length < 2 * WANTED_MEMBERS;
  }

  /** A channel opened. */
  opened(id: string): void {
    this.#forget(id);
  }

  /** A connection that we had dialled failed or was lost. */
  lost(id: string): void {
    const tries = this.#tries.get(id) ?? 0;
    if (id !== this.#parts.originId && tries >= MAX_MEMBER_TRIES) {
      this.gone(id);
      return;
    }
    this.#tries.set(id, tries + 1);
    const backoffMs = Math.min(LAST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** tries) * (0.5 + this.#parts.random());
    this.#timers.get(id)?.();
    this.#timers.set(
      id,
      this.#parts.clock.after(backoffMs, () => this.#parts.dial(id)),
    );
  }

  /** A member left for good: somebody else may take its place. */
  gone(id: string): void {
    this.#forget(id);
    this.#askIfFew();
  }

  close(): void {
    this.#cancelAsk();
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  #forget(id: string): void {
    this.#tries.delete(id);
    this.#timers.get(id)?.();
    this.#timers.delete(id);
  }

  #askAgain(): void {
    this.#askIfFew();
    this.#cancelAsk = this.#parts.clock.after(ASK_EVERY_MS, () => this.#askAgain());
  }

  #askIfFew(): void {
    const known = this.#parts.connectedMembers();
    if (known.length < WANTED_MEMBERS / 2) this.#parts.askForMore(known);
  }
}
