import type { Bytes } from '../../peer/bytes.ts';
import { PIECE_HEADER_BYTES } from '../../peer/wire/frame.ts';
import { MESSAGES } from '../../peer/wire/messages.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** What one connection sends before the next gets its turn at a shared uplink. */
const QUANTUM_BYTES = 4096;

/** Where a host is: the farther apart two are, the longer the way. */
export interface Place {
  x: number;
  y: number;
}

export interface HostParts {
  name: string;
  upBytesPerSec: number;
  downBytesPerSec: number;
  place: Place;
}

/** What a host sent or received. Frames of the wire protocol; piece headers count as control. */
export class Ledger {
  mediaBytes = 0;
  controlBytes = 0;
  /** Anything else: the page that a viewer loads first. */
  pageBytes = 0;
  /** Control frames, by their type byte. */
  readonly counts = new Map<number, number>();
  readonly bytes = new Map<number, number>();

  note(frame: Bytes): void {
    const type = frame[0] ?? 0;
    this.counts.set(type, (this.counts.get(type) ?? 0) + 1);
    this.bytes.set(type, (this.bytes.get(type) ?? 0) + frame.byteLength);
    if (type === PAGE_TYPE) {
      this.pageBytes += frame.byteLength;
    } else if (type === MESSAGES.piece.type) {
      this.mediaBytes += frame.byteLength - PIECE_HEADER_BYTES;
      this.controlBytes += PIECE_HEADER_BYTES;
    } else {
      this.controlBytes += frame.byteLength;
    }
  }
}

/** The first byte of what is no frame of the wire protocol. */
export const PAGE_TYPE = 0;

export interface NetworkParts {
  clock: VirtualClock;
  /** Round trips between two hosts are between these, by their places. */
  minRoundTripMs: number;
  maxRoundTripMs: number;
}

/** The ways between hosts: how long each takes. */
export class VirtualNetwork {
  readonly clock: VirtualClock;
  readonly #parts: NetworkParts;

  constructor(parts: NetworkParts) {
    this.clock = parts.clock;
    this.#parts = parts;
  }

  /** One way between two hosts, milliseconds. */
  delayMs(a: VirtualHost, b: VirtualHost): number {
    const { minRoundTripMs, maxRoundTripMs } = this.#parts;
    const distance = Math.hypot(a.place.x - b.place.x, a.place.y - b.place.y) / Math.SQRT2;
    return (minRoundTripMs + (maxRoundTripMs - minRoundTripMs) * distance) / 2;
  }
}

/** A machine in the network: one uplink and one downlink for all its connections. */
export class VirtualHost {
  readonly name: string;
  readonly place: Place;
  readonly network: VirtualNetwork;
  readonly sent = new Ledger();
  readonly received = new Ledger();
  /** Cut from the network: nothing leaves it or reaches it any more. */
  isCut = false;
  /** Changes what it sends, where it lies. */
  spoil: ((frame: Bytes) => Bytes) | null = null;
  /** Hears of every frame just before it is delivered. */
  onReceive: (from: VirtualHost, frame: Bytes) => void = () => undefined;
  readonly #parts: HostParts;
  readonly #turns: Flow[] = [];
  #isSending = false;
  #downFreeAtMs = 0;

  constructor(network: VirtualNetwork, parts: HostParts) {
    this.network = network;
    this.name = parts.name;
    this.place = parts.place;
    this.#parts = parts;
  }

