import type { Bytes } from '../bytes.ts';
import { refuseSealed, sealedId } from '../chat/sealed-frames.ts';
import type { Crypto } from '../crypto/crypto.ts';
import type { Handlers, Link } from '../wire/link.ts';

/** Statements seen lately, of whatever kind: what was passed on once is not passed on again. */
const MAX_SEEN = 512;

/** What is said of the room's playing: where it is, and whose film stands still. */
export type StatementName = 'playback' | 'stall';

export interface StatementRelayParts {
  crypto: Crypto;
  audience(): Iterable<Link>;
  /**
   * Whether a sealed statement is news, which is passed on: a member opens it, the origin cannot and takes all.
   * Rejects with a MatineeError where it is none: the member that brought it is dropped with that code.
   */
  accept(name: StatementName, sealed: Bytes, from: Link): Promise<boolean>;
}

/** Carries sealed statements through the swarm: each goes on to every neighbour that did not bring it, once. Needs no key. */
export class StatementRelay {
  readonly handlers: Handlers = {
    playback: (link, { sealed }) => this.#receive('playback', link, sealed),
    stall: (link, { sealed }) => this.#receive('stall', link, sealed),
  };
  readonly #parts: StatementRelayParts;
  readonly #seen = new Set<string>();
  /** Opening takes a moment; what was sent first is looked at first. */
  #turn: Promise<void> = Promise.resolve();

  constructor(parts: StatementRelayParts) {
    this.#parts = parts;
  }

  /** Sends a statement of our own on its way. */
  async say(name: StatementName, sealed: Bytes): Promise<void> {
    await this.#isNew(sealed);
    this.#pass(name, sealed);
  }

  #receive(name: StatementName, link: Link, sealed: Bytes): void {
    this.#turn = this.#turn
      .then(() => this.#take(name, link, sealed))
      .catch((error: unknown) => refuseSealed(link, error));
  }

  async #take(name: StatementName, link: Link, sealed: Bytes): Promise<void> {
    // What a liar sent after its lie is not looked at.
    if (!link.isOpen || !(await this.#isNew(sealed))) return;
    if (await this.#parts.accept(name, sealed, link)) this.#pass(name, sealed, link);
  }

  #pass(name: StatementName, sealed: Bytes, from?: Link): void {
    for (const link of this.#parts.audience()) if (link !== from) link.send(name, { sealed });
  }

  async #isNew(sealed: Bytes): Promise<boolean> {
    const id = await sealedId(this.#parts.crypto, sealed);
    if (this.#seen.has(id)) return false;
    this.#seen.add(id);
    const oldest = this.#seen.values().next().value;
    if (this.#seen.size > MAX_SEEN && oldest !== undefined) this.#seen.delete(oldest);
    return true;
  }
}
