import * as v from 'valibot';
import { areEqual, type Bytes } from '../bytes.ts';
import { byteString, count, decodeCbor, encodeCbor } from '../cbor.ts';
import type { Crypto, SigningKey } from '../crypto/crypto.ts';
import { roomIdOf } from '../crypto/keys.ts';
import { MatineeError } from '../errors.ts';
import { HASH_BYTES } from '../limits.ts';
import { openSigned, peekBody, signBody } from './signed.ts';

const LABEL = 'matinee/1 room record';

const record = v.strictObject({
  v: v.literal(1),
  publicKey: byteString(32),
  tokenHash: byteString(HASH_BYTES),
  createdAtMs: count(Number.MAX_SAFE_INTEGER),
});

/** What the servers know of a room: who may sign for it, and the SHA-256 of the token that lets members in. */
export type RoomRecord = v.InferOutput<typeof record>;

/** The signed record a host registers a room with. */
export async function signRoomRecord(
  crypto: Crypto,
  key: SigningKey,
  joinToken: Bytes,
  createdAtMs: number,
): Promise<Bytes> {
  const tokenHash = await crypto.sha256(joinToken);
  return signBody(
    crypto,
    key.privateKey,
    LABEL,
    encodeCbor({ v: 1, publicKey: key.publicKey, tokenHash, createdAtMs }),
  );
}

/**
 * The record in a signed envelope, once it is proven to be this room's: its key hashes to the room id and signed it.
 * @throws MatineeError MANIFEST_MALFORMED or SIGNATURE_WRONG.
 */
export async function openRoomRecord(
  crypto: Crypto,
  roomId: Bytes,
  envelope: Uint8Array,
): Promise<RoomRecord> {
  const claimed = decodeCbor(record, peekBody(envelope), 'MANIFEST_MALFORMED', 'room record');
  if (!areEqual(await roomIdOf(crypto, claimed.publicKey), roomId)) {
    throw new MatineeError('SIGNATURE_WRONG', 'This room record belongs to another room.');
  }
  await openSigned(crypto, claimed.publicKey, LABEL, envelope);
  return claimed;
}

/** Whether a presented join token is the one the record stands for. Compares hashes, so timing tells nothing of the token. */
export async function isJoinToken(
  crypto: Crypto,
  roomRecord: RoomRecord,
  token: Uint8Array,
): Promise<boolean> {
  return areEqual(await crypto.sha256(token), roomRecord.tokenHash);
}
