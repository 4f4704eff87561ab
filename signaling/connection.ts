import { randomBytes } from 'node:crypto';
import * as v from 'valibot';
import type { RawData, WebSocket } from 'ws';
import type { Mailbox } from './bus.ts';
import type { Door } from './door.ts';
import { InOrder } from './in-order.ts';
import { type FromClient, type FromServer, fromClient } from './messages.ts';
import { Rate } from './rate.ts';
import { Refusal } from './refusal.ts';
import { type Desk, Session } from './session.ts';

/** Messages a member may send at once, and a second in the long run. One that dials 8 neighbours sends some 20 in all. */
const BURST_MESSAGES = 120;
const MESSAGES_PER_SEC = 20;

/** Messages held in order before the socket is no longer read: the rest waits at the sender. */
const MAX_WAITING_MESSAGES = 16;

/** Bytes unsent to a member at most. A slow reader is dropped: it comes back and gets the newest state. */
const MAX_UNSENT_BYTES = 1024 * 1024;

/** The origin answers everybody, so more may pile up for it: a thousand offers have 5 MB. */
const MAX_UNSENT_ORIGIN_BYTES = 32 * 1024 * 1024;

/** As many as a digest has: nobody meets the same nonce twice. */
const NONCE_BYTES = 32;

/** Close code for a connection that broke the rules (RFC 6455 section 7.4.1). */
const POLICY_VIOLATION = 1008;

/** Close code for one that may come again a little later (IANA WebSocket close codes). */
const TRY_AGAIN_LATER = 1013;

export interface ConnectionLog {
  warn(details: object, message: string): void;
}

/** One client's socket: reads, checks and orders what comes in, and bounds what goes out. */
export class Connection {
  readonly #socket: WebSocket;
  readonly #session: Session;
  readonly #log: ConnectionLog;
  readonly #tally: Desk['tally'];
  readonly #rate = new Rate(BURST_MESSAGES, MESSAGES_PER_SEC, performance.now());
  readonly #inbox = new InOrder((error) => this.#refuse(error));
  #isAlive = true;

  constructor(socket: WebSocket, desk: Desk, log: ConnectionLog, joinWithinMs: number) {
    this.#socket = socket;
    this.#log = log;
    this.#tally = desk.tally;
    const nonce = randomBytes(NONCE_BYTES).toString('base64url');
    const mailbox: Mailbox = {
      deliver: (message) => this.#send(message),
      replaced: () =>
        this.#refuse(
          new Refusal('TAKEN_OVER', 'This member joined again from elsewhere, for example in another tab.'),
        ),
    };
    this.#session = new Session(desk, mailbox, nonce);
    // Unasked, right behind the answer to the upgrade: proving who one is costs no round trip more.
    this.#send({ type: 'hello', nonce });
    const silence = setTimeout(() => this.#endIfSilent(), joinWithinMs);
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    socket.on('pong', () => {
      this.#isAlive = true;
    });
    socket.on('error', (error) => log.warn({ err: error }, 'a signaling connection broke'));
    socket.once('close', () => {
      clearTimeout(silence);
      this.#inbox.stop();
      this.#session
        .end()
        .catch((error: unknown) => log.warn({ err: error }, 'a member could not be signed off'));
    });
  }

  /** Asks for a sign of life, or ends the connection where the last one asked for never came. */
  beat(): void {
    if (!this.#isAlive) this.#socket.terminate();
    this.#isAlive = false;
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping();
  }

  /** Ends the connection where it is one of this room's members and the door does not let it in any more. */
  recheck(room: string, door: Door): void {
    // In line with what the client sends: one who is just joining is checked once it is in.
    void this.#inbox.add(() => this.#session.recheck(room, door));
  }

  #endIfSilent(): void {
    if (this.#session.role === 'stranger' && this.#inbox.waitingCount === 0) {
      this.#refuse(new Refusal('PEER_SILENT', 'No join came.'));
    }
  }

  #receive(data: RawData, isBinary: boolean): void {
    // The origin may answer as fast as it is asked; it holds a key, and is held back by what it can have unread.
    if (this.#session.role !== 'origin' && !this.#rate.canTake(performance.now())) {
      this.#refuse(new Refusal('PEER_FLOODING', 'Too many messages. Wait a moment.'));
      return;
    }
    const settled = this.#inbox.add(async () => await this.#session.take(parse(data, isBinary)));
    if (this.#inbox.waitingCount < MAX_WAITING_MESSAGES) return;
    this.#socket.pause();
    void settled.then(() => this.#socket.resume());
  }

  #send(message: FromServer): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    const limitBytes = this.#session.role === 'origin' ? MAX_UNSENT_ORIGIN_BYTES : MAX_UNSENT_BYTES;
    if (this.#socket.bufferedAmount > limitBytes) this.#socket.terminate();
    else this.#socket.send(JSON.stringify(message));
  }

  #refuse(error: unknown): void {
    this.#inbox.stop();
    if (!(error instanceof Refusal))
      this.#log.warn({ err: error }, 'a signaling message could not be handled');
    const { code, message } =
      error instanceof Refusal
        ? error
        : new Refusal('INTERNAL', 'Something failed here. Try again in a moment.');
    this.#tally?.refused(code);
    this.#send({ type: 'error', code, message });
    this.#socket.close(code === 'TOO_MANY' ? TRY_AGAIN_LATER : POLICY_VIOLATION, code);
  }
}

/** @throws Refusal REQUEST_MALFORMED. */
function parse(data: RawData, isBinary: boolean): FromClient {
  const parsed = isBinary ? null : v.safeParse(v.pipe(v.string(), v.parseJson(), fromClient), String(data));
  if (parsed?.success) return parsed.output;
  throw new Refusal('REQUEST_MALFORMED', 'This is not a message that the signaling server knows.');
}
