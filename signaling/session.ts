import { createHash, timingSafeEqual } from 'node:crypto';
import type { Mailbox, SignalingBus } from './bus.ts';
import type { Door, NotAdmitted } from './door.ts';
import { isSignedJoin, memberIdOf } from './join-proof.ts';
import { type FromClient, type IceServer, ORIGIN } from './messages.ts';
import { Refusal, type RefusalCode } from './refusal.ts';
import { type TurnSettings, turnServer } from './turn.ts';

/** Members a newcomer is told of: enough to keep a room in one piece, few enough to dial. */
export const NEIGHBOURS = 8;

/** What all sessions of one server share. */
export interface Desk {
  bus: SignalingBus;
  door: Door;
  /** The secret of the origin; null where this server has none. */
  originKey: string | null;
  iceServers: IceServer[];
  /** TURN servers for which each client gets a password of its own; null or left out: there are none. */
  turn?: TurnSettings | null | undefined;
  /** Is told what happens, for the operator's figures. */
  tally?: SignalingTally | undefined;
}

/** Counts what happens at a signaling server. */
export interface SignalingTally {
  /** A member was let in. */
  joined(): void;
  /** A client was told why it must go. */
  refused(code: string): void;
  /** A member says how many bytes of pieces it received since it said so last. */
  reported(bytes: { origin: number; peers: number; http: number }): void;
}

interface Membership {
  kind: 'member';
  room: string;
  id: string;
  /** What it was admitted with, should the door be asked again. */
  token: string;
}

type Role = { kind: 'stranger' } | Membership | { kind: 'origin' };
type Message<T extends FromClient['type']> = Extract<FromClient, { type: T }>;

/** One client's conversation, apart from the socket that carries it. Its caller hands messages in one after the other. */
export class Session {
  readonly #desk: Desk;
  readonly #mailbox: Mailbox;
  readonly #nonce: string;
  #role: Role = { kind: 'stranger' };
  #hasEnded = false;
  /** When the client was last given passwords, on a clock that never goes backwards. */
  #passwordsAtMs = 0;

  /** @param nonce what the hello on this connection said: 32 random bytes, base64url, never used before. */
  constructor(desk: Desk, mailbox: Mailbox, nonce: string) {
    this.#desk = desk;
    this.#mailbox = mailbox;
    this.#nonce = nonce;
  }

  get role(): Role['kind'] {
    return this.#role.kind;
  }

  /** Acts on a message. @throws Refusal where the client must go. */
  async take(message: FromClient): Promise<void> {
    switch (message.type) {
      case 'join':
        return await this.#join(message);
      case 'serve':
        return await this.#serve(message);
      case 'signal':
        return await this.#signal(message);
      case 'more':
        return await this.#more(message);
      case 'report':
        return this.#report(message);
    }
  }

  /** Asks the door again whether this client, if it is a member of this room, may stay. @throws Refusal where it must go. */
  async recheck(room: string, door: Door): Promise<void> {
    const role = this.#role;
    if (role.kind !== 'member' || role.room !== room) return;
    const admission = await door.admit(room, role.token, role.id);
    if (admission !== 'ok') throw notAdmitted(admission);
  }

  /** The client is gone, perhaps while one of its messages is still being worked on. */
  async end(): Promise<void> {
    this.#hasEnded = true;
    await this.#desk.bus.leave(this.#mailbox);
  }

