import { Allowance } from '../allowance.ts';
import { type Bytes, fromHex, toHex } from '../bytes.ts';
import type { Clock } from '../clock.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { MAX_CHAT_LINES, MAX_REACTIONS } from '../limits.ts';
import type { Handlers, Link } from '../wire/link.ts';
import { refuseSealed, sealedId } from './sealed-frames.ts';

/** One peer may bring twice a whole log at once, and after that one line in so many milliseconds. */
const LINE_EVERY_MS = 200;

/** The logs there are: the message that brings a line, the one that compares, and how many lines are kept. */
const LOGS = {
  chat: { line: 'chat', known: 'chatKnown', max: MAX_CHAT_LINES },
  reaction: { line: 'reaction', known: 'reactionKnown', max: MAX_REACTIONS },
} as const;

export interface ChatRelayParts {
  log: keyof typeof LOGS;
  crypto: Crypto;
  clock: Clock;
  audience(): Iterable<Link>;
  /**
   * Decides of a new line whether it is kept and passed on: a member opens it, the origin cannot and takes all.
   * Rejects with a MatineeError where the line is none: the member that brought it is dropped with that code.
   */
  accept(sealed: Bytes): Promise<boolean>;
}

/**
 * Carries sealed chat lines, or the reactions to them, through the swarm: each goes on to every neighbour that did not bring it, once,
 * so it reaches members who are not connected to its author. Peers who meet compare what they know, so a late
 * joiner, and two halves of a room that find each other again, get what they missed. Needs no key.
 */
export class ChatRelay {
  readonly handlers: Handlers;
  readonly #log: (typeof LOGS)[keyof typeof LOGS];
  readonly #parts: ChatRelayParts;
  /** Sealed lines by the hex of their id, oldest first. */
  readonly #lines = new Map<string, Bytes>();
  /** Lines seen but not kept: refused, or too old to hold. */
  readonly #seen = new Set<string>();
  readonly #allowances = new WeakMap<Link, Allowance>();
  #turn: Promise<void> = Promise.resolve();

  constructor(parts: ChatRelayParts) {
    this.#parts = parts;
    this.#log = LOGS[parts.log];
    this.handlers = {
      [this.#log.line]: (link: Link, body: { sealed: Bytes }) => this.#line(link, body.sealed),
      [this.#log.known]: (link: Link, body: { ids: Bytes[] }) => this.#compare(link, body.ids),
    };
  }

  /** Tells a new neighbour which lines are here, so that it sends the others. */
  greet(link: Link): void {
    link.send(this.#log.known, { ids: [...this.#lines.keys()].map(fromHex) });
  }

  /** Takes in a line of our own and sends it on its way. Resolves once it is in the log. */
  say(sealed: Bytes): Promise<void> {
    return this.#inOrder(() => this.#take(sealed));
  }

  #line(link: Link, sealed: Bytes): void {
    if (!this.#allowanceOf(link).canTake()) {
      link.close('PEER_FLOODING');
      return;
    }
    this.#inOrder(() => this.#take(sealed, link)).catch((error: unknown) => refuseSealed(link, error));
  }

  async #take(sealed: Bytes, from?: Link): Promise<void> {
    const id = await sealedId(this.#parts.crypto, sealed);
    if (this.#lines.has(id) || this.#seen.has(id)) return;
    this.#remember(this.#seen, id);
    if (!(await this.#parts.accept(sealed))) return;
    this.#lines.set(id, sealed);
    const oldest = this.#lines.keys().next().value;
    if (this.#lines.size > this.#log.max && oldest) this.#lines.delete(oldest);
    for (const link of this.#parts.audience()) if (link !== from) link.send(this.#log.line, { sealed });
  }

  #compare(link: Link, ids: Bytes[]): void {
    const known = new Set(ids.map(toHex));
    for (const [id, sealed] of this.#lines) if (!known.has(id)) link.send(this.#log.line, { sealed });
  }

  #allowanceOf(link: Link): Allowance {
    const allowance =
      this.#allowances.get(link) ?? new Allowance(this.#parts.clock, 2 * this.#log.max, LINE_EVERY_MS);
    this.#allowances.set(link, allowance);
    return allowance;
  }

  #remember(seen: Set<string>, id: string): void {
    seen.add(id);
    const oldest = seen.values().next().value;
    if (seen.size > 10 * this.#log.max && oldest) seen.delete(oldest);
  }

  #inOrder(run: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(run);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}
