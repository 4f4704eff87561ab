import { Waiting } from './waiting.ts';

/** How long a connection stays at least while others wait, unless its room has more than its share. */
export const TURN_MS = 30_000;

/** The shortest and the longest time after which one that found no place is told to ask again. */
const MIN_RETRY_MS = 5_000;
const MAX_RETRY_MS = 120_000;

/** A connection's place: whose, and in which room. */
export interface Place {
  room: string;
  id: string;
}

/** `makesRoom` is closed for the newcomer: it has lost its place already. */
export type Answer = { isLetIn: true; makesRoom: Place | null } | { isLetIn: false; retryInMs: number };

interface Held extends Place {
  sinceMs: number;
}

/**
 * Who of all rooms' members is connected to the origin, where not all can be. Rooms get equal shares (max-min):
 * a newcomer is let in where a place is free; or where another room has at least two places more than its own, which
 * then gives up its longest-standing one; or where the longest-standing one of its own room, or of a room that has
 * more, has had its turn. Who is connected already keeps its place.
 */
export class Places {
  readonly #capacity: number;
  readonly #nowMs: () => number;
  /** By room and id, since when; longest-standing first. */
  readonly #rooms = new Map<string, Map<string, number>>();
  readonly #waiting = new Map<string, Waiting>();
  #takenCount = 0;

  /** @param nowMs milliseconds of a clock that never goes backwards. */
  constructor(capacity: number, nowMs: () => number) {
    this.#capacity = capacity;
    this.#nowMs = nowMs;
  }

  /** Places taken in all rooms together; never more than the capacity. */
  get takenCount(): number {
    return this.#takenCount;
  }

  /** Places that a room's members have. */
  countOf(room: string): number {
    return this.#rooms.get(room)?.size ?? 0;
  }

  /** Takes a place for this member where there is one for it. */
  ask(room: string, id: string): Answer {
    if (this.#rooms.get(room)?.has(id)) return { isLetIn: true, makesRoom: null };
    const isFree = this.#takenCount < this.#capacity;
    const leaves = isFree ? null : this.#whoLeavesFor(room);
    if (!isFree && !leaves) return { isLetIn: false, retryInMs: this.#retryInMs(room, id) };
    if (leaves) this.leave(leaves.room, leaves.id);
    this.#take(room, id);
    return { isLetIn: true, makesRoom: leaves && { room: leaves.room, id: leaves.id } };
  }

  /** The member's connection is gone; nothing happens where it has no place. */
  leave(room: string, id: string): void {
    const held = this.#rooms.get(room);
    if (!held?.delete(id)) return;
    this.#takenCount -= 1;
    if (held.size === 0) this.#rooms.delete(room);
  }

  /** All connections of a room are gone, and nobody of it waits. */
  forget(room: string): void {
    this.#takenCount -= this.countOf(room);
    this.#rooms.delete(room);
    this.#waiting.delete(room);
  }

  #take(room: string, id: string): void {
    const held = this.#rooms.get(room) ?? new Map<string, number>();
    this.#rooms.set(room, held.set(id, this.#nowMs()));
    this.#takenCount += 1;
    this.#waiting.get(room)?.remove(id);
  }

  #whoLeavesFor(room: string): Held | null {
    const ownCount = this.countOf(room);
    const largest = this.#longestStandingOfLargest();
    if (!largest) return null;
    const largestCount = this.countOf(largest.room);
    if (largestCount >= ownCount + 2) return largest;
    const next =
      largestCount > ownCount ? earlier(largest, this.#longestStanding(room)) : this.#longestStanding(room);
    return next && this.#hasHadItsTurn(next) ? next : null;
  }

  #hasHadItsTurn({ sinceMs }: Held): boolean {
    return this.#nowMs() - sinceMs >= TURN_MS;
  }

  #longestStanding(room: string): Held | null {
    for (const [id, sinceMs] of this.#rooms.get(room) ?? []) return { room, id, sinceMs };
    return null;
  }

  /** Of the room with most places; among equals whoever came first. */
  #longestStandingOfLargest(): Held | null {
    let found: Held | null = null;
    for (const [room, { size }] of this.#rooms) {
      const foundCount = found ? this.countOf(found.room) : 0;
      if (size > foundCount) found = this.#longestStanding(room);
      else if (size === foundCount) found = earlier(found, this.#longestStanding(room));
    }
    return found;
  }

  /** When its turn comes if nobody leaves: those who wait in a room take over from those who are in, in order. */
  #retryInMs(room: string, id: string): number {
    const nowMs = this.#nowMs();
    const waiting = this.#waiting.get(room) ?? new Waiting();
    this.#waiting.set(room, waiting);
    const rank = waiting.rankOf(id, nowMs);
    const own = [...(this.#rooms.get(room)?.values() ?? [])];
    const sinceMs = own[rank % own.length] ?? this.#longestStandingOfLargest()?.sinceMs ?? nowMs;
    const turns = 1 + Math.floor(rank / Math.max(1, own.length));
    const waitMs = Math.ceil(sinceMs + turns * TURN_MS - nowMs);
    const retryInMs = Math.max(MIN_RETRY_MS, Math.min(MAX_RETRY_MS, waitMs));
    waiting.expect(id, nowMs + retryInMs);
    return retryInMs;
  }
}

function earlier(one: Held | null, other: Held | null): Held | null {
  if (!one || !other) return one ?? other;
  return other.sinceMs < one.sinceMs ? other : one;
}
