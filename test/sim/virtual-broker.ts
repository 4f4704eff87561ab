import * as v from 'valibot';
import { toBase64url } from '../../peer/bytes.ts';
import type { Mailbox } from '../../signaling/bus.ts';
import type { WebSocketLike } from '../../signaling/client.ts';
import { InOrder } from '../../signaling/in-order.ts';
import { MemoryBus } from '../../signaling/memory-bus.ts';
import { type FromServer, fromClient } from '../../signaling/messages.ts';
import { Refusal } from '../../signaling/refusal.ts';
import { type Desk, Session } from '../../signaling/session.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** One way to the broker. */
const DELAY_MS = 30;

/** TCP's handshake and the upgrade: a round trip each. */
const OPENING_MS = 4 * DELAY_MS;

/** A machine that was cut off is noticed by the next heartbeat but one. */
const NOTICED_AFTER_MS = 60_000;

const clientText = v.pipe(v.string(), v.parseJson(), fromClient);

/** The signaling server's own sessions and bus; only the sockets are not real. Everybody is admitted. */
export class VirtualBroker {
  readonly originKey = 'the secret of the simulated origin';
  readonly #clock: VirtualClock;
  readonly #desk: Desk;
  /** Messages that clients sent. */
  messageCount = 0;
  #socketCount = 0;

  constructor(clock: VirtualClock, random: () => number) {
    this.#clock = clock;
    this.#desk = {
      bus: new MemoryBus(random, () => clock.nowMs()),
      door: { admit: async () => 'ok', mayMeet: async () => true },
      originKey: this.originKey,
      iceServers: [],
    };
  }

  /** Opens a socket of a machine; `isCut` says whether that is cut from the network by now. */
  open(isCut: () => boolean): VirtualSocket {
    const socket = new VirtualSocket(this.#clock, isCut);
    const inbox = new InOrder((error) => this.#refuse(socket, error));
    const mailbox: Mailbox = {
      deliver: (message) => socket.deliver(JSON.stringify(message)),
      replaced: () => socket.endFromServer(),
    };
    const nonce = this.#newNonce();
    const session = new Session(this.#desk, mailbox, nonce);
    socket.greeting = JSON.stringify({ type: 'hello', nonce } satisfies FromServer);
    socket.onSent = (text) => {
      this.messageCount += 1;
      void inbox.add(async () => await session.take(v.parse(clientText, text)));
    };
    socket.onGone = () => {
      inbox.stop();
      void session.end();
    };
    return socket;
  }

  /** Never the same twice, and drawn from nothing: runs stay the same. */
  #newNonce(): string {
    const bytes = new Uint8Array(32);
    new DataView(bytes.buffer).setUint32(0, ++this.#socketCount);
    return toBase64url(bytes);
  }

  #refuse(socket: VirtualSocket, error: unknown): void {
    if (!(error instanceof Refusal)) throw error;
    const { code, message } = error;
    socket.deliver(JSON.stringify({ type: 'error', code, message } satisfies FromServer));
    socket.endFromServer();
  }
}

/** A client's socket and the server's end of it. */
export class VirtualSocket implements WebSocketLike {
  readyState = 0;
  /** What the server says first, right behind its answer to the upgrade. */
  greeting = '';
  onSent: (text: string) => void = () => undefined;
  onGone: () => void = () => undefined;
  readonly #clock: VirtualClock;
  readonly #isCut: () => boolean;
  readonly #listeners = new Map<string, ((event: { data: unknown }) => void)[]>();

  constructor(clock: VirtualClock, isCut: () => boolean) {
    this.#clock = clock;
    this.#isCut = isCut;
    clock.after(OPENING_MS, () => {
      if (this.readyState !== 0) return;
      this.readyState = 1;
      this.#emit('open', null);
      this.#emit('message', this.greeting);
    });
  }

  addEventListener(type: string, listener: (event: { data: unknown }) => void): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  send(text: string): void {
    if (this.readyState !== 1 || this.#isCut()) return;
    this.#clock.after(DELAY_MS, () => this.onSent(text));
  }

  close(): void {
    if (this.readyState >= 2) return;
    this.readyState = 3;
    this.#clock.after(this.#isCut() ? NOTICED_AFTER_MS : DELAY_MS, () => this.onGone());
  }

  /** The server sends. */
  deliver(text: string): void {
    this.#clock.after(DELAY_MS, () => {
      if (this.readyState === 1 && !this.#isCut()) this.#emit('message', text);
    });
  }

  /** The server closes. */
  endFromServer(): void {
    this.#clock.after(DELAY_MS, () => {
      if (this.readyState >= 2) return;
      this.readyState = 3;
      this.onGone();
      this.#emit('close', null);
    });
  }

  #emit(type: string, data: string | null): void {
    for (const listener of this.#listeners.get(type) ?? []) listener({ data });
  }
}
