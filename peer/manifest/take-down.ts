import * as v from 'valibot';
import { areEqual, type Bytes } from '../bytes.ts';
import { byteString, count, decodeCbor, encodeCbor } from '../cbor.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { ROOM_ID_BYTES } from '../crypto/keys.ts';
import { MatineeError } from '../errors.ts';
import { openSigned, signBody } from './signed.ts';

const LABEL = 'matinee/1 take down';

const takeDown = v.strictObject({
  v: v.literal(1),
  room: byteString(ROOM_ID_BYTES),
  atMs: count(Number.MAX_SAFE_INTEGER),
});

/** The host's signed command to remove a room and all it holds. */
export async function signTakeDown(
  crypto: Crypto,
  privateKey: Bytes,
  room: Bytes,
  atMs: number,
): Promise<Bytes> {
  return signBody(crypto, privateKey, LABEL, encodeCbor({ v: 1, room, atMs }));
}

/** @throws MatineeError MANIFEST_MALFORMED or SIGNATURE_WRONG where it is not this room's host's command for this room. */
export async function verifyTakeDown(
  crypto: Crypto,
  publicKey: Bytes,
  room: Bytes,
  envelope: Uint8Array,
): Promise<void> {
  const body = await openSigned(crypto, publicKey, LABEL, envelope);
  const command = decodeCbor(takeDown, body, 'MANIFEST_MALFORMED', 'take-down');
  if (!areEqual(command.room, room)) {
    throw new MatineeError('SIGNATURE_WRONG', 'This take-down is for another room.');
  }
}
