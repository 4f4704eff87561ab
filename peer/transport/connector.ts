import * as v from 'valibot';
import { toBase64url } from '../bytes.ts';
import type { Clock } from '../clock.ts';
import { MatineeError } from '../errors.ts';
import type { Channel } from './channel.ts';
import { SimplePeerChannel, type SimplePeerLike } from './simple-peer-channel.ts';

/** How long a connection may take to open: ICE over a bad line takes seconds, a dead peer for ever. */
const CONNECT_TIMEOUT_MS = 20_000;

/** Candidates kept for a call whose offer has not come yet, and of how many peers: those of a refused call trickle in for nothing. */
const MAX_EARLY_SIGNALS = 32;
const MAX_EARLY_PEERS = 64;

/** Offers remembered, so that one replayed by the broker does not end the connection it once made. */
const MAX_OFFERS_KEPT = 1024;

/** Milliseconds for which a busy peer may send us away at most. */
export const MAX_RETRY_MS = 600_000;

const signal = v.object({
  /** Which attempt this belongs to: signals of an older one are ignored. */
  call: v.pipe(v.string(), v.maxLength(32)),
  data: v.variant('type', [
    v.object({ type: v.literal('offer'), sdp: v.string() }),
    v.object({ type: v.literal('answer'), sdp: v.string() }),
    v.object({ type: v.literal('candidate'), candidate: v.looseObject({ candidate: v.string() }) }),
    /** Answers an offer that is not accepted. */
    v.object({
      type: v.literal('busy'),
      retryInMs: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_RETRY_MS)),
    }),
  ]),
});
type Signal = v.InferOutput<typeof signal>;
type Offer = Extract<Signal['data'], { type: 'offer' }>;

/** Not let in: asking again makes sense in so many milliseconds; 0 where nobody can tell. */
export interface Busy {
  retryInMs: number;
}
export type Admission = 'welcome' | Busy;

/** What a connector is made of. */
export interface ConnectorParts {
  selfId: string;
  clock: Clock;
  randomBytes(countBytes: number): Uint8Array;
  createPeer(isInitiator: boolean): SimplePeerLike;
  /** Hands a text to the broker. */
  sendSignal(to: string, text: string): void;
  /** What makes signals unreadable to the broker; and undoes it, or throws. */
  seal(to: string, text: string): Promise<string>;
  unseal(from: string, text: string): Promise<string>;
  /** Whether a connection from this peer is accepted. Whoever is welcome takes a place until onFree. */
  admit(from: string): Admission;
  onChannel(id: string, channel: Channel, isInitiator: boolean): void;
  /** A connection that never opened. `isInitiator`: we dialled. */
  onFailure(id: string, isInitiator: boolean): void;
  /** Nothing has been heard for some seconds on an open connection. It may come back by itself, or be dead. */
  onSilence?(id: string): void;
  /** Our offer was turned away; that call is over. */
  onBusy(id: string, retryInMs: number): void;
  /** Nothing is open or under way to this peer any more, whoever ended it and however. */
  onFree(id: string): void;
  /** A signal that could not be unsealed or read, or an offer that came before: noticed, never obeyed. */
  onBadSignal(from: string, error: unknown): void;
}

interface Call {
  call: string;
  peer: SimplePeerLike;
  isInitiator: boolean;
  /** Whether our offer was answered: there is one answer to it, and any more are replayed. */
  isAnswered: boolean;
  /** Null until it is open. */
  channel: Channel | null;
  cancelTimeout: () => void;
}

/**
 * Turns offers and answers into open channels, one per peer. Both sides may dial at once: the dial of the
 * smaller id stands. An offer that is not accepted is answered at once. Signals are sealed and unsealed in the
 * order they came.
 */
