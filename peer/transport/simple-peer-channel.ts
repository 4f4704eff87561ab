import type { Bytes } from '../bytes.ts';
import type { Clock } from '../clock.ts';
import type { Channel, ChannelEvents } from './channel.ts';
import { isThroughTurn, type StatsRow } from './turn-route.ts';

/** The part of simple-peer we stand on. Handed in, so that this code names neither the package nor its WebRTC. */
export interface SimplePeerLike {
  readonly destroyed: boolean;
  readonly bufferSize: number;
  send(data: Uint8Array): void;
  signal(data: unknown): void;
  destroy(): unknown;
  getStats?(tell: (error: unknown, rows?: StatsRow[]) => void): void;
  on(event: string, listener: (value: never) => void): unknown;
}

/** How long goodbye may take to leave before the connection is torn down under it. */
const LINGER_MS = 200;

/** A connected simple-peer as a Channel. Takes it over: closing the channel destroys the peer. */
export class SimplePeerChannel implements Channel {
  readonly #peer: SimplePeerLike;
  readonly #clock: Clock;
  #events: ChannelEvents | null = null;
  #isClosed = false;
  #cancelLinger: (() => void) | null = null;
  #isTurned = false;

  constructor(peer: SimplePeerLike, clock: Clock) {
    this.#peer = peer;
    this.#clock = clock;
    peer.getStats?.((error, rows) => {
      if (!error && rows) this.#isTurned = isThroughTurn(rows);
    });
  }

  get isTurned(): boolean {
    return this.#isTurned;
  }

  get waitingBytes(): number {
    return this.#peer.destroyed ? 0 : this.#peer.bufferSize;
  }

  listen(events: ChannelEvents): void {
    this.#events = events;
    this.#peer.on('data', (data: Bytes) => {
      if (!this.#isClosed) events.onFrame(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    });
    // A failed connection closes like any other: 'close' follows 'error', and reconnecting is the owner's matter.
    this.#peer.on('error', () => this.#closed());
    this.#peer.on('close', () => this.#closed());
  }

  send(frame: Bytes): void {
    if (this.#isClosed || this.#peer.destroyed) return;
    try {
      this.#peer.send(frame);
    } catch {
      // The channel closed between the check and the call; simple-peer throws instead of telling.
      this.#closed();
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancelLinger = this.#clock.after(LINGER_MS, () => this.#peer.destroy());
    this.#events?.onClose();
  }

  #closed(): void {
    this.#cancelLinger?.();
    if (!this.#peer.destroyed) this.#peer.destroy();
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#events?.onClose();
  }
}
