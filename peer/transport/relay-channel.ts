import { type Bytes, concat, fromBase64url, toBase64url } from '../bytes.ts';
import type { Clock } from '../clock.ts';
import { MatineeError } from '../errors.ts';
import { MAX_FRAME_BYTES } from '../limits.ts';
import type { Channel, ChannelEvents } from './channel.ts';

/** Bytes of a frame in one text at most: with 32 kB of base64 it fits what a broker passes on as a signal. */
const PART_BYTES = 24_000;

/** Bytes of parts on their way at most: the other end says how many it took. Less than a broker holds for a slow reader. */
const WINDOW_BYTES = 256 * 1024;

/**
 * Bytes that wait here at most: the longest chat there can be, for one who just came, and half a megabyte more. Less than what may wait
 * for a data channel, for there can be many relays.
 */
const MAX_QUEUED_BYTES = 3_000_000;

/** After so many bytes taken the other end is told. */
const TELL_EVERY_BYTES = WINDOW_BYTES / 4;

/** Texts at once at most, and after that one in so many milliseconds: half of what a broker lets a member send. */
const BURST_TEXTS = 60;
const TEXT_EVERY_MS = 100;

/** What a text between two ends of a relay says; `more` and `last` carry the next bytes of a frame, `last` its end. */
type Kind = 'more' | 'last' | 'took';

/**
 * A channel whose frames go through the broker as texts, in parts: for who can have no data channel. Slow by design: it
 * keeps within what a broker allows, and carries all but pieces.
 */
export class RelayChannel implements Channel {
  readonly #sendText: (kind: Kind, value: string) => void;
  readonly #onClosing: () => void;
  readonly #clock: Clock;
  #events: ChannelEvents | null = null;
  #queue: { kind: Kind; bytes: Bytes }[] = [];
  #queuedBytes = 0;
  #sentBytes = 0;
  #takenBytes = 0;
  /** What we have told, and been told, of bytes taken. */
  #toldBytes = 0;
  #heardBytes = 0;
  #texts = BURST_TEXTS;
  #textsAtMs: number;
  #cancelTimer: (() => void) | null = null;
  #parts: Bytes[] = [];
  #partsBytes = 0;
  #isClosed = false;

  /** @param sendText hands a text for the other end to the broker. @param onClosing this end closes: the other is to be told. */
  constructor(clock: Clock, sendText: (kind: Kind, value: string) => void, onClosing: () => void) {
    this.#clock = clock;
    this.#sendText = sendText;
    this.#onClosing = onClosing;
    this.#textsAtMs = clock.nowMs();
  }

  get waitingBytes(): number {
    return this.#queuedBytes;
  }

  listen(events: ChannelEvents): void {
    this.#events = events;
  }

  send(frame: Bytes): void {
    if (this.#isClosed) return;
    for (let at = 0; at < frame.byteLength; at += PART_BYTES) {
      const bytes = frame.slice(at, at + PART_BYTES);
      this.#queue.push({ kind: at + PART_BYTES < frame.byteLength ? 'more' : 'last', bytes });
    }
    this.#queuedBytes += frame.byteLength;
    this.#flush();
    if (this.#queuedBytes > MAX_QUEUED_BYTES) this.close();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#onClosing();
    this.ended();
  }

  /** The other end, or the way to it, is gone. */
  ended(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#cancelTimer?.();
    this.#events?.onClose();
  }

  /** A text from the other end. @throws MatineeError FRAME_MALFORMED, after which it is to be closed. */
  received(kind: string, value: string): void {
    if (this.#isClosed) return;
    if (kind === 'took') this.#heard(Number(value));
    else if (kind === 'more' || kind === 'last') this.#take(value, kind === 'last');
    else throw malformed();
  }

  #take(value: string, isLast: boolean): void {
    const bytes = fromBase64url(value);
    if (!bytes || bytes.byteLength === 0) throw malformed();
    this.#partsBytes += bytes.byteLength;
    if (this.#partsBytes > MAX_FRAME_BYTES) throw malformed();
    this.#parts.push(bytes);
    this.#takenBytes += bytes.byteLength;
    if (this.#takenBytes - this.#toldBytes >= TELL_EVERY_BYTES) {
      this.#toldBytes = this.#takenBytes;
      this.#sendText('took', String(this.#takenBytes));
    }
    if (!isLast) return;
    const frame = concat(...this.#parts);
    this.#parts = [];
    this.#partsBytes = 0;
    this.#events?.onFrame(frame);
  }

  #heard(takenBytes: number): void {
    const isPossible = Number.isSafeInteger(takenBytes) && takenBytes <= this.#sentBytes;
    if (!isPossible || takenBytes < this.#heardBytes) throw malformed();
    this.#heardBytes = takenBytes;
    this.#flush();
  }

  #flush(): void {
    for (let next = this.#queue[0]; next; next = this.#queue[0]) {
      if (this.#sentBytes - this.#heardBytes + next.bytes.byteLength > WINDOW_BYTES) return;
      if (!this.#canSendText()) {
        this.#flushLater();
        return;
      }
      this.#queue.shift();
      this.#queuedBytes -= next.bytes.byteLength;
      this.#sentBytes += next.bytes.byteLength;
      this.#sendText(next.kind, toBase64url(next.bytes));
    }
  }

  #canSendText(): boolean {
    const nowMs = this.#clock.nowMs();
    this.#texts = Math.min(BURST_TEXTS, this.#texts + (nowMs - this.#textsAtMs) / TEXT_EVERY_MS);
    this.#textsAtMs = nowMs;
    if (this.#texts < 1) return false;
    this.#texts -= 1;
    return true;
  }

  #flushLater(): void {
    this.#cancelTimer ??= this.#clock.after(TEXT_EVERY_MS, () => {
      this.#cancelTimer = null;
      this.#flush();
    });
  }
}

function malformed(): MatineeError {
  return new MatineeError('FRAME_MALFORMED', 'What came through the broker is no part of a frame.');
}
