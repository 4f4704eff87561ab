import type { Clock } from '../../peer/clock.ts';

const HOUR_MS = 60 * 60 * 1000;

/** What expiry needs of a store. */
export interface ExpiringRooms {
  /** The ids of all rooms. */
  listRooms(): Promise<string[]>;
  /** Remembers, over restarts, that a room was in use at this moment (milliseconds since 1970). */
  noteUse(room: string, atMs: number): Promise<void>;
  /** Removes a room that was neither changed nor in use since, and into which nothing is being stored. Resolves with whether it did. */
  removeUnused(room: string, sinceMs: number): Promise<boolean>;
}

export interface ExpiryOptions {
  rooms: ExpiringRooms;
  /** Milliseconds that a room is kept without a change or a member. */
  keepMs: number;
  clock: Clock;
  /** Whether somebody is in a room right now. */
  hasMembers(room: string): Promise<boolean>;
  onRemoved(room: string): void;
  log: {
    warn(details: object, message: string): void;
  };
}

/** Removes rooms that nobody has changed or watched for long: when asked to start and every hour. */
export class RoomExpiry {
  readonly #options: ExpiryOptions;
  /** When a room's use was last written down, so that this is done once an hour. */
  #notedMs = new Map<string, number>();
  #cancelTimer: () => void = () => {};
  #isClosed = false;

  constructor(options: ExpiryOptions) {
    this.#options = options;
  }

  /** Looks through all rooms, now and every hour. Resolves after the first time. */
  async start(): Promise<void> {
    await this.#sweep();
    if (this.#isClosed) return;
    this.#cancelTimer = this.#options.clock.after(HOUR_MS, () => void this.start());
  }

  /** A member was let into this room. */
  noteMember(room: string): void {
    const nowMs = this.#options.clock.wallMs();
    if (nowMs - (this.#notedMs.get(room) ?? Number.NEGATIVE_INFINITY) < HOUR_MS) return;
    this.#notedMs.set(room, nowMs);
    this.#options.rooms.noteUse(room, nowMs).catch((error: unknown) => this.#warn(error));
  }

  /** Ends it; a room that is being removed is still removed whole. */
  close(): void {
    this.#isClosed = true;
    this.#cancelTimer();
  }

  async #sweep(): Promise<void> {
    const { rooms, clock } = this.#options;
    const nowMs = clock.wallMs();
    this.#notedMs = new Map([...this.#notedMs].filter(([, atMs]) => nowMs - atMs < HOUR_MS));
    try {
      for (const room of await rooms.listRooms()) {
        if (this.#isClosed) return;
        await this.#look(room, nowMs);
      }
    } catch (error) {
      // The next hour is another try; until then a room more is kept.
      this.#warn(error);
    }
  }

  async #look(room: string, nowMs: number): Promise<void> {
    const { rooms, keepMs, hasMembers, onRemoved, log } = this.#options;
    if (await hasMembers(room)) return await rooms.noteUse(room, nowMs);
    if (!(await rooms.removeUnused(room, nowMs - keepMs))) return;
    log.warn({ room: room.slice(0, 4) }, 'a room that nobody used for ROOM_DAYS was removed');
    onRemoved(room);
  }

  #warn(error: unknown): void {
    this.#options.log.warn({ err: error }, 'unused rooms could not be looked for');
  }
}