  /** Milliseconds until what reaches this host now would be through its downlink. */
  get downlinkWaitMs(): number {
    return Math.max(0, this.#downFreeAtMs - this.network.clock.nowMs());
  }

  /** This flow has something to send: it gets its turn. */
  queue(flow: Flow): void {
    this.#turns.push(flow);
    if (!this.#isSending) this.#sendNext();
  }

  /** So many bytes reached this host's downlink. Returns when they are through, milliseconds from now. */
  takeIn(sizeBytes: number): number {
    const nowMs = this.network.clock.nowMs();
    const freeAtMs = Math.max(nowMs, this.#downFreeAtMs);
    this.#downFreeAtMs = freeAtMs + (sizeBytes * 1000) / this.#parts.downBytesPerSec;
    return this.#downFreeAtMs - nowMs;
  }

  #sendNext(): void {
    const flow = this.#turns.shift();
    this.#isSending = flow !== undefined;
    if (!flow) return;
    const sizeBytes = flow.nextBytes(QUANTUM_BYTES);
    this.network.clock.step((sizeBytes * 1000) / this.#parts.upBytesPerSec, () => {
      const isHeard = flow.left(sizeBytes);
      if (flow.waitingBytes > 0) this.#turns.push(flow);
      this.#sendNext();
      return isHeard;
    });
  }
}

export interface FlowEvents {
  /** Bytes left the uplink; so many were waiting before. Returns whether anybody was told. */
  onLeft(waitingBefore: number): boolean;
  onFrame(frame: Bytes): void;
}

/** One direction of a connection: frames in order, through the sender's uplink, the way, and the receiver's downlink. */
export class Flow {
  readonly #from: VirtualHost;
  readonly #to: VirtualHost;
  readonly #delayMs: number;
  readonly #events: FlowEvents;
  #frames: Bytes[] = [];
  /** How much of the first frame has left. */
  #leftBytes = 0;
  #waitingBytes = 0;
  #isQueued = false;

  constructor(from: VirtualHost, to: VirtualHost, events: FlowEvents) {
    this.#from = from;
    this.#to = to;
    this.#delayMs = from.network.delayMs(from, to);
    this.#events = events;
  }

  /** Bytes that have not left the uplink. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  send(frame: Bytes): void {
    if (this.#from.isCut) return;
    this.#frames.push(frame);
    this.#waitingBytes += frame.byteLength;
    if (!this.#isQueued) this.#from.queue(this);
    this.#isQueued = true;
  }

  /** Forgets what has not left. */
  cut(): void {
    this.#frames = [];
    this.#waitingBytes = 0;
    this.#leftBytes = 0;
  }

  /** How much of the first frame may leave next. */
  nextBytes(mostBytes: number): number {
    const first = this.#frames[0];
    return first ? Math.min(mostBytes, first.byteLength - this.#leftBytes) : 0;
  }

  /** So much of the first frame has left. Returns whether anybody was told. */
  left(sizeBytes: number): boolean {
    const first = this.#frames[0];
    if (!first || sizeBytes === 0) {
      // Cut while it was leaving, and perhaps given new frames since.
      this.#isQueued = this.#waitingBytes > 0;
      return false;
    }
    const before = this.#waitingBytes;
    this.#waitingBytes -= sizeBytes;
    this.#leftBytes += sizeBytes;
    const isWhole = this.#leftBytes >= first.byteLength;
    if (isWhole) {
      this.#frames.shift();
      this.#leftBytes = 0;
      this.#from.sent.note(first);
    }
    this.#isQueued = this.#waitingBytes > 0;
    if (!this.#from.isCut) this.#travel(sizeBytes, isWhole ? first : null);
    return this.#events.onLeft(before);
  }

  /** Part of a frame is on its way; with the last part comes `whole`. */
  #travel(sizeBytes: number, whole: Bytes | null): void {
    const { clock } = this.#from.network;
    clock.step(this.#delayMs, () => {
      if (this.#to.isCut) return false;
      const waitMs = this.#to.takeIn(sizeBytes);
      if (whole) clock.step(waitMs, () => this.#arrive(whole));
      return false;
    });
  }

  #arrive(frame: Bytes): boolean {
    if (this.#to.isCut) return false;
    this.#to.received.note(frame);
    this.#to.onReceive(this.#from, frame);
    this.#events.onFrame(frame);
    return true;
  }
}
