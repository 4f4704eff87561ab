import * as v from 'valibot';
import { type Bytes, concat, utf8 } from '../bytes.ts';
import { byteString, decodeCbor, encodeCbor } from '../cbor.ts';
import type { Crypto, SigningKey } from '../crypto/crypto.ts';
import { memberIdOf } from '../crypto/member-key.ts';
import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from '../crypto/signature-sizes.ts';
import { MatineeError } from '../errors.ts';
import { MAX_SEALED_CHAT_BYTES } from '../limits.ts';
import { MAX_BADGE_BYTES, openBadge } from '../room/badge.ts';

const authored = v.strictTuple([
  byteString(PUBLIC_KEY_BYTES),
  byteString(SIGNATURE_BYTES),
  byteString(1, MAX_SEALED_CHAT_BYTES),
  v.nullable(byteString(1, MAX_BADGE_BYTES)),
]);

/** Who writes: the member's key, and the host's badge for it where the member is the host. */
export interface Author {
  key: SigningKey;
  badge: Bytes | null;
}

/** The room in which things are said: all that reading them needs. */
export interface ChatRoom {
  crypto: Crypto;
  chatKey: Bytes;
  roomId: Bytes;
}

/** What a member wrote, and who that was. */
export interface Authored {
  body: Bytes;
  /** The author's member id, proven by the signature. */
  from: string;
  /** Whether the author has the host's badge. */
  isHost: boolean;
}

/**
 * A body signed by its author, then sealed with the chat key and bound to the room:
 * seal(CBOR [public key, signature over label || 0 || CBOR [body, badge], body, badge]).
 * The badge is signed too, so that nobody can take it off a line of the host's.
 */
export async function sealAuthored(
  room: ChatRoom,
  author: Author,
  label: string,
  body: Bytes,
): Promise<Bytes> {
  const { crypto, chatKey, roomId } = room;
  const { key, badge } = author;
  const signature = await crypto.sign(key.privateKey, signedBytes(label, body, badge));
  return crypto.seal(chatKey, encodeCbor([key.publicKey, signature, body, badge]), roomId);
}

/**
 * Opens what sealAuthored sealed.
 * @throws MatineeError SEAL_BROKEN, FRAME_MALFORMED; SIGNATURE_WRONG where signature or badge is not right.
 */
export async function openAuthored(room: ChatRoom, label: string, sealed: Bytes): Promise<Authored> {
  const { crypto, chatKey, roomId } = room;
  const opened = await crypto.open(chatKey, sealed, roomId);
  const [publicKey, signature, body, badge] = decodeCbor(authored, opened, 'FRAME_MALFORMED', label);
  if (!(await crypto.verify(publicKey, signature, signedBytes(label, body, badge)))) {
    throw new MatineeError('SIGNATURE_WRONG', `This ${label} is not signed by its author.`);
  }
  const from = await memberIdOf(crypto, publicKey);
  if (badge && (await openBadge(crypto, roomId, badge)) !== from) {
    throw new MatineeError('SIGNATURE_WRONG', 'This badge of the host is for another member.');
  }
  return { body, from, isHost: badge !== null };
}

function signedBytes(label: string, body: Bytes, badge: Bytes | null): Bytes {
  return concat(utf8(`${label}\0`), encodeCbor([body, badge]));
}
