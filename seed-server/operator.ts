import type { Clock } from '../peer/clock.ts';
import { MatineeError } from '../peer/errors.ts';
import { isRoomId } from './store/paths.ts';
import { roomUnknown } from './store/shelf.ts';

/** A room as whoever runs the server sees it. */
export interface RoomSummary {
  id: string;
  sizeBytes: number;
  /** Of its last change or member, milliseconds since 1970; an hour or so rough. */
  lastUseMs: number;
  /** Connected now. */
  memberCount: number;
}

/** What the operator needs of a store. */
export interface OperatedRooms {
  listRooms(): Promise<string[]>;
  /** Null where there is no such room. */
  measureRoom(room: string): Promise<{ sizeBytes: number; lastUseMs: number } | null>;
  /** False where there is no such room. */
  removeAnyway(room: string): Promise<boolean>;
  removeUnused(room: string, sinceMs: number): Promise<boolean>;
}

export interface OperatorParts {
  rooms: OperatedRooms;
  clock: Pick<Clock, 'wallMs'>;
  membersIn(room: string): Promise<number>;
  onRemoved(room: string): void;
}

/** Looks at rooms and removes them, by the right of whoever runs the server. */
export class Operator {
  readonly #parts: OperatorParts;

  constructor(parts: OperatorParts) {
    this.#parts = parts;
  }

  /** All rooms, those used last first. */
  async list(): Promise<RoomSummary[]> {
    const { rooms, membersIn } = this.#parts;
    const summaries: RoomSummary[] = [];
    for (const id of await rooms.listRooms()) {
      const measured = await rooms.measureRoom(id);
      if (measured) summaries.push({ id, ...measured, memberCount: await membersIn(id) });
    }
    return summaries.sort((a, b) => b.lastUseMs - a.lastUseMs);
  }

  /** Removes a room with all it holds. @throws MatineeError REQUEST_MALFORMED, ROOM_UNKNOWN. */
  async remove(room: string): Promise<void> {
    if (!isRoomId(room)) {
      throw new MatineeError('REQUEST_MALFORMED', 'This is no room id: it has 22 letters, digits, - and _.');
    }
    if (!(await this.#parts.rooms.removeAnyway(room))) throw roomUnknown();
    this.#parts.onRemoved(room);
  }

  /** Removes the rooms that were not used for so long and have no members. Resolves with their ids. */
  async removeUnused(unusedMs: number): Promise<string[]> {
    const { rooms, clock, membersIn, onRemoved } = this.#parts;
    const sinceMs = clock.wallMs() - unusedMs;
    const removed: string[] = [];
    for (const room of await rooms.listRooms()) {
      if ((await membersIn(room)) > 0 || !(await rooms.removeUnused(room, sinceMs))) continue;
      onRemoved(room);
      removed.push(room);
    }
    return removed;
  }
}
