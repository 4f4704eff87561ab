import * as v from 'valibot';
import { areEqual, type Bytes } from '../bytes.ts';
import { byteString, count, decodeCbor, encodeCbor } from '../cbor.ts';
import { ROOM_ID_BYTES } from '../crypto/keys.ts';
import { MatineeError } from '../errors.ts';
import { MAX_CHAT_CHARS, MAX_NAME_CHARS } from '../limits.ts';
import { type Author, type ChatRoom, openAuthored, sealAuthored } from './authored.ts';

const LINE_LABEL = 'matinee/1 chat line';
const CARD_LABEL = 'matinee/1 card';

/** No line is older than Matinee itself, nor from further ahead than clocks set to a wrong day or zone are. */
const EARLIEST_MS = Date.UTC(2020, 0, 1);
const MAX_AHEAD_MS = 24 * 60 * 60 * 1000;

const name = v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_NAME_CHARS));

const line = v.strictObject({
  v: v.literal(1),
  room: byteString(ROOM_ID_BYTES),
  name,
  text: v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_CHAT_CHARS)),
  sentAtMs: count(Number.MAX_SAFE_INTEGER),
});

const card = v.strictObject({ v: v.literal(1), room: byteString(ROOM_ID_BYTES), name });

/** What a member says: the name they have, the text, and when by their clock. */
export type Said = Omit<v.InferOutput<typeof line>, 'v' | 'room'>;

/** One chat line and who said it: the author's member id, proven by its signature, and whether that is the host. */
export interface ChatLine extends Said {
  from: string;
  isHost: boolean;
}

/** The name a member goes by, its id, and whether it is the host: proven like a line's author. */
export interface Card {
  name: string;
  from: string;
  isHost: boolean;
}

/** A line signed by its author and sealed with the room's chat key. */
export function sealLine(room: ChatRoom, author: Author, said: Said): Promise<Bytes> {
  const body = encodeCbor({ v: 1, room: room.roomId, ...said });
  return sealAuthored(room, author, LINE_LABEL, body);
}

/**
 * The line in a sealed one.
 * @param nowMs milliseconds since 1970, by the reader's clock.
 * @throws MatineeError SEAL_BROKEN, SIGNATURE_WRONG, or FRAME_MALFORMED, also where its date cannot be.
 */
export async function openLine(room: ChatRoom, sealed: Bytes, nowMs: number): Promise<ChatLine> {
  const { body, from, isHost } = await openAuthored(room, LINE_LABEL, sealed);
  const { v: _, room: ofRoom, ...said } = decodeCbor(line, body, 'FRAME_MALFORMED', 'chat line');
  mustBeOf(room, ofRoom);
  if (said.sentAtMs < EARLIEST_MS || said.sentAtMs > nowMs + MAX_AHEAD_MS) {
    throw new MatineeError('FRAME_MALFORMED', 'This chat line has a date that cannot be.');
  }
  return { ...said, from, isHost };
}

/** A display name signed by its member and sealed with the chat key, as `hello` carries it. */
export function sealCard(room: ChatRoom, author: Author, displayName: string): Promise<Bytes> {
  const body = encodeCbor({ v: 1, room: room.roomId, name: displayName });
  return sealAuthored(room, author, CARD_LABEL, body);
}

/** The card in a sealed one. @throws MatineeError SEAL_BROKEN, SIGNATURE_WRONG or FRAME_MALFORMED. */
export async function openCard(room: ChatRoom, sealed: Bytes): Promise<Card> {
  const { body, from, isHost } = await openAuthored(room, CARD_LABEL, sealed);
  const { room: ofRoom, name: displayName } = decodeCbor(card, body, 'FRAME_MALFORMED', 'card');
  mustBeOf(room, ofRoom);
  return { name: displayName, from, isHost };
}

function mustBeOf({ roomId }: ChatRoom, room: Bytes): void {
  if (areEqual(room, roomId)) return;
  throw new MatineeError('SIGNATURE_WRONG', 'This was said in another room.');
}
