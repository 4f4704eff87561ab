import type { Bytes } from '../bytes.ts';
import type { Clock } from '../clock.ts';
import { asMatineeError } from '../errors.ts';
import { MAX_WAITING_BYTES } from '../limits.ts';
import type { Channel } from '../transport/channel.ts';
import { decodeFrame, encodeFrame, PIECE_HEADER_BYTES } from './frame.ts';
import { FrameAllowance } from './frame-allowance.ts';
import type { Bodies, Message, MessageName } from './messages.ts';

/** How often a peer is asked whether it is there, and how far off, unless it asks us and no pieces come or go; and how long it may stay silent after that. */
const PING_EVERY_MS = 5_000;
const SILENCE_MS = 15_000;

/** What a part of a peer does with the messages that are its business. */
export type Handlers = { [N in MessageName]?: (link: Link, body: Bodies[N]) => void };

export type PeerKind = 'origin' | 'member';

/** Who is at the other end, as signaling said: what a peer claims of itself is not asked. */
export interface Remote {
  id: string;
  kind: PeerKind;
  /** Reached through the broker, for want of a data channel: for all but pieces. */
  isRelayed?: boolean;
}

/** The way to a peer: a data channel, one through a TURN server, or the broker. */
export type Route = 'direct' | 'turn' | 'broker';

export interface LinkParts {
  clock: Clock;
  handlers: Handlers;
  /** The link is closed; `code` says why where we, or the peer in its goodbye, knew. */
  onClose(link: Link, code: string): void;
}

/**
 * One connection to one peer: frames in and out, what they add up to, and whether the peer is still there.
 * Control frames go straight to the channel; pieces wait until the line has room for them (swarm/uplink.ts), so
 * that whatever else there is to say never queues behind much media.
 */
export class Link {
  readonly remote: Remote;
  readonly #channel: Channel;
  readonly #parts: LinkParts;
  readonly #allowance: FrameAllowance;
  /** Ciphertext of pieces, headers not counted. */
  mediaReceivedBytes = 0;
  mediaSentBytes = 0;
  /** All frames. */
  receivedBytes = 0;
  sentBytes = 0;
  roundTripMs: number | null = null;
  #isOpen = true;
  #closeCode = 'CLOSED';
  #lastHeardMs: number;
  #ping = { n: 0, sentMs: 0, isOut: false };
  /** The peer asked us since we last looked: it is there, and our answer says the same of us. */
  #wasAsked = false;
  /** Of pieces either way, when we last looked. */
  #mediaBytes = 0;
  #cancelPing: () => void;
  /** When it was last told to answer; null where it need not. */
  #probedMs: number | null = null;
  #cancelProbe: () => void = () => undefined;

