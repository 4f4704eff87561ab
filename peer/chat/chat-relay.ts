import { Allowance } from '../allowance.ts';
import { type Bytes, toHex } from '../bytes.ts';
import type { Clock } from '../clock.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { asMatineeError } from '../errors.ts';
import { MAX_CHAT_LINES } from '../limits.ts';
import type { Handlers, Link } from '../wire/link.ts';
import { CHAT_ID_BYTES } from '../wire/messages.ts';

/** Lines one peer may bring at once (a whole history and then some), and after that one in so many milliseconds. */
const BURST_LINES = 2 * MAX_CHAT_LINES;
const LINE_EVERY_MS = 200;

export interface ChatRelayParts {
  crypto: Crypto;
  clock: Clock;
  audience(): Iterable<Link>;
  /**
   * Decides of a new line whether it is kept and passed on: a member opens it, the origin cannot and takes all.
   * Rejects with a MatineeError where the line is none: the member that brought it is dropped with that code.
   */
  accept(sealed: Bytes, id: string): Promise<boolean>;
}

/**
 * Carries sealed chat lines through the swarm: each line goes on to every neighbour that did not bring it, once,
 * so it reaches members who are not connected to its author. Peers who meet compare what they know, so a late
 * joiner, and two halves of a room that find each other again, get what they missed. Needs no key.
 */
export class ChatRelay {
  readonly handlers: Handlers = {
    chat: (link, body) => this.#chat(link, body.sealed),
    chatKnown: (link, body) => this.#compare(link, body.ids),
  };
  readonly #parts: ChatRelayParts;
  /** Sealed lines by the hex of their id, oldest first. */
  readonly #lines = new Map<string, Bytes>();
  /** Lines seen but not kept: refused, or too old to hold. */
  readonly #seen = new Set<string>();
  readonly #allowances = new WeakMap<Link, Allowance>();
  #turn: Promise<void> = Promise.resolve();

  constructor(parts: ChatRelayParts) {
    this.#parts = parts;
  }

  /** Tells a new neighbour which lines are here, so that it sends the others. */
  greet(link: Link): void {
    link.send('chatKnown', { ids: [...this.#lines.keys()].map(fromHex) });
  }

  /** Takes in a line of our own and sends it on its way. Resolves once it is in the log. */
  say(sealed: Bytes): Promise<void> {
    return this.#inOrder(() => this.#take(sealed));
  }

  #chat(link: Link, sealed: Bytes): void {
    if (!this.#allowanceOf(link).canTake()) {
      link.close('PEER_FLOODING');
      return;
    }
    this.#inOrder(() => this.#take(sealed, link)).catch((error: unknown) => this.#refuse(link, error));
  }

  /** A member has read what it passes on. The origin cannot: a bad line that somebody left there must not part us from it. */
  #refuse(link: Link, error: unknown): void {
    if (link.remote.kind === 'origin') return;
    link.close(asMatineeError(error, 'FRAME_MALFORMED', 'chat line not understood').code);
  }

  async #take(sealed: Bytes, from?: Link): Promise<void> {
    const id = toHex((await this.#parts.crypto.sha256(sealed)).subarray(0, CHAT_ID_BYTES));
    if (this.#lines.has(id) || this.#seen.has(id)) return;
    this.#remember(this.#seen, id);
    if (!(await this.#parts.accept(sealed, id))) return;
    this.#lines.set(id, sealed);
    const oldest = this.#lines.keys().next().value;
    if (this.#lines.size > MAX_CHAT_LINES && oldest) this.#lines.delete(oldest);
    for (const link of this.#parts.audience()) if (link !== from) link.send('chat', { sealed });
  }

  #compare(link: Link, ids: Bytes[]): void {
    const known = new Set(ids.map(toHex));
    for (const [id, sealed] of this.#lines) if (!known.has(id)) link.send('chat', { sealed });
  }

  #allowanceOf(link: Link): Allowance {
    const allowance =
      this.#allowances.get(link) ?? new Allowance(this.#parts.clock, BURST_LINES, LINE_EVERY_MS);
    this.#allowances.set(link, allowance);
    return allowance;
  }

  #remember(seen: Set<string>, id: string): void {
    seen.add(id);
    const oldest = seen.values().next().value;
    if (seen.size > 10 * MAX_CHAT_LINES && oldest) seen.delete(oldest);
  }

  #inOrder(run: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(run);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}

function fromHex(hex: string): Bytes {
  const bytes = new Uint8Array(hex.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}
