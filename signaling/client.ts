import * as v from 'valibot';
import { type FromClient, type FromServer, fromServer } from './messages.ts';
import { FINAL_CODES } from './refusal.ts';

/** What we use of a WebSocket: the browser's fits, and that of the package `ws`. */
export interface WebSocketLike {
  readonly readyState: number;
  send(text: string): void;
  close(): void;
  addEventListener(type: 'open' | 'close' | 'error', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
}

/** Timers as they are handed in; peer/clock.ts fits. */
export interface SignalingClock {
  after(delayMs: number, run: () => void): () => void;
}

/** 'reconnecting' is told when a connection is lost and again with each try; 'refused' is final. */
export type SignalingState = 'connecting' | 'connected' | 'reconnecting' | 'refused';

type Message<T extends FromClient['type']> = Extract<FromClient, { type: T }>;

/** Makes a join for one connection: its signature covers the nonce (base64url) of that connection's hello. */
export type MakeJoin = (nonce: string) => Message<'join'> | Promise<Message<'join'>>;

export interface SignalingClientOptions {
  /** ws: or wss: address of the signaling server. */
  url: string;
  openSocket(url: string): WebSocketLike;
  /** Sent first on every connection: the origin's serve at once, a member's join once the server has said its nonce. */
  hello: Message<'serve'> | MakeJoin;
  clock: SignalingClock;
  /** Gives 0 to 1, for spreading reconnects; no secret comes from it. */
  random(): number;
  on(message: FromServer): void;
  onState(state: SignalingState): void;
}

export interface SignalingClient {
  /** Whether the message left. It does not before we have said on a connection who we are: it is dropped, whoever sent it tries again. */
  send(message: FromClient): boolean;
  /**
   * Sends what the server answers at once. Where nothing is heard from it within so many milliseconds, the connection looks open
   * and is dead: another one is made. Nothing happens while one is being made, or waits for an answer, anyway.
   */
  ask(question: Message<'more'>, withinMs: number): void;
  /** Drops the connection, which may look open and be dead, and dials again at once; nothing after a refusal or close. */
  reconnectNow(): void;
  /** Ends it for good; neither `on` nor `onState` is called any more. */
  close(): void;
}

const OPEN = 1;

/** The wait before the first reconnect is 0.5 to 1 s, before later ones 0.5 to at most 15 s. */
const MIN_DELAY_MS = 500;
const MAX_DELAY_MS = 15_000;

/** From dialling to the welcome. */
const WELCOME_WITHIN_MS = 15_000;

const serverText = v.pipe(v.string(), v.parseJson(), fromServer);

/**
 * Keeps one connection to the signaling server alive: reconnects for ever, until it is closed or refused
 * for a reason that will not go away (FINAL_CODES). Then the last message is that error.
 */
export function connectSignaling(options: SignalingClientOptions): SignalingClient {
  const line = new Line(options);
  line.dial('connecting');
  return line;
}

class Line implements SignalingClient {
  readonly #options: SignalingClientOptions;
  #socket: WebSocketLike | null = null;
  /** Until the welcome its time limit or the wait for the next dial; after it the time limit of a question. */
  #cancelTimer: () => void = () => {};
  #failedTries = 0;
  /** The server's hello has come on this connection, and is being answered or has been. */
  #isGreeted = false;
  /** Our first message has left on this connection. */
  #hasSaidWho = false;
  /** The server has let us in on this connection. */
  #isSettled = false;
  /** Something was asked, and nothing has been heard since. */
  #isAsking = false;
  #isOver = false;

  constructor(options: SignalingClientOptions) {
    this.#options = options;
  }

