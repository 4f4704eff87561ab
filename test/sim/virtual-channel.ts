import type { Bytes } from '../../peer/bytes.ts';
import type { Clock } from '../../peer/clock.ts';
import type { Channel, ChannelEvents } from '../../peer/transport/channel.ts';

export interface LineParts {
  clock: Clock;
  /** One way. */
  delayMs: number;
  /** Of each direction. */
  bytesPerSec: number;
}

/** One end of a line between two peers on a virtual clock: a queue at the sender's rate, then a delay. */
export class VirtualChannel implements Channel {
  readonly #parts: LineParts;
  #other: VirtualChannel | null = null;
  #events: ChannelEvents | null = null;
  #early: Bytes[] = [];
  #waitingBytes = 0;
  #freeAtMs = 0;
  #isClosed = false;

  constructor(parts: LineParts) {
    this.#parts = parts;
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Joins two ends. */
  join(other: VirtualChannel): void {
    this.#other = other;
    other.#other = this;
  }

  listen(events: ChannelEvents): void {
    this.#events = events;
    for (const frame of this.#early.splice(0)) events.onFrame(frame);
  }

  send(frame: Bytes): void {
    if (this.#isClosed) return;
    const { clock, delayMs, bytesPerSec } = this.#parts;
    this.#waitingBytes += frame.byteLength;
    this.#freeAtMs = Math.max(clock.nowMs(), this.#freeAtMs) + (frame.byteLength * 1000) / bytesPerSec;
    const leaveMs = this.#freeAtMs - clock.nowMs();
    clock.after(leaveMs, () => this.#left(frame.byteLength));
    const sent = frame.slice();
    clock.after(leaveMs + delayMs, () => this.#other?.deliver(sent));
  }

  close(): void {
    if (this.#isClosed) return;
    this.#end();
    this.#parts.clock.after(this.#parts.delayMs, () => this.#other?.vanish());
  }

  /** The line is cut, as when the other side's machine loses power: this end notices now. */
  vanish(): void {
    if (!this.#isClosed) this.#end();
  }

  /** A frame arrives. */
  deliver(frame: Bytes): void {
    if (this.#isClosed) return;
    if (this.#events) this.#events.onFrame(frame);
    else this.#early.push(frame);
  }

  #left(sizeBytes: number): void {
    this.#waitingBytes -= sizeBytes;
  }

  #end(): void {
    this.#isClosed = true;
    this.#events?.onClose();
  }
}

/** Both ends of a new line. */
export function virtualLine(parts: LineParts): [VirtualChannel, VirtualChannel] {
  const ends: [VirtualChannel, VirtualChannel] = [new VirtualChannel(parts), new VirtualChannel(parts)];
  ends[0].join(ends[1]);
  return ends;
}