  constructor(channel: Channel, remote: Remote, parts: LinkParts) {
    this.#channel = channel;
    this.remote = remote;
    this.#parts = parts;
    this.#allowance = new FrameAllowance(parts.clock);
    this.#lastHeardMs = parts.clock.nowMs();
    this.#cancelPing = () => undefined;
    channel.listen({
      onFrame: (frame) => this.#receive(frame),
      onClose: () => this.#closed(),
    });
    this.#sendPing();
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get route(): Route {
    if (this.remote.isRelayed) return 'broker';
    return this.#channel.isTurned ? 'turn' : 'direct';
  }

  /** Closes the connection unless something is heard on it within so many milliseconds. Asked once more, a silent one gets no more time. */
  mustAnswerWithin(waitMs: number): void {
    if (this.#probedMs !== null && this.#lastHeardMs <= this.#probedMs) return;
    const askedMs = this.#parts.clock.nowMs();
    this.#probedMs = askedMs;
    this.#ping = { n: (this.#ping.n + 1) >>> 0, sentMs: askedMs, isOut: true };
    this.send('ping', { n: this.#ping.n });
    this.#cancelProbe();
    this.#cancelProbe = this.#parts.clock.after(waitMs, () => {
      this.#probedMs = null;
      if (this.#lastHeardMs <= askedMs) this.close('PEER_SILENT');
    });
  }

  /** Sends a control message. A peer that takes nothing any more is closed as PEER_SILENT. */
  send<N extends Exclude<MessageName, 'piece'>>(name: N, body: Bodies[N]): void {
    if (this.#isOpen) this.sendFrame(encodeFrame(name, body));
  }

  /** Sends a control message that is encoded already, as one that goes to many. */
  sendFrame(frame: Bytes): void {
    if (!this.#isOpen) return;
    this.#transmit(frame);
    if (this.#channel.waitingBytes > MAX_WAITING_BYTES) this.close('PEER_SILENT');
  }

  /** Sends a frame made by allocatePieceFrame, whose memory is the caller's again afterwards. */
  sendPiece(frame: Bytes): void {
    if (!this.#isOpen) return;
    this.mediaSentBytes += frame.byteLength - PIECE_HEADER_BYTES;
    this.#transmit(frame);
  }

  /** Says goodbye with a reason code and closes. May be called again. */
  close(code: string): void {
    if (!this.#isOpen) return;
    this.#closeCode = code;
    this.#transmit(encodeFrame('goodbye', { code }));
    this.#channel.close();
  }

  #transmit(frame: Bytes): void {
    this.sentBytes += frame.byteLength;
    this.#channel.send(frame);
  }

  #receive(frame: Bytes): void {
    if (!this.#isOpen) return;
    this.#lastHeardMs = this.#parts.clock.nowMs();
    this.receivedBytes += frame.byteLength;
    try {
      const message = decodeFrame(frame);
      if (this.#allowance.canTake(message.name)) this.#dispatch(message);
      else this.close('PEER_FLOODING');
    } catch (error) {
      this.close(asMatineeError(error, 'FRAME_MALFORMED', 'frame not understood').code);
    }
  }

  #dispatch(message: Message): void {
    if (message.name === 'ping') this.#pinged(message.body);
    else if (message.name === 'pong') this.#ponged(message.body.n);
    else if (message.name === 'goodbye') this.#leave(message.body.code);
    else this.#handle(message.name, message.body);
    if (message.name === 'piece') this.mediaReceivedBytes += message.body.data.byteLength;
  }

  #handle<N extends MessageName>(name: N, body: Bodies[N]): void {
    this.#parts.handlers[name]?.(this, body);
  }

  #leave(code: string): void {
    this.#closeCode = code;
    this.#channel.close();
  }

  #pinged(ping: Bodies['ping']): void {
    this.#wasAsked = true;
    this.send('pong', ping);
  }

  #ponged(n: number): void {
    if (!this.#ping.isOut || n !== this.#ping.n) return;
    this.#ping.isOut = false;
    const sampleMs = this.#parts.clock.nowMs() - this.#ping.sentMs;
    this.roundTripMs = this.roundTripMs === null ? sampleMs : this.roundTripMs * 0.7 + sampleMs * 0.3;
  }

  /** Silence counts from our question, not from the clock: a sleeping tab asks late, and must not take that for the peer's. */
  #sendPing(): void {
    const nowMs = this.#parts.clock.nowMs();
    const isSilent = this.#ping.isOut && this.#lastHeardMs < this.#ping.sentMs;
    if (isSilent && nowMs - this.#ping.sentMs > SILENCE_MS) {
      this.close('PEER_SILENT');
      return;
    }
    if (!this.#isAtRest() && (!this.#ping.isOut || !isSilent)) {
      this.#ping = { n: (this.#ping.n + 1) >>> 0, sentMs: nowMs, isOut: true };
      this.send('ping', { n: this.#ping.n });
    }
    this.#cancelPing = this.#parts.clock.after(PING_EVERY_MS, () => this.#sendPing());
  }

  /** Whether one of us asks already, and nothing depends on how far off the other is. Most of what an idle viewer costs the origin is being asked. */
  #isAtRest(): boolean {
    const mediaBytes = this.mediaReceivedBytes + this.mediaSentBytes;
    const isAtRest = this.#wasAsked && this.roundTripMs !== null && mediaBytes === this.#mediaBytes;
    this.#wasAsked = false;
    this.#mediaBytes = mediaBytes;
    return isAtRest;
  }

  #closed(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#cancelPing();
    this.#cancelProbe();
    this.#parts.onClose(this, this.#closeCode);
  }
}
