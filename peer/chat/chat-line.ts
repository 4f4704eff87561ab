import * as v from 'valibot';
import { type Bytes, concat, fromHex, toHex, utf8 } from '../bytes.ts';
import { byteString, count, decodeCbor, encodeCbor } from '../cbor.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { VIDEO_ID_BYTES } from '../crypto/keys.ts';
import { MAX_CHAT_CHARS, MAX_DURATION_MS } from '../limits.ts';
import { plainName, plainText } from '../plain-text.ts';
import { type Author, type ChatRoom, openAuthored, sealAuthored } from './authored.ts';
import { believedDateMs, mustBeOf, nameField, roomField, sentAtField } from './said.ts';

const LINE_LABEL = 'matinee/1 chat line';
const CARD_LABEL = 'matinee/1 card';

/** Bytes of what a reply or a reaction names its line by. */
export const LINE_ID_BYTES = 16;

const line = v.strictObject({
  v: v.literal(2),
  room: roomField,
  name: nameField,
  text: v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_CHAT_CHARS)),
  sentAtMs: sentAtField,
  reply: v.nullable(byteString(LINE_ID_BYTES)),
  moment: v.nullable(v.strictObject({ video: byteString(VIDEO_ID_BYTES), atMs: count(MAX_DURATION_MS) })),
});

const card = v.strictObject({ v: v.literal(1), room: roomField, name: nameField });

/** A place in a film: the video's id, and milliseconds from its start. */
export interface Moment {
  video: Bytes;
  atMs: number;
}

/** What a member says. */
export interface Said {
  /** The name they have. */
  name: string;
  text: string;
  /** By their clock, milliseconds since 1970. */
  sentAtMs: number;
  /** The id of the line that this one answers. */
  reply: string | null;
  /** What it is about. */
  moment: Moment | null;
}

/** One chat line and who said it: the author's member id, proven by its signature, and whether that is the host. `sentAtMs` is never later than it came. */
export interface ChatLine extends Said {
  /** The same however often it was sealed: hex. */
  id: string;
  from: string;
  isHost: boolean;
  /** The author's date where that can be, else when it came here. Lines stand in the order of these. */
  dateMs: number;
}

/** The name a member goes by, its id, and whether it is the host: proven like a line's author. */
export interface Card {
  name: string;
  from: string;
  isHost: boolean;
}

/** A line signed by its author and sealed with the room's chat key. */
export function sealLine(room: ChatRoom, author: Author, said: Said): Promise<Bytes> {
  const reply = said.reply === null ? null : fromHex(said.reply);
  return sealAuthored(room, author, LINE_LABEL, encodeCbor({ v: 2, room: room.roomId, ...said, reply }));
}

/**
 * The line in a sealed one; name and text as they may be shown.
 * @param nowMs milliseconds since 1970, by the reader's clock, as it comes.
 * @throws MatineeError SEAL_BROKEN, SIGNATURE_WRONG or FRAME_MALFORMED.
 */
export async function openLine(room: ChatRoom, sealed: Bytes, nowMs: number): Promise<ChatLine> {
  const { body, from, isHost } = await openAuthored(room, LINE_LABEL, sealed);
  const { v: _, room: ofRoom, ...said } = decodeCbor(line, body, 'FRAME_MALFORMED', 'chat line');
  mustBeOf(room, ofRoom);
  const dateMs = believedDateMs(said.sentAtMs, nowMs);
  return {
    ...said,
    dateMs,
    sentAtMs: Math.min(dateMs, nowMs),
    name: plainName(said.name),
    text: plainText(said.text),
    reply: said.reply && toHex(said.reply),
    id: await lineId(room.crypto, from, body),
    from,
    isHost,
  };
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
  return { name: plainName(displayName), from, isHost };
}

async function lineId(crypto: Crypto, from: string, body: Bytes): Promise<string> {
  const hash = await crypto.sha256(concat(utf8(`${from}\0`), body));
  return toHex(hash.subarray(0, LINE_ID_BYTES));
}