  dial(state: SignalingState): void {
    const { url, openSocket, clock, hello, onState } = this.#options;
    onState(state);
    if (this.#isOver) return;
    const socket = openSocket(url);
    this.#socket = socket;
    this.#isGreeted = false;
    this.#hasSaidWho = false;
    // Events of a socket that was given up meanwhile concern nobody.
    const ifCurrent = (act: () => void) => () => {
      if (this.#socket === socket) act();
    };
    socket.addEventListener(
      'open',
      ifCurrent(() => {
        if (typeof hello !== 'function') this.#sayWho(socket, hello);
      }),
    );
    socket.addEventListener('message', ({ data }) => ifCurrent(() => this.#receive(data))());
    socket.addEventListener(
      'close',
      ifCurrent(() => this.#redialLater()),
    );
    // A close always follows; but without a listener the package `ws` throws.
    socket.addEventListener('error', () => {});
    this.#cancelTimer = clock.after(WELCOME_WITHIN_MS, () => this.#redialLater());
  }

  send(message: FromClient): boolean {
    if (this.#socket?.readyState !== OPEN || !this.#hasSaidWho) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  ask(question: Message<'more'>, withinMs: number): void {
    if (!this.#isSettled || this.#isAsking || !this.send(question)) return;
    this.#isAsking = true;
    this.#cancelTimer = this.#options.clock.after(withinMs, () => this.#redialLater());
  }

  reconnectNow(): void {
    if (this.#isOver) return;
    this.#hangUp();
    this.#failedTries = 0;
    this.dial('reconnecting');
  }

  close(): void {
    this.#isOver = true;
    this.#hangUp();
  }

  #receive(data: unknown): void {
    const parsed = v.safeParse(serverText, data);
    // A newer server may say things that this client does not know.
    if (!parsed.success) return;
    const message = parsed.output;
    if (message.type === 'hello') {
      void this.#greeted(message.nonce);
      return;
    }
    if (message.type === 'error' && FINAL_CODES.includes(message.code)) {
      this.#isOver = true;
      this.#hangUp();
      this.#options.on(message);
      this.#options.onState('refused');
      return;
    }
    const isWelcome = message.type === 'welcome' || message.type === 'serving';
    if (isWelcome) {
      this.#isSettled = true;
      this.#failedTries = 0;
    }
    if (this.#isSettled) this.#heard();
    this.#options.on(message);
    if (isWelcome && this.#socket) this.#options.onState('connected');
  }

  #heard(): void {
    this.#isAsking = false;
    this.#cancelTimer();
  }

  /** Signs one nonce a connection: a server that says hello again is not answered. */
  async #greeted(nonce: string): Promise<void> {
    const { hello } = this.#options;
    const socket = this.#socket;
    if (!socket || this.#isGreeted || typeof hello !== 'function') return;
    this.#isGreeted = true;
    try {
      this.#sayWho(socket, await hello(nonce));
    } catch {
      // Whatever cannot be signed is no nonce of ours: as good as no server.
      if (this.#socket === socket) this.#redialLater();
    }
  }

  #sayWho(socket: WebSocketLike, message: Message<'join' | 'serve'>): void {
    if (this.#socket !== socket || socket.readyState !== OPEN) return;
    socket.send(JSON.stringify(message));
    this.#hasSaidWho = true;
  }

  #redialLater(): void {
    this.#hangUp();
    const { clock, random, onState } = this.#options;
    const delayMs = reconnectDelayMs(this.#failedTries, random());
    this.#failedTries += 1;
    this.#cancelTimer = clock.after(delayMs, () => this.dial('reconnecting'));
    onState('reconnecting');
  }

  #hangUp(): void {
    const socket = this.#socket;
    this.#socket = null;
    this.#isSettled = false;
    this.#isAsking = false;
    this.#cancelTimer();
    socket?.close();
  }
}

/** Milliseconds to wait after so many failed tries (from 0), spread by `fraction` (0 to 1) so that a server that comes back does not meet everybody at once. */
export function reconnectDelayMs(failedTries: number, fraction: number): number {
  const mostMs = Math.min(MAX_DELAY_MS, 2 * MIN_DELAY_MS * 2 ** Math.min(failedTries, 30));
  return MIN_DELAY_MS + fraction * (mostMs - MIN_DELAY_MS);
}
