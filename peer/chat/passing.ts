import * as v from 'valibot';
import type { Bytes } from '../bytes.ts';
import { decodeCbor, encodeCbor } from '../cbor.ts';
import { plainName } from '../plain-text.ts';
import { type Author, type ChatRoom, openAuthored, sealAuthored } from './authored.ts';
import { doingField } from './presence.ts';
import { emojiField } from './reaction.ts';
import { mustBeOf, nameField, roomField, sentAtField } from './said.ts';

const LABEL = 'matinee/1 passing';

const passing = v.strictObject({
  v: v.literal(1),
  room: roomField,
  name: nameField,
  sentAtMs: sentAtField,
  what: v.variant('kind', [
    v.strictObject({ kind: v.literal('typing') }),
    v.strictObject({ kind: v.literal('cheer'), emoji: emojiField }),
    v.strictObject({ kind: v.literal('here'), doing: doingField }),
  ]),
});

/** What counts for a moment only, and is kept by nobody: that somebody types, an emoji that floats over the picture, or what somebody does. */
export type PassingSaid = Omit<v.InferOutput<typeof passing>, 'v' | 'room'>;

export interface Passing extends PassingSaid {
  /** The author's member id, proven. */
  from: string;
  /** Whether the author is the host, proven. */
  isHost: boolean;
}

/** What is said in passing, signed and sealed. */
export function sealPassing(room: ChatRoom, author: Author, said: PassingSaid): Promise<Bytes> {
  return sealAuthored(room, author, LABEL, encodeCbor({ v: 1, room: room.roomId, ...said }));
}

/** @throws MatineeError SEAL_BROKEN, SIGNATURE_WRONG or FRAME_MALFORMED. */
export async function openPassing(room: ChatRoom, sealed: Bytes): Promise<Passing> {
  const { body, from, isHost } = await openAuthored(room, LABEL, sealed);
  const { v: _, room: ofRoom, ...said } = decodeCbor(passing, body, 'FRAME_MALFORMED', 'passing word');
  mustBeOf(room, ofRoom);
  return { ...said, name: plainName(said.name), from, isHost };
}
