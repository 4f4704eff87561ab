import * as v from 'valibot';
import { areEqual, type Bytes, toBase64url } from '../bytes.ts';
import { byteString, count, decodeCbor, encodeCbor } from '../cbor.ts';
import type { Crypto, SigningKey } from '../crypto/crypto.ts';
import { ROOM_ID_BYTES, roomIdOf } from '../crypto/keys.ts';
import { MEMBER_ID_BYTES, memberIdBytes } from '../crypto/member-key.ts';
import { PUBLIC_KEY_BYTES } from '../crypto/signature-sizes.ts';
import { MatineeError } from '../errors.ts';
import { openSigned, peekBody, signBody } from '../manifest/signed.ts';

const LABEL = 'matinee/1 host badge';

/** Bytes of a badge at most; an honest one has 194. */
export const MAX_BADGE_BYTES = 224;

const badge = v.strictObject({
  v: v.literal(1),
  room: byteString(ROOM_ID_BYTES),
  publicKey: byteString(PUBLIC_KEY_BYTES),
  member: byteString(MEMBER_ID_BYTES),
  atMs: count(Number.MAX_SAFE_INTEGER),
});

/**
 * The host's word that a member acts for it, so that the host can be in its room on several devices. Has the host's public
 * key within it: who sees it may know nothing of the room yet but its id.
 * @param memberPublicKey the member key of that device. @param atMs when, milliseconds since 1970.
 */
export async function signBadge(
  crypto: Crypto,
  hostKey: SigningKey,
  memberPublicKey: Uint8Array,
  atMs: number,
): Promise<Bytes> {
  const room = await roomIdOf(crypto, hostKey.publicKey);
  const member = await memberIdBytes(crypto, memberPublicKey);
  const body = encodeCbor({ v: 1, room, publicKey: hostKey.publicKey, member, atMs });
  return signBody(crypto, hostKey.privateKey, LABEL, body);
}

/**
 * The id (base64url) of the member whom a badge makes the room's host.
 * @throws MatineeError MANIFEST_MALFORMED; SIGNATURE_WRONG where it is not this room's host's.
 */
export async function openBadge(crypto: Crypto, roomId: Bytes, envelope: Uint8Array): Promise<string> {
  const claimed = decodeCbor(badge, peekBody(envelope), 'MANIFEST_MALFORMED', 'host badge');
  if (!areEqual(claimed.room, roomId) || !areEqual(await roomIdOf(crypto, claimed.publicKey), roomId)) {
    throw new MatineeError('SIGNATURE_WRONG', 'This badge is of the host of another room.');
  }
  await openSigned(crypto, claimed.publicKey, LABEL, envelope);
  return toBase64url(claimed.member);
}
