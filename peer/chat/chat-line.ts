import * as v from 'valibot';
import type { Bytes } from '../bytes.ts';
import { count, decodeCbor, encodeCbor } from '../cbor.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { MAX_CHAT_CHARS, MAX_NAME_CHARS } from '../limits.ts';

const name = v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_NAME_CHARS));

const line = v.strictObject({
  v: v.literal(1),
  from: v.pipe(v.string(), v.length(22)),
  name,
  text: v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_CHAT_CHARS)),
  sentAtMs: count(Number.MAX_SAFE_INTEGER),
});

/** One chat line: who (member id and the name they had), what, and when by their clock. */
export type ChatLine = Omit<v.InferOutput<typeof line>, 'v'>;

const card = v.strictObject({ v: v.literal(1), name });

/** A line sealed with the room's chat key and bound to the room. */
export function sealLine(crypto: Crypto, chatKey: Bytes, roomId: Bytes, value: ChatLine): Promise<Bytes> {
  return crypto.seal(chatKey, encodeCbor({ v: 1, ...value }), roomId);
}

/** @throws MatineeError SEAL_BROKEN or FRAME_MALFORMED. */
export async function openLine(
  crypto: Crypto,
  chatKey: Bytes,
  roomId: Bytes,
  sealed: Bytes,
): Promise<ChatLine> {
  const { v: _, ...value } = decodeCbor(
    line,
    await crypto.open(chatKey, sealed, roomId),
    'FRAME_MALFORMED',
    'chat line',
  );
  return value;
}

/** A display name sealed with the chat key, as `hello` carries it. */
export function sealCard(crypto: Crypto, chatKey: Bytes, roomId: Bytes, displayName: string): Promise<Bytes> {
  return crypto.seal(chatKey, encodeCbor({ v: 1, name: displayName }), roomId);
}

/** The display name in a card. @throws MatineeError SEAL_BROKEN or FRAME_MALFORMED. */
export async function openCard(
  crypto: Crypto,
  chatKey: Bytes,
  roomId: Bytes,
  sealed: Bytes,
): Promise<string> {
  return decodeCbor(card, await crypto.open(chatKey, sealed, roomId), 'FRAME_MALFORMED', 'card').name;
}
