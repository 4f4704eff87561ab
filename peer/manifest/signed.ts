import * as v from 'valibot';
import { type Bytes, concat, utf8 } from '../bytes.ts';
import { byteString, decodeCbor, encodeCbor } from '../cbor.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { MatineeError } from '../errors.ts';
import { MAX_FRAME_BYTES } from '../limits.ts';

const SIGNATURE_BYTES = 64;
const envelope = v.strictTuple([byteString(1, MAX_FRAME_BYTES), byteString(SIGNATURE_BYTES)]);

/** What the signature covers: the label says what the body is, so that a signature for one use never serves another. */
function signedBytes(label: string, body: Uint8Array): Bytes {
  return concat(utf8(`${label}\0`), body);
}

/** CBOR of [body, Ed25519 signature over label || 0 || body]. */
export async function signBody(
  crypto: Crypto,
  privateKey: Bytes,
  label: string,
  body: Bytes,
): Promise<Bytes> {
  return encodeCbor([body, await crypto.sign(privateKey, signedBytes(label, body))]);
}

/** The body of a signed envelope, before its signature is known to be right. */
export function peekBody(envelopeBytes: Uint8Array): Bytes {
  return decodeCbor(envelope, envelopeBytes, 'MANIFEST_MALFORMED', 'signed envelope')[0];
}

/**
 * The body of a signed envelope.
 * @throws MatineeError MANIFEST_MALFORMED, or SIGNATURE_WRONG where it was not signed by `publicKey` for `label`.
 */
export async function openSigned(
  crypto: Crypto,
  publicKey: Bytes,
  label: string,
  envelopeBytes: Uint8Array,
): Promise<Bytes> {
  const [body, signature] = decodeCbor(envelope, envelopeBytes, 'MANIFEST_MALFORMED', 'signed envelope');
  if (await crypto.verify(publicKey, signature, signedBytes(label, body))) return body;
  throw new MatineeError('SIGNATURE_WRONG', `The signature of this ${label} is not the host's.`);
}
