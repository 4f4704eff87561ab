import { PIECE_BYTES } from '../limits.ts';
import type { Link } from '../wire/link.ts';
import { pieceKey } from './piece-key.ts';
import type { Request, Requests } from './requests.ts';
import type { ServingOrder } from './serving-order.ts';

/** Needs are told apart so finely: within one step, what spreads best comes first. */
const NEED_STEPS_MS = [500, 1_000, 2_000, 4_000, 8_000, 16_000];

/** A peer that has had this much more than the one served least loses what urgency it claims. */
const GREEDY_BYTES = 32 * PIECE_BYTES;

/** How many times a piece was given is remembered for so many pieces. */
const MAX_COUNTED = 4096;

/**
 * How a viewer serves others: first what is needed soonest; then what it has given least often, since whoever gets it
 * can pass it on, while everybody waits for something else; then whoever it served longest ago.
 */
export class ViewerOrder implements ServingOrder {
  readonly #given = new Map<number, number>();
  readonly #servedBytes = new Map<Link, number>();

  choose(requests: Requests, nowMs: number, hasRoom: (link: Link) => boolean): Request | null {
    const greedyBytes = GREEDY_BYTES + this.#leastServed(requests);
    let best: Request | null = null;
    let bestScore = Number.POSITIVE_INFINITY;
    for (const { key, by } of requests.waits) {
      const given = this.#given.get(key) ?? 0;
      for (const request of by.values()) {
        if (!hasRoom(request.link)) continue;
        const served = this.#servedBytes.get(request.link) ?? 0;
        const step = served > greedyBytes ? NEED_STEPS_MS.length : needStep(request.neededMs - nowMs);
        const score = step * 1e6 + Math.min(given, 999) * 1e3 + Math.min(999, served / PIECE_BYTES / 100);
        if (score < bestScore) {
          best = request;
          bestScore = score;
        }
      }
    }
    return best;
  }

  sent({ link, segment, piece }: Request, sizeBytes: number): void {
    const key = pieceKey(segment, piece);
    const given = (this.#given.get(key) ?? 0) + 1;
    this.#given.delete(key);
    this.#given.set(key, given);
    for (const oldest of this.#given.keys()) if (this.#given.size > MAX_COUNTED) this.#given.delete(oldest);
    this.#servedBytes.set(link, (this.#servedBytes.get(link) ?? 0) + sizeBytes);
  }

  remove(link: Link): void {
    this.#servedBytes.delete(link);
  }

  #leastServed(requests: Requests): number {
    let least = Number.POSITIVE_INFINITY;
    for (const link of requests.links) least = Math.min(least, this.#servedBytes.get(link) ?? 0);
    return least;
  }
}

function needStep(inMs: number): number {
  const step = NEED_STEPS_MS.findIndex((untilMs) => inMs < untilMs);
  return step < 0 ? NEED_STEPS_MS.length : step;
}
