import { toBase64url } from '../bytes.ts';
import type { Clock } from '../clock.ts';
import type { Channel } from './channel.ts';
import { RelayChannel } from './relay-channel.ts';

/** What texts of relays begin with: all else that a broker passes on is the connector's. */
const PREFIX = 'relay ';

/** relay <call> <kind> [<value>]; the kinds besides a channel's own: open, end. */
const TEXT = /^relay ([A-Za-z0-9_-]{1,32}) ([a-z]{1,8})(?: ([A-Za-z0-9_-]{0,32768}))?$/;

export interface RelaysParts {
  clock: Clock;
  randomBytes(countBytes: number): Uint8Array;
  /** Hands a text to the broker. */
  sendSignal(to: string, text: string): void;
  /** Whether this one may open a relay to us. */
  admit(from: string): boolean;
  /** A relay is open. */
  onChannel(id: string, channel: Channel): void;
  /** A relay that we opened, or that was open, is gone. */
  onEnd(id: string): void;
}

interface Relay {
  call: string;
  channel: RelayChannel;
}

/** Whether a text that the broker passed on belongs to a relay. */
export function isRelayText(text: string): boolean {
  return text.startsWith(PREFIX);
}

/** Channels through the broker, one for each peer at most; a newer one takes an older one's place. */
export class Relays {
  readonly #parts: RelaysParts;
  readonly #relays = new Map<string, Relay>();
  #isClosed = false;

  constructor(parts: RelaysParts) {
    this.#parts = parts;
  }

  get count(): number {
    return this.#relays.size;
  }

  has(id: string): boolean {
    return this.#relays.has(id);
  }

  /** Opens a relay to this peer, unless there is one. It counts as open at once: what is sent waits at the other end, or comes back as the end. */
  open(id: string): void {
    if (this.#isClosed || this.#relays.has(id)) return;
    const call = toBase64url(this.#parts.randomBytes(9));
    this.#send(id, call, 'open');
    this.#start(id, call);
  }

  /** Takes a text that the broker passed on. What makes no sense ends the relay. */
  receive(from: string, text: string): void {
    const [, call, kind, value = ''] = TEXT.exec(text) ?? [];
    if (this.#isClosed || call === undefined || kind === undefined) return;
    const relay = this.#relays.get(from);
    if (kind === 'open') this.#opened(from, call);
    else if (relay?.call !== call) this.#refuse(from, call, kind);
    else if (kind === 'end') this.lost(from);
    else this.#take(relay, kind, value);
  }

  /** The way to this peer is gone. */
  lost(id: string): void {
    const relay = this.#relays.get(id);
    if (!relay) return;
    this.#relays.delete(id);
    relay.channel.ended();
    this.#parts.onEnd(id);
  }

  /** The broker is away, and with it every relay. */
  lostAll(): void {
    for (const id of [...this.#relays.keys()]) this.lost(id);
  }

  /** Lets go of all: open channels are closed by their owners. */
  close(): void {
    this.#isClosed = true;
    this.#relays.clear();
  }

  #opened(from: string, call: string): void {
    this.lost(from);
    if (this.#parts.admit(from)) this.#start(from, call);
    else this.#send(from, call, 'end');
  }

  /** Nobody here knows that relay any more: its other end should know. */
  #refuse(from: string, call: string, kind: string): void {
    if (kind !== 'end') this.#send(from, call, 'end');
  }

  #take({ channel }: Relay, kind: string, value: string): void {
    try {
      channel.received(kind, value);
    } catch {
      channel.close();
    }
  }

  #start(id: string, call: string): void {
    const channel = new RelayChannel(
      this.#parts.clock,
      (kind, value) => this.#send(id, call, kind, value),
      () => this.#closing(id, call),
    );
    this.#relays.set(id, { call, channel });
    this.#parts.onChannel(id, channel);
  }

  #closing(id: string, call: string): void {
    this.#send(id, call, 'end');
    if (this.#relays.get(id)?.call !== call) return;
    this.#relays.delete(id);
    this.#parts.onEnd(id);
  }

  #send(to: string, call: string, kind: string, value?: string): void {
    this.#parts.sendSignal(to, `${PREFIX}${call} ${kind}${value === undefined ? '' : ` ${value}`}`);
  }
}
