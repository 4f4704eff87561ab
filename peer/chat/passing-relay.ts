import { Allowance } from '../allowance.ts';
import type { Bytes } from '../bytes.ts';
import type { Clock } from '../clock.ts';
import type { Crypto } from '../crypto/crypto.ts';
import type { Handlers, Link } from '../wire/link.ts';
import { refuseSealed, sealedId } from './sealed-frames.ts';

/**
 * Copies of what anybody said that we send at most: so many at once, after that one in so many milliseconds. What is more is let go.
 * Counted in copies, so that it costs the origin, which has the whole room for neighbours, no more of its line than anybody.
 */
const COPIES_AT_ONCE = 320;
const COPY_EVERY_MS = 20;

/** What one peer may bring: more than any peer passes on, and than what a line that stood still brings at once. */
const TAKEN_AT_ONCE = 200;
const TAKEN_EVERY_MS = 50;

/** Of so many it is remembered that they were here: a minute of the most that one peer passes on. */
const MAX_SEEN = 1_000;

export interface PassingRelayParts {
  crypto: Crypto;
  clock: Clock;
  audience(): Iterable<Link>;
  /** Decides of each new one to how many neighbours it is passed on; 0: it is not. Rejects as with ChatRelay. */
  accept(sealed: Bytes): Promise<number>;
}

/** Carries what is said in passing through the swarm, as ChatRelay carries lines, but keeps nothing and lets go what is too much. Needs no key. */
export class PassingRelay {
  readonly handlers: Handlers = { passing: (link, { sealed }) => this.#passing(link, sealed) };
  readonly #parts: PassingRelayParts;
  readonly #copies: Allowance;
  readonly #taken = new WeakMap<Link, Allowance>();
  readonly #seen = new Set<string>();
  #turn: Promise<void> = Promise.resolve();

  constructor(parts: PassingRelayParts) {
    this.#parts = parts;
    this.#copies = new Allowance(parts.clock, COPIES_AT_ONCE, COPY_EVERY_MS);
  }

  /** Sends something of our own. */
  say(sealed: Bytes): Promise<void> {
    return this.#inOrder(() => this.#take(sealed));
  }

  #passing(link: Link, sealed: Bytes): void {
    const taken = this.#taken.get(link) ?? new Allowance(this.#parts.clock, TAKEN_AT_ONCE, TAKEN_EVERY_MS);
    this.#taken.set(link, taken);
    if (!taken.canTake()) {
      link.close('PEER_FLOODING');
      return;
    }
    this.#inOrder(() => this.#take(sealed, link)).catch((error: unknown) => refuseSealed(link, error));
  }

  async #take(sealed: Bytes, from?: Link): Promise<void> {
    const id = await sealedId(this.#parts.crypto, sealed);
    if (this.#seen.has(id)) return;
    this.#seen.add(id);
    const oldest = this.#seen.values().next().value;
    if (this.#seen.size > MAX_SEEN && oldest) this.#seen.delete(oldest);
    const mostCount = await this.#parts.accept(sealed);
    const others = [...this.#parts.audience()].filter((link) => link !== from);
    const chosen = someOf(others, mostCount, Number.parseInt(id.slice(0, 8), 16));
    if (!this.#copies.canTake(chosen.length)) return;
    for (const link of chosen) link.send('passing', { sealed });
  }

  #inOrder(run: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(run);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}

/** So many of them at most, which ones by `lot`: others for each message. */
function someOf(links: readonly Link[], mostCount: number, lot: number): readonly Link[] {
  if (links.length <= mostCount) return links;
  const first = lot % links.length;
  return [...links.slice(first), ...links.slice(0, first)].slice(0, mostCount);
}
