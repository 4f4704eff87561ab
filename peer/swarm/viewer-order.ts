import { PIECE_BYTES } from '../limits.ts';
import type { Link } from '../wire/link.ts';
import { pieceKey } from './piece-key.ts';
import type { Request, Requests } from './requests.ts';
import type { ServingOrder } from './serving-order.ts';

/**
 * Needs are told apart so finely: within one step, what spreads best comes first. What is needed at once must have time to travel: with
 * 0.5 s in place of 0.8 s a crowd stalled twice as long; with 1.2 s it begins a third of a second later, for urgent is then almost everything (simulated).
 */
const NEED_STEPS_MS = [800, 1_600, 3_000, 6_000, 12_000];

/** The step of what was never given: with the most urgent it would keep newcomers waiting. */
const NEW_STEP = 1;

/** A peer that has lately had this much more than the one served least loses what urgency it claims. */
const GREEDY_BYTES = 32 * PIECE_BYTES;

/** What a peer has had counts half after this: whoever has been here for long is not behind every newcomer. */
const HALF_LIFE_MS = 5_000;

/** How many times a piece was given is remembered for so many pieces. */
const MAX_COUNTED = 4096;

/**
 * How a viewer serves others: first what is needed soonest, or was never given; then what it has given least often, since whoever
 * gets it can pass it on, while everybody waits for something else; then whom it has given least.
 */
export class ViewerOrder implements ServingOrder {
  readonly #given = new Map<number, number>();
  readonly #served = new Map<Link, { sizeBytes: number; atMs: number }>();

  choose(requests: Requests, nowMs: number, hasRoom: (link: Link) => boolean): Request | null {
    const greedyBytes = GREEDY_BYTES + this.#leastServed(requests, nowMs);
    let best: Request | null = null;
    let bestScore = Number.POSITIVE_INFINITY;
    for (const { key, by } of requests.waits) {
      const given = this.#given.get(key) ?? 0;
      for (const request of by.values()) {
        if (!hasRoom(request.link)) continue;
        const served = this.#servedBytes(request.link, nowMs);
        const isGreedy = served > greedyBytes;
        const step = isGreedy ? NEED_STEPS_MS.length : stepOf(given, request.neededMs - nowMs);
        const score = step * 1e6 + Math.min(given, 999) * 1e3 + Math.min(999, served / PIECE_BYTES / 100);
        if (score < bestScore) {
          best = request;
          bestScore = score;
        }
      }
    }
    return best;
  }

  sent({ link, segment, piece }: Request, sizeBytes: number, nowMs: number): void {
    const key = pieceKey(segment, piece);
    const given = (this.#given.get(key) ?? 0) + 1;
    this.#given.delete(key);
    this.#given.set(key, given);
    const [oldest] = this.#given.keys();
    if (this.#given.size > MAX_COUNTED && oldest !== undefined) this.#given.delete(oldest);
    this.#served.set(link, { sizeBytes: this.#servedBytes(link, nowMs) + sizeBytes, atMs: nowMs });
  }

  remove(link: Link): void {
    this.#served.delete(link);
  }

  #leastServed(requests: Requests, nowMs: number): number {
    let least = Number.POSITIVE_INFINITY;
    for (const link of requests.links) least = Math.min(least, this.#servedBytes(link, nowMs));
    return least;
  }

  #servedBytes(link: Link, nowMs: number): number {
    const served = this.#served.get(link);
    return served ? served.sizeBytes * 0.5 ** ((nowMs - served.atMs) / HALF_LIFE_MS) : 0;
  }
}

/** What nobody got from here yet counts as needed within 1.6 s: only once it is elsewhere too do others pass it on, and soon it will be urgent. */
function stepOf(given: number, inMs: number): number {
  const step = NEED_STEPS_MS.findIndex((untilMs) => inMs < untilMs);
  const asAny = step < 0 ? NEED_STEPS_MS.length : step;
  return given === 0 ? Math.min(NEW_STEP, asAny) : asAny;
}