export class Connector {
  readonly #parts: ConnectorParts;
  readonly #calls = new Map<string, Call>();
  readonly #early = new Map<string, Signal[]>();
  /** From whom and of which call each offer was, the oldest first. */
  readonly #offers = new Set<string>();
  #incoming: Promise<void> = Promise.resolve();
  #outgoing: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(parts: ConnectorParts) {
    this.#parts = parts;
  }

  /** Peers connected or being connected. */
  get ids(): string[] {
    return [...this.#calls.keys()];
  }

  /** Whether a connection to this peer is open or under way. */
  has(id: string): boolean {
    return this.#calls.has(id);
  }

  /** The open channel to this peer, or null. */
  channel(id: string): Channel | null {
    return this.#calls.get(id)?.channel ?? null;
  }

  /** Starts a connection, unless there is one. */
  dial(id: string): void {
    if (this.#isClosed || this.#calls.has(id) || id === this.#parts.selfId) return;
    this.#start(id, toBase64url(this.#parts.randomBytes(9)), true);
  }

  /** Takes a signal that the broker passed on. */
  receive(from: string, text: string): void {
    this.#incoming = this.#incoming.then(async () => {
      try {
        const plain = await this.#parts.unseal(from, text);
        if (!this.#isClosed) this.#accept(from, v.parse(signal, JSON.parse(plain)));
      } catch (error) {
        this.#parts.onBadSignal(from, error);
      }
    });
  }

  /** Ends a connection that is open or under way, without telling the peer. */
  hangUp(id: string): void {
    if (this.#drop(id)) this.#parts.onFree(id);
  }

  /** Ends all calls that are under way: the broker was away, and with it what was sent for them. */
  hangUpUnopened(): void {
    for (const [id, { channel }] of [...this.#calls]) if (!channel) this.hangUp(id);
  }

  /** Ends a call that is under way, and lets the peer know when to try again. */
  turnAway(id: string, busy: Busy): void {
    const call = this.#calls.get(id);
    if (!call) return;
    this.#sendBusy(id, call.call, busy);
    this.hangUp(id);
  }

  /** Ends all that is under way, and lets go of what is open: open channels are closed by their owners. */
  close(): void {
    this.#isClosed = true;
    for (const [id, call] of [...this.#calls]) if (!call.channel) this.#drop(id);
    this.#calls.clear();
    this.#early.clear();
  }

  #accept(from: string, { call, data }: Signal): void {
    const current = this.#calls.get(from);
    if (data.type === 'busy') this.#turnedAway(from, call, data);
    else if (data.type === 'offer') this.#offered(from, call, data);
    else if (current?.call !== call) this.#keepEarly(from, { call, data });
    else if (data.type === 'candidate') current.peer.signal(data);
    else if (current.isInitiator && !current.isAnswered) {
      current.isAnswered = true;
      current.peer.signal(data);
    }
  }

  /** A new offer replaces an open or failed connection (the other side lost it), but two dials at once keep the smaller id's. */
  #offered(from: string, call: string, offer: Offer): void {
    if (!this.#isNewOffer(from, call)) throw replayed();
    const current = this.#calls.get(from);
    const isGlare = current?.isInitiator === true && !current.channel;
    if (isGlare && from > this.#parts.selfId) return;
    const early = this.#takeEarly(from);
    // Whom we are dialling ourselves is wanted, and has its place.
    const admission = isGlare ? 'welcome' : this.#parts.admit(from);
    if (admission !== 'welcome') {
      this.#sendBusy(from, call, admission);
      return;
    }
    this.#drop(from);
    this.#answer(from, call, offer);
    for (const signal of early) if (signal.call === call) this.#accept(from, signal);
  }

  #isNewOffer(from: string, call: string): boolean {
    const name = `${from} ${call}`;
    if (this.#offers.has(name)) return false;
    this.#offers.add(name);
    const [oldest] = this.#offers;
    if (this.#offers.size > MAX_OFFERS_KEPT && oldest !== undefined) this.#offers.delete(oldest);
    return true;
  }

  #answer(from: string, call: string, offer: Offer): void {
    try {
      this.#start(from, call, false).peer.signal(offer);
    } catch (error) {
      // It was let in: its place must not stay taken.
      this.#drop(from);
      this.#parts.onFree(from);
      throw error;
    }
  }

  #turnedAway(from: string, call: string, { retryInMs }: Busy): void {
    const current = this.#calls.get(from);
    if (current?.call !== call || !current.isInitiator || current.channel) return;
    this.hangUp(from);
    this.#parts.onBusy(from, retryInMs);
  }

  #sendBusy(to: string, call: string, { retryInMs }: Busy): void {
    this.#send(to, JSON.stringify({ call, data: { type: 'busy', retryInMs } }));
  }

  #drop(id: string): boolean {
    const call = this.#calls.get(id);
    if (!call) return false;
    this.#calls.delete(id);
    call.cancelTimeout();
    if (!call.peer.destroyed) call.peer.destroy();
    return true;
  }

  #start(id: string, call: string, isInitiator: boolean): Call {
    const peer = this.#parts.createPeer(isInitiator);
    const cancelTimeout = this.#parts.clock.after(CONNECT_TIMEOUT_MS, () => peer.destroy());
    const started: Call = { call, peer, isInitiator, isAnswered: false, channel: null, cancelTimeout };
    this.#calls.set(id, started);
    peer.on('signal', (data: unknown) => this.#send(id, JSON.stringify({ call, data })));
    peer.on('connect', () => this.#opened(id, started));
    peer.on('iceStateChange', (state: string) => {
      if (state === 'disconnected' && this.#calls.get(id) === started) this.#parts.onSilence?.(id);
    });
    // simple-peer says 'close' after every 'error': one place decides what follows.
    peer.on('error', () => undefined);
    peer.on('close', () => this.#ended(id, started));
    return started;
  }

  #opened(id: string, call: Call): void {
    call.cancelTimeout();
    if (this.#calls.get(id) !== call) return;
    call.channel = new SimplePeerChannel(call.peer, this.#parts.clock);
    this.#parts.onChannel(id, call.channel, call.isInitiator);
  }

  #ended(id: string, call: Call): void {
    call.cancelTimeout();
    if (this.#calls.get(id) !== call) return;
    this.#calls.delete(id);
    this.#parts.onFree(id);
    if (!call.channel) this.#parts.onFailure(id, call.isInitiator);
  }

  #send(to: string, text: string): void {
    this.#outgoing = this.#outgoing
      .then(() => this.#parts.seal(to, text))
      .then((sealed) => {
        if (!this.#isClosed) this.#parts.sendSignal(to, sealed);
      })
      .catch((error) => this.#parts.onBadSignal(to, error));
  }

  /** Candidates may overtake their offer; an answer to a call that is over is of no use. */
  #keepEarly(from: string, early: Signal): void {
    if (early.data.type !== 'candidate') return;
    const kept = this.#early.get(from) ?? [];
    if (kept.length < MAX_EARLY_SIGNALS) kept.push(early);
    this.#early.set(from, kept);
    const [oldest] = this.#early.keys();
    if (this.#early.size > MAX_EARLY_PEERS && oldest !== undefined) this.#early.delete(oldest);
  }

  #takeEarly(from: string): Signal[] {
    const kept = this.#early.get(from) ?? [];
    this.#early.delete(from);
    return kept;
  }
}

function replayed(): MatineeError {
  return new MatineeError('FRAME_UNEXPECTED', 'An offer came a second time.');
}
