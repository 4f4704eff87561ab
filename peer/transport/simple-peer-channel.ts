import type { Bytes } from '../bytes.ts';
import type { Clock } from '../clock.ts';
import type { Channel, ChannelEvents } from './channel.ts';

/** The part of simple-peer we stand on. Handed in, so that this code names neither the package nor its WebRTC. */
export interface SimplePeerLike {
  readonly destroyed: boolean;
  readonly bufferSize: number;
  send(data: Uint8Array): void;
  signal(data: unknown): void;
  destroy(): unknown;
  on(event: string, listener: (value: never) => void): unknown;
  /** simple-peer's own field: the only way to its low-water event without its 64 kB stream buffering. */
  readonly _channel?: (EventTarget & { bufferedAmountLowThreshold?: number }) | null;
}

/**
 * How soon the buffer is looked at where the platform has no low-water event (wrtc): at 60 MB/s 128 KiB last 2 ms. Where it
 * drains slowly, less and less often.
 */
const POLL_MS = 2;
const MAX_POLL_MS = 16;

/** How long goodbye may take to leave before the connection is torn down under it. */
const LINGER_MS = 200;

/** A connected simple-peer as a Channel. Takes it over: closing the channel destroys the peer. */
export class SimplePeerChannel implements Channel {
  readonly #peer: SimplePeerLike;
  readonly #clock: Clock;
  readonly #hasLowEvent: boolean;
  #events: ChannelEvents | null = null;
  #drainBytes: number | null = null;
  #isClosed = false;
  #cancelPoll: (() => void) | null = null;
  #cancelLinger: (() => void) | null = null;

  constructor(peer: SimplePeerLike, clock: Clock) {
    this.#peer = peer;
    this.#clock = clock;
    const inner = peer._channel;
    this.#hasLowEvent = typeof inner?.bufferedAmountLowThreshold === 'number';
    if (inner && this.#hasLowEvent) inner.addEventListener('bufferedamountlow', () => this.#drained());
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

  // Asked for by who waits, rather than noted while sending: wrtc's count of waiting bytes lags behind what it was given.
  askForDrain(lowBytes: number): void {
    if (this.#isClosed) return;
    this.#drainBytes = lowBytes;
    const inner = this.#peer._channel;
    if (inner && this.#hasLowEvent) inner.bufferedAmountLowThreshold = lowBytes;
    if (!this.#hasLowEvent || this.waitingBytes <= lowBytes) this.#poll();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancelPoll?.();
    this.#cancelLinger = this.#clock.after(LINGER_MS, () => this.#peer.destroy());
    this.#events?.onClose();
  }

  #closed(): void {
    this.#cancelPoll?.();
    this.#cancelLinger?.();
    if (!this.#peer.destroyed) this.#peer.destroy();
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#events?.onClose();
  }

  #drained(): void {
    if (this.#drainBytes === null || this.waitingBytes > this.#drainBytes || this.#isClosed) return;
    this.#drainBytes = null;
    this.#events?.onDrain();
  }

  #poll(delayMs = POLL_MS): void {
    this.#cancelPoll ??= this.#clock.after(delayMs, () => {
      this.#cancelPoll = null;
      this.#drained();
      const isDue = this.#drainBytes !== null && !this.#hasLowEvent;
      if (isDue) this.#poll(Math.min(MAX_POLL_MS, delayMs * 2));
    });
  }
}
