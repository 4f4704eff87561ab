import type { Clock } from '../../peer/clock.ts';
import type { SimplePeerLike } from '../../peer/transport/simple-peer-channel.ts';

/** Candidates that each end finds, as a machine with a few addresses does. */
const CANDIDATES = 3;

/** After so long without a sound ICE calls a connection disconnected, as Chromium's does. */
const DISCONNECTED_AFTER_MS = 5000;

type Listener = (value: never) => void;

/** Where fake peers find each other by what their offers and answers say. */
export class FakePeers {
  readonly #clock: Clock;
  readonly #delayMs: number;
  readonly #peers = new Map<string, FakePeer>();
  madeCount = 0;

  /** @param delayMs from the answer to the open channel, and until one end hears what the other sent, or that it closed. */
  constructor(clock: Clock, delayMs: number) {
    this.#clock = clock;
    this.#delayMs = delayMs;
  }

  /** Peers that are not destroyed. */
  get aliveCount(): number {
    return this.#peers.size;
  }

  create(isInitiator: boolean): FakePeer {
    const sdp = `sdp ${++this.madeCount}`;
    const peer = new FakePeer(this, sdp, isInitiator);
    this.#peers.set(sdp, peer);
    return peer;
  }

  find(sdp: string): FakePeer | null {
    return this.#peers.get(sdp) ?? null;
  }

  forget(sdp: string): void {
    this.#peers.delete(sdp);
  }

  later(run: () => void, delayMs = this.#delayMs): void {
    this.#clock.after(delayMs, run);
  }
}

/** One end of a connection as simple-peer has it: an offer or answer and candidates, then it is open and carries frames, all at the same pace. */
export class FakePeer implements SimplePeerLike {
  readonly bufferSize = 0;
  readonly #all: FakePeers;
  readonly #sdp: string;
  readonly #listeners = new Map<string, Listener[]>();
  #other: FakePeer | null = null;
  #isSilent = false;
  /** What is under way meanwhile: a data channel repeats it until it gets through. */
  readonly #held: (() => void)[] = [];
  destroyed = false;

  constructor(all: FakePeers, sdp: string, isInitiator: boolean) {
    this.#all = all;
    this.#sdp = sdp;
    if (isInitiator) queueMicrotask(() => this.#describe('offer'));
  }

  on(event: string, listener: Listener): void {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
  }

  signal(data: unknown): void {
    if (this.destroyed) throw new Error('cannot signal after peer is destroyed');
    const { type, sdp } = data as { type: string; sdp?: string };
    const other = sdp === undefined ? null : this.#all.find(sdp);
    if (!other) return;
    this.#other = other;
    if (type === 'offer') this.#describe('answer');
    else this.#all.later(() => this.#open(other));
  }

  /** From now on nothing gets through, either way, until it does again; the other end is not told of anything. */
  setSilent(isSilent: boolean): void {
    this.#isSilent = isSilent;
    if (!isSilent) {
      for (const deliver of this.#held.splice(0)) deliver();
      return;
    }
    this.#all.later(() => {
      if (this.#isSilent && !this.destroyed) this.#emit('iceStateChange', 'disconnected');
    }, DISCONNECTED_AFTER_MS);
  }

  send(data: Uint8Array): void {
    const other = this.#other;
    // As a real one does: what was sent is the sender's again.
    const sent = data.slice();
    const deliver = (): void => {
      const silent = [this, ...(other ? [other] : [])].find((peer) => peer.#isSilent);
      if (silent) silent.#held.push(deliver);
      else if (other && !other.destroyed) other.#emit('data', sent);
    };
    this.#all.later(deliver);
  }

  destroy(): void {
    const other = this.#other;
    if (!this.#end() || !other || this.#isSilent) return;
    this.#all.later(() => other.#end());
  }

  #describe(type: 'offer' | 'answer'): void {
    if (this.destroyed) return;
    this.#emit('signal', { type, sdp: this.#sdp });
    for (let i = 0; i < CANDIDATES; i++)
      this.#emit('signal', { type: 'candidate', candidate: { candidate: this.#sdp } });
  }

  #open(other: FakePeer): void {
    if (this.destroyed || other.destroyed || other.#other !== this) return;
    this.#emit('connect');
    other.#emit('connect');
  }

  #end(): boolean {
    if (this.destroyed) return false;
    this.destroyed = true;
    this.#all.forget(this.#sdp);
    // As simple-peer does: never from inside destroy().
    queueMicrotask(() => this.#emit('close'));
    return true;
  }

  #emit(event: string, value?: unknown): void {
    for (const listener of this.#listeners.get(event) ?? []) (listener as (value: unknown) => void)(value);
  }
}
