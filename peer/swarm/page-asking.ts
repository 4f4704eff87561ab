import type { Bytes } from '../bytes.ts';
import type { Clock } from '../clock.ts';
import type { Link } from '../wire/link.ts';

/** A manifest page that did not come is asked of somebody else after this. */
const TIMEOUT_MS = 1_000;

/** One whom the asked did not have, after this: somebody else may have it by now. */
const RETRY_MS = 200;

/**
 * Pages are mostly asked of viewers, to spare the origin: one that is needed at once a little less so. Where all of a crowd want the same
 * page in the same second, it is enough that a few ask the origin.
 */
const FROM_MEMBERS = 0.95;
const FROM_MEMBERS_AT_ONCE = 0.7;

/** Asks for the manifest's pages, one peer at a time. */
export class PageAsking {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #askedMs = new Map<string, number>();

  /** @param random gives numbers from 0 (inclusive) to 1 (exclusive). */
  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Asks one of these peers for the page with this hash, unless it was asked for a moment ago. `isAtOnce`: it is needed now. */
  ask(hash: Bytes, peers: Iterable<Link>, isAtOnce: boolean): void {
    const key = hash.join();
    const nowMs = this.#clock.nowMs();
    if (nowMs - (this.#askedMs.get(key) ?? Number.NEGATIVE_INFINITY) < TIMEOUT_MS) return;
    const link = this.#choose([...peers], isAtOnce ? FROM_MEMBERS_AT_ONCE : FROM_MEMBERS);
    if (!link) return;
    this.#askedMs.set(key, nowMs);
    link.send('getPage', { hash });
  }

  /** Who was asked has no such page. */
  refused(hash: Bytes): void {
    this.#askedMs.set(hash.join(), this.#clock.nowMs() - TIMEOUT_MS + RETRY_MS);
  }

  #choose(peers: Link[], fromMembers: number): Link | undefined {
    const members = peers.filter(({ remote }) => remote.kind === 'member');
    const origins = peers.filter(({ remote }) => remote.kind === 'origin');
    const isForMembers = origins.length === 0 || this.#random() < fromMembers;
    const asked = isForMembers && members.length > 0 ? members : origins;
    return asked[Math.floor(this.#random() * asked.length)];
  }
}