  async #join(join: Message<'join'>): Promise<void> {
    this.#mustBeStranger();
    if (!isSignedJoin(join, this.#nonce)) throw notSigned();
    const { room, token } = join;
    const id = memberIdOf(join.publicKey);
    const admission = await this.#desk.door.admit(room, token, id);
    if (admission !== 'ok') throw notAdmitted(admission);
    if (this.#hasEnded) return;
    const { bus } = this.#desk;
    const members = await this.#neighbours(room, id, []);
    const isOriginHere = await bus.isOriginHere();
    this.#role = { kind: 'member', room, id, token };
    // Before it can be found, so that nothing overtakes the welcome.
    this.#mailbox.deliver({ type: 'welcome', id, members, isOriginHere, iceServers: this.#iceServers() });
    await bus.join(room, id, this.#mailbox);
    this.#desk.tally?.joined();
    // It may have come between the welcome and the joining.
    if (!isOriginHere && (await bus.isOriginHere())) this.#mailbox.deliver({ type: 'originHere' });
    if (this.#hasEnded) await bus.leave(this.#mailbox);
  }

  async #serve({ key }: Message<'serve'>): Promise<void> {
    this.#mustBeStranger();
    const { bus, originKey } = this.#desk;
    if (originKey === null || !isSameSecret(key, originKey)) {
      throw new Refusal('TOKEN_WRONG', 'This is not the key of the origin.');
    }
    this.#role = { kind: 'origin' };
    this.#mailbox.deliver({ type: 'serving', iceServers: this.#iceServers() });
    await bus.serve(this.#mailbox);
    if (this.#hasEnded) await bus.leave(this.#mailbox);
  }

  async #signal({ to, data, room: toRoom }: Message<'signal'>): Promise<void> {
    this.#renewPasswords();
    if (this.#role.kind === 'origin') return await this.#signalAsOrigin(toRoom, to, data);
    const { room, id } = this.#mustBeMember();
    const signal = { type: 'signal', from: id, data } as const;
    const mayPass = to === ORIGIN || (await this.#desk.door.mayMeet(room));
    const isThere =
      mayPass && (await this.#desk.bus.pass(room, to, to === ORIGIN ? { ...signal, room } : signal));
    if (!isThere) this.#mailbox.deliver({ type: 'absent', id: to });
  }

  async #signalAsOrigin(room: string | undefined, to: string, data: string): Promise<void> {
    if (room === undefined || to === ORIGIN)
      throw malformed('The origin must say whom in which room it signals.');
    const isThere = await this.#desk.bus.pass(room, to, { type: 'signal', from: ORIGIN, data });
    if (!isThere) this.#mailbox.deliver({ type: 'absent', id: to, room });
  }

  async #more({ known }: Message<'more'>): Promise<void> {
    const { room, id } = this.#mustBeMember();
    this.#mailbox.deliver({ type: 'members', members: await this.#neighbours(room, id, known) });
  }

  #report({ origin, peers, http }: Message<'report'>): void {
    this.#mustBeMember();
    this.#desk.tally?.reported({ origin, peers, http });
  }

  #iceServers(): IceServer[] {
    const { iceServers, turn } = this.#desk;
    this.#passwordsAtMs = performance.now();
    return turn ? [...iceServers, turnServer(turn, Date.now())] : iceServers;
  }

  /** Who stays longer than half a password's life gets a new one with the next connection it makes. */
  #renewPasswords(): void {
    const { turn } = this.#desk;
    if (!turn || performance.now() - this.#passwordsAtMs < (turn.ttlS * 1000) / 2) return;
    this.#mailbox.deliver({ type: 'iceServers', iceServers: this.#iceServers() });
  }

  async #neighbours(room: string, id: string, known: string[]): Promise<string[]> {
    const { bus, door } = this.#desk;
    return (await door.mayMeet(room)) ? await bus.members(room, id, [...known, id], NEIGHBOURS) : [];
  }

  #mustBeStranger(): void {
    if (this.#role.kind !== 'stranger') throw malformed('This connection has joined already.');
  }

  #mustBeMember(): Membership {
    if (this.#role.kind !== 'member') throw malformed('The first message must be join.');
    return this.#role;
  }
}

function isSameSecret(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

const NOT_ADMITTED: Record<NotAdmitted, [RefusalCode, string]> = {
  'no-room': [
    'ROOM_UNKNOWN',
    'There is no such room, or it has been taken down. Ask the host for a new link.',
  ],
  'bad-token': ['TOKEN_WRONG', 'This link does not open the room. Ask the host to send the whole link.'],
  removed: [
    'REMOVED',
    'The host has removed you from this room. Ask the host if you think that is a mistake.',
  ],
  locked: ['ROOM_LOCKED', 'The host has locked this room: nobody new gets in. Ask the host to unlock it.'],
};

function notAdmitted(admission: NotAdmitted): Refusal {
  return new Refusal(...NOT_ADMITTED[admission]);
}

function notSigned(): Refusal {
  return new Refusal('SIGNATURE_WRONG', 'This join is not signed by the key it names. Reload the page.');
}

function malformed(message: string): Refusal {
  return new Refusal('REQUEST_MALFORMED', message);
}
