import type { Mailbox, SignalingBus } from './bus.ts';
import { type FromServer, ORIGIN } from './messages.ts';
import { Roster } from './roster.ts';

/** The bus of a single process: all in memory, gone with it; clients rejoin by themselves. */
export class MemoryBus implements SignalingBus {
  readonly #random: () => number;
  readonly #nowMs: () => number;
  readonly #rooms = new Map<string, Roster>();
  readonly #places = new Map<Mailbox, { room: string; id: string }>();
  #origin: Mailbox | null = null;

  /**
   * @param random gives 0 (inclusive) to 1 (exclusive); it draws neighbours, no secret comes from it.
   * @param nowMs a clock that never goes back.
   */
  constructor(random: () => number, nowMs: () => number) {
    this.#random = random;
    this.#nowMs = nowMs;
  }

  async join(room: string, id: string, mailbox: Mailbox): Promise<void> {
    const roster = this.#rooms.get(room) ?? new Roster();
    const before = roster.mailbox(id);
    this.#rooms.set(room, roster);
    roster.put(id, mailbox, this.#nowMs());
    this.#places.set(mailbox, { room, id });
    if (!before) return;
    this.#places.delete(before);
    before.replaced();
  }

  async serve(mailbox: Mailbox): Promise<void> {
    const before = this.#origin;
    this.#origin = mailbox;
    before?.replaced();
    // The only message to everybody, and only when an origin starts: members cannot know when to dial again.
    for (const member of this.#places.keys()) member.deliver({ type: 'originHere' });
  }

  async leave(mailbox: Mailbox): Promise<void> {
    if (this.#origin === mailbox) this.#origin = null;
    const place = this.#places.get(mailbox);
    if (!place) return;
    this.#places.delete(mailbox);
    const roster = this.#rooms.get(place.room);
    roster?.remove(place.id);
    if (roster?.size === 0) this.#rooms.delete(place.room);
  }

  async members(
    room: string,
    of: string | null,
    besides: readonly string[],
    count: number,
  ): Promise<string[]> {
    return this.#rooms.get(room)?.draw(of, besides, count, this.#nowMs(), this.#random) ?? [];
  }

  async isOriginHere(): Promise<boolean> {
    return this.#origin !== null;
  }

  async pass(room: string, to: string, message: FromServer): Promise<boolean> {
    const mailbox = to === ORIGIN ? this.#origin : this.#rooms.get(room)?.mailbox(to);
    mailbox?.deliver(message);
    return Boolean(mailbox);
  }

  counts(): { members: number; rooms: number; isOriginHere: boolean } {
    return {
      members: this.#places.size,
      rooms: this.#rooms.size,
      isOriginHere: this.#origin !== null,
    };
  }
}
