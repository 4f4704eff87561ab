import type { Clock } from '../clock.ts';
import type { Channel } from '../transport/channel.ts';
import { type Handlers, Link, type Remote } from '../wire/link.ts';
import { type Bodies, WIRE_VERSION } from '../wire/messages.ts';

export interface LinksParts {
  clock: Clock;
  handlers: Handlers;
  /** What we say first on every link. */
  hello(): Bodies['hello'];
  /** The link is open, and what we say first is on its way. */
  onOpen?(link: Link): void;
  /** The peer said hello in our version: tell it what it should know. */
  onMeet(link: Link, hello: Bodies['hello']): void;
  /** The peer said hello: its sealed card, if any. May come again when it changes. */
  onCard(link: Link, card: Bodies['hello']['card']): void;
  /** The peer said hello again. */
  onGreetedAgain(link: Link, hello: Bodies['hello']): void;
  onClose(link: Link, code: string): void;
}

/** The open links of one peer in one room: at most one for each remote id, each of them greeted. */
export class Links {
  readonly #parts: LinksParts;
  readonly #links = new Map<string, Link>();
  readonly #met = new Set<Link>();

  constructor(parts: LinksParts) {
    this.#parts = parts;
  }

  /** All that are open and have said hello. */
  get met(): Iterable<Link> {
    return this.#met;
  }

  /** Those of `met` that are viewers. */
  *members(): Iterable<Link> {
    for (const link of this.#met) if (link.remote.kind === 'member') yield link;
  }

  /** The remote ids of all that are open, greeted or not. */
  ids(): string[] {
    return [...this.#links.keys()];
  }

  get(id: string): Link | null {
    return this.#links.get(id) ?? null;
  }

  /** Takes over an open channel. A newer one to the same peer replaces the older. */
  open(channel: Channel, remote: Remote): void {
    this.#links.get(remote.id)?.close('REPLACED');
    const link = new Link(channel, remote, {
      clock: this.#parts.clock,
      handlers: { ...this.#parts.handlers, hello: (from, body) => this.#hello(from, body) },
      onClose: (closed, code) => this.#closed(closed, code),
    });
    this.#links.set(remote.id, link);
    link.send('hello', this.#parts.hello());
    this.#parts.onOpen?.(link);
  }

  /** Says hello again: what it says changed. */
  greetAgain(): void {
    for (const link of this.#links.values()) link.send('hello', this.#parts.hello());
  }

  /** Says goodbye to everyone. */
  closeAll(code: string): void {
    for (const link of [...this.#links.values()]) link.close(code);
  }

  #hello(link: Link, hello: Bodies['hello']): void {
    if (hello.v !== WIRE_VERSION) {
      link.close('VERSION_OTHER');
      return;
    }
    const isNew = !this.#met.has(link);
    this.#met.add(link);
    this.#parts.onCard(link, hello.card);
    if (isNew) this.#parts.onMeet(link, hello);
    else this.#parts.onGreetedAgain(link, hello);
  }

  #closed(link: Link, code: string): void {
    if (this.#links.get(link.remote.id) === link) this.#links.delete(link.remote.id);
    this.#met.delete(link);
    this.#parts.onClose(link, code);
  }
}
