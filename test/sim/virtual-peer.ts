import type { Bytes } from '../../peer/bytes.ts';
import type { SimplePeerLike } from '../../peer/transport/simple-peer-channel.ts';
import { Flow, type VirtualHost } from './virtual-network.ts';

/** Round trips that DTLS and ICE take once offer and answer are there. */
const SETUP_ROUND_TRIPS = 2;

/** A host that was cut from the network is noticed by its peers after so long. */
const NOTICED_AFTER_MS = { min: 2_000, max: 5_000 };

type Listener = (value: never) => void;

/** Where peers find each other by what their offers and answers say, and what all of them share. */
export class Lobby {
  readonly #peers = new Map<string, VirtualPeer>();
  readonly #ofHost = new Map<VirtualHost, Set<VirtualPeer>>();
  readonly #random: () => number;
  readonly #canonical: (frame: Bytes) => Bytes;
  #count = 0;

  /** `canonical` gives, for a frame, one with the same bytes to be shared by all who get it. */
  constructor(random: () => number, canonical: (frame: Bytes) => Bytes) {
    this.#random = random;
    this.#canonical = canonical;
  }

  create(host: VirtualHost, isInitiator: boolean): SimplePeerLike {
    const peer = new VirtualPeer(this, host, `sdp ${++this.#count}`, isInitiator);
    this.#peers.set(peer.sdp, peer);
    const own = this.#ofHost.get(host) ?? new Set();
    this.#ofHost.set(host, own.add(peer));
    return peer;
  }

  find(sdp: string): VirtualPeer | null {
    return this.#peers.get(sdp) ?? null;
  }

  /** Connections of this host that are open. */
  openCount(host: VirtualHost): number {
    let count = 0;
    for (const peer of this.#ofHost.get(host) ?? []) if (peer.isOpen) count += 1;
    return count;
  }

  forget(peer: VirtualPeer): void {
    this.#peers.delete(peer.sdp);
    this.#ofHost.get(peer.host)?.delete(peer);
  }

  /** Cuts a host from the network without a goodbye. */
  cut(host: VirtualHost): void {
    host.isCut = true;
    for (const peer of [...(this.#ofHost.get(host) ?? [])]) peer.cut(this.#drawNoticedMs());
  }

  /** What leaves a host when it sends this frame. */
  outgoing(host: VirtualHost, frame: Bytes): Bytes {
    return host.spoil ? host.spoil(frame) : this.#canonical(frame);
  }

  #drawNoticedMs(): number {
    const { min, max } = NOTICED_AFTER_MS;
    return min + (max - min) * this.#random();
  }
}

/** One end of a connection as simple-peer would have it: offer, answer, then frames both ways. */
export class VirtualPeer implements SimplePeerLike {
  readonly host: VirtualHost;
  /** What stands for our session description. */
  readonly sdp: string;
  readonly _channel = new LowWaterChannel();
  destroyed = false;
  readonly #lobby: Lobby;
  readonly #listeners = new Map<string, Listener[]>();
  #other: VirtualPeer | null = null;
  #flow: Flow | null = null;

  constructor(lobby: Lobby, host: VirtualHost, sdp: string, isInitiator: boolean) {
    this.#lobby = lobby;
    this.host = host;
    this.sdp = sdp;
    if (isInitiator) queueMicrotask(() => this.#describe('offer'));
  }

  get bufferSize(): number {
    return this.#flow?.waitingBytes ?? 0;
  }

  get isOpen(): boolean {
    return this.#flow !== null && !this.destroyed;
  }

  on(event: string, listener: Listener): void {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
  }

  signal(data: unknown): void {
    const { type, sdp } = data as { type: string; sdp: string };
    const other = this.#lobby.find(sdp);
    if (this.destroyed || !other) return;
    this.#other = other;
    if (type === 'offer') queueMicrotask(() => this.#describe('answer'));
    else this.#connectWith(other);
  }

  send(data: Uint8Array): void {
    if (!this.#flow || this.destroyed) throw new Error('cannot send: not connected');
    this.#flow.send(this.#lobby.outgoing(this.host, data as Bytes));
  }

  destroy(): void {
    const other = this.#other;
    const wasOpen = this.isOpen;
    if (!this.#end() || !wasOpen || !other || this.host.isCut) return;
    const { network } = this.host;
    network.clock.step(network.delayMs(this.host, other.host), () => {
      // Behind what is still in the other's downlink.
      network.clock.step(other.host.downlinkWaitMs, () => other.#end());
      return false;
    });
  }

  /** Our host is cut from the network; the other end notices after so long. */
  cut(noticedAfterMs: number): void {
    const other = this.#other;
    const wasOpen = this.isOpen;
    this.#end();
    if (wasOpen && other) this.host.network.clock.step(noticedAfterMs, () => other.#end());
  }

  #describe(type: 'offer' | 'answer'): void {
    if (!this.destroyed) this.#emit('signal', { type, sdp: this.sdp });
  }

  #connectWith(other: VirtualPeer): void {
    const { network } = this.host;
    const setupMs = SETUP_ROUND_TRIPS * 2 * network.delayMs(this.host, other.host);
    network.clock.after(setupMs, () => {
      const isDead = this.destroyed || other.destroyed || this.host.isCut || other.host.isCut;
      if (isDead || other.#other !== this) return;
      this.#open(other);
      other.#open(this);
      this.#emit('connect');
      other.#emit('connect');
    });
  }

  #open(other: VirtualPeer): void {
    this.#flow = new Flow(this.host, other.host, {
      onLeft: (before) => this._channel.left(before, this.bufferSize),
      onFrame: (frame) => {
        if (!other.destroyed) other.#emit('data', frame);
      },
    });
  }

  /** Closes this end; false where it was closed. */
  #end(): boolean {
    if (this.destroyed) return false;
    this.destroyed = true;
    this.#lobby.forget(this);
    this.#flow?.cut();
    this.#emit('close');
    return true;
  }

  #emit(event: string, value?: unknown): void {
    for (const listener of this.#listeners.get(event) ?? []) (listener as (value: unknown) => void)(value);
  }
}

/** The part of RTCDataChannel that tells when the send buffer is low. Lighter than Node's own EventTarget. */
class LowWaterChannel implements EventTarget {
  bufferedAmountLowThreshold = 0;
  readonly #listeners: (() => void)[] = [];

  addEventListener(type: string, listener: EventListenerOrEventListenerObject | null): void {
    if (type === 'bufferedamountlow' && typeof listener === 'function')
      this.#listeners.push(listener as () => void);
  }

  removeEventListener(): void {
    throw new Error('not needed so far');
  }

  dispatchEvent(): boolean {
    for (const listener of this.#listeners) listener();
    return true;
  }

  /** The buffer went down. Returns whether anybody was told (W3C WebRTC 1.0, section 6.2: when it crosses the threshold). */
  left(before: number, after: number): boolean {
    const isLow = before > this.bufferedAmountLowThreshold && after <= this.bufferedAmountLowThreshold;
    return isLow && this.dispatchEvent();
  }
}
