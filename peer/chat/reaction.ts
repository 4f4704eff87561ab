import * as v from 'valibot';
import { type Bytes, fromHex, toHex } from '../bytes.ts';
import { byteString, decodeCbor, encodeCbor } from '../cbor.ts';
import { type Author, type ChatRoom, openAuthored, sealAuthored } from './authored.ts';
import { LINE_ID_BYTES } from './chat-line.ts';
import { believedDateMs, mustBeOf, nameField, roomField, sentAtField } from './said.ts';

const LABEL = 'matinee/1 reaction';

/** All there are: few enough for one row of buttons, and nothing a stranger could draw with. */
export const EMOJI = ['👍', '❤️', '😂', '😮', '😢', '👏'] as const;

export type Emoji = (typeof EMOJI)[number];

export const emojiField = v.picklist(EMOJI);

const reaction = v.strictObject({
  v: v.literal(1),
  room: roomField,
  name: nameField,
  sentAtMs: sentAtField,
  line: byteString(LINE_ID_BYTES),
  emoji: v.nullable(emojiField),
});

/** What a member thinks of a line: one emoji, or nothing any more. */
export interface Reacted {
  name: string;
  sentAtMs: number;
  /** The line's id. */
  line: string;
  emoji: Emoji | null;
}

/** A reaction and the member id of who had it, proven. */
export interface Reaction extends Reacted {
  from: string;
  /** The author's date where that can be, else when it came here. */
  dateMs: number;
}

/** A reaction signed and sealed. */
export function sealReaction(room: ChatRoom, author: Author, reacted: Reacted): Promise<Bytes> {
  const body = encodeCbor({ v: 1, room: room.roomId, ...reacted, line: fromHex(reacted.line) });
  return sealAuthored(room, author, LABEL, body);
}

/** @throws MatineeError SEAL_BROKEN, SIGNATURE_WRONG or FRAME_MALFORMED. */
export async function openReaction(room: ChatRoom, sealed: Bytes, nowMs: number): Promise<Reaction> {
  const { body, from } = await openAuthored(room, LABEL, sealed);
  const { v: _, room: ofRoom, ...reacted } = decodeCbor(reaction, body, 'FRAME_MALFORMED', 'reaction');
  mustBeOf(room, ofRoom);
  return { ...reacted, line: toHex(reacted.line), from, dateMs: believedDateMs(reacted.sentAtMs, nowMs) };
}
