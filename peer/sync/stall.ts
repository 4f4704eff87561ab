import * as v from 'valibot';
import { areEqual, type Bytes } from '../bytes.ts';
import { byteString, count, decodeCbor, encodeCbor } from '../cbor.ts';
import { type Author, type ChatRoom, openAuthored, sealAuthored } from '../chat/authored.ts';
import { ROOM_ID_BYTES } from '../crypto/keys.ts';
import { MatineeError } from '../errors.ts';
import { MAX_NAME_CHARS } from '../limits.ts';

const LABEL = 'matinee/1 stall';

/** Members of whom it is remembered that they stand still. */
const MAX_STALLED = 64;

/** Who has not said for so long, room time, that it still stands still has left or forgotten. */
const STALL_VALID_MS = 60_000;

const stall = v.strictObject({
  v: v.literal(1),
  room: byteString(ROOM_ID_BYTES),
  atMs: count(Number.MAX_SAFE_INTEGER),
  isStalled: v.boolean(),
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_NAME_CHARS)),
});

/** At room time `atMs` a member's film stood still for want of pieces, or went on again. */
export type StallSaid = Omit<v.InferOutput<typeof stall>, 'v' | 'room'>;

export interface Stall extends StallSaid {
  /** The member's id, proven. */
  from: string;
}

/** What a member says of its film, signed and sealed. */
export function sealStall(room: ChatRoom, author: Author, said: StallSaid): Promise<Bytes> {
  return sealAuthored(room, author, LABEL, encodeCbor({ v: 1, room: room.roomId, ...said }));
}

/** @throws MatineeError SEAL_BROKEN, SIGNATURE_WRONG or FRAME_MALFORMED. */
export async function openStall(room: ChatRoom, sealed: Bytes): Promise<Stall> {
  const { body, from } = await openAuthored(room, LABEL, sealed);
  const { v: _, room: ofRoom, ...said } = decodeCbor(stall, body, 'FRAME_MALFORMED', 'stall');
  if (areEqual(ofRoom, room.roomId)) return { ...said, from };
  throw new MatineeError('SIGNATURE_WRONG', 'This was said in another room.');
}

/** Whose film stands still, as they said themselves. */
export class Stalls {
  /** Newest word of each member, that spoke last at the end. */
  readonly #said = new Map<string, Stall>();

  /** Takes a word; returns whether it is newer than what the member said before. */
  take(said: Stall): boolean {
    const before = this.#said.get(said.from);
    if (before && before.atMs >= said.atMs) return false;
    this.#said.delete(said.from);
    this.#said.set(said.from, said);
    const oldest = this.#said.keys().next().value;
    if (this.#said.size > MAX_STALLED && oldest !== undefined) this.#said.delete(oldest);
    return true;
  }

  /** Those whose film stands still at this room time. */
  at(roomMs: number): Stall[] {
    return [...this.#said.values()].filter(
      ({ isStalled, atMs }) => isStalled && Math.abs(roomMs - atMs) < STALL_VALID_MS,
    );
  }
}
