import { createHash, timingSafeEqual } from 'node:crypto';
import type { Mailbox, SignalingBus } from './bus.ts';
import type { Door } from './door.ts';
import { type FromClient, type IceServer, ORIGIN } from './messages.ts';
import { Refusal } from './refusal.ts';

/** Members a newcomer is told of: enough to keep a room in one piece, few enough to dial. */
export const NEIGHBOURS = 8;

/** What all sessions of one server share. */
export interface Desk {
  bus: SignalingBus;
  door: Door;
  /** The secret of the origin; null where this server has none. */
  originKey: string | null;
  iceServers: IceServer[];
}

type Role = { kind: 'stranger' } | { kind: 'member'; room: string; id: string } | { kind: 'origin' };
type Message<T extends FromClient['type']> = Extract<FromClient, { type: T }>;

/** One client's conversation, apart from the socket that carries it. Its caller hands messages in one after the other. */
export class Session {
  readonly #desk: Desk;
  readonly #mailbox: Mailbox;
  #role: Role = { kind: 'stranger' };
  #hasEnded = false;

  constructor(desk: Desk, mailbox: Mailbox) {
    this.#desk = desk;
    this.#mailbox = mailbox;
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
    }
  }

  /** The client is gone, perhaps while one of its messages is still being worked on. */
  async end(): Promise<void> {
    this.#hasEnded = true;
    await this.#desk.bus.leave(this.#mailbox);
  }

  async #join({ room, token, key }: Message<'join'>): Promise<void> {
    this.#mustBeStranger();
    const admission = await this.#desk.door.admit(room, token);
    if (admission !== 'ok') throw notAdmitted(admission);
    if (this.#hasEnded) return;
    const { bus, iceServers } = this.#desk;
    const id = memberIdOf(key);
    const members = await bus.members(room, [id], NEIGHBOURS);
    const isOriginHere = await bus.isOriginHere();
    this.#role = { kind: 'member', room, id };
    // Before it can be found, so that nothing overtakes the welcome.
    this.#mailbox.deliver({ type: 'welcome', id, members, isOriginHere, iceServers });
    await bus.join(room, id, this.#mailbox);
    // It may have come between the welcome and the joining.
    if (!isOriginHere && (await bus.isOriginHere())) this.#mailbox.deliver({ type: 'originHere' });
    if (this.#hasEnded) await bus.leave(this.#mailbox);
  }

  async #serve({ key }: Message<'serve'>): Promise<void> {
    this.#mustBeStranger();
    const { bus, originKey, iceServers } = this.#desk;
    if (originKey === null || !isSameSecret(key, originKey)) {
      throw new Refusal('TOKEN_WRONG', 'This is not the key of the origin.');
    }
    this.#role = { kind: 'origin' };
    this.#mailbox.deliver({ type: 'serving', iceServers });
    await bus.serve(this.#mailbox);
    if (this.#hasEnded) await bus.leave(this.#mailbox);
  }

  async #signal({ to, data, room: toRoom }: Message<'signal'>): Promise<void> {
    if (this.#role.kind === 'origin') return await this.#signalAsOrigin(toRoom, to, data);
    const { room, id } = this.#mustBeMember();
    const signal = { type: 'signal', from: id, data } as const;
    const isThere = await this.#desk.bus.pass(room, to, to === ORIGIN ? { ...signal, room } : signal);
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
    const members = await this.#desk.bus.members(room, [...known, id], NEIGHBOURS);
    this.#mailbox.deliver({ type: 'members', members });
  }

  #mustBeStranger(): void {
    if (this.#role.kind !== 'stranger') throw malformed('This connection has joined already.');
  }

  #mustBeMember(): { room: string; id: string } {
    if (this.#role.kind !== 'member') throw malformed('The first message must be join.');
    return this.#role;
  }
}

/** A member's id: the first 16 bytes of the SHA-256 of its key, base64url. Whoever holds the key can take the id, nobody else. */
export function memberIdOf(key: string): string {
  const hash = createHash('sha256').update(Buffer.from(key, 'base64url')).digest();
  return hash.subarray(0, 16).toString('base64url');
}

function isSameSecret(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

function notAdmitted(admission: 'no-room' | 'bad-token'): Refusal {
  return admission === 'no-room'
    ? new Refusal(
        'ROOM_UNKNOWN',
        'There is no such room, or it has been taken down. Ask the host for a new link.',
      )
    : new Refusal('TOKEN_WRONG', 'This link does not open the room. Ask the host to send the whole link.');
}

function malformed(message: string): Refusal {
  return new Refusal('REQUEST_MALFORMED', message);
}
