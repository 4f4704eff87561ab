import * as v from 'valibot';
import { type Bytes, concat, toBase64url, utf8 } from '../bytes.ts';
import { byteString, decodeCbor, encodeCbor } from '../cbor.ts';
import { MatineeError } from '../errors.ts';
import type { Crypto, SigningKey } from './crypto.ts';
import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from './signature-sizes.ts';

export const MEMBER_ID_BYTES = 16;

const signedSignal = v.strictTuple([byteString(PUBLIC_KEY_BYTES), byteString(SIGNATURE_BYTES), v.string()]);

/** A member's id as bytes: the first 16 of SHA-256("matinee/1 member" || its Ed25519 public key). */
export async function memberIdBytes(crypto: Crypto, publicKey: Uint8Array): Promise<Bytes> {
  const hash = await crypto.sha256(concat(utf8('matinee/1 member'), publicKey));
  return hash.slice(0, MEMBER_ID_BYTES);
}

/** A member's id as it is written everywhere: base64url, 22 characters. Nobody takes it without the key. */
export async function memberIdOf(crypto: Crypto, publicKey: Uint8Array): Promise<string> {
  return toBase64url(await memberIdBytes(crypto, publicKey));
}

/** The signature with which a member joins signaling: over the nonce (32 bytes) of the server's hello and the room. */
export function signJoin(crypto: Crypto, key: SigningKey, nonce: Uint8Array, roomId: Bytes): Promise<Bytes> {
  return crypto.sign(key.privateKey, joinBytes(nonce, roomId));
}

/** Whether a join was signed with this key for this nonce and room. */
export function isJoinSigned(
  crypto: Crypto,
  publicKey: Uint8Array,
  signature: Uint8Array,
  nonce: Uint8Array,
  roomId: Bytes,
): Promise<boolean> {
  return crypto.verify(publicKey, signature, joinBytes(nonce, roomId));
}

/** What a member says to the seed server in the header `x-member`, to prove over HTTP which member of a room it is: key.signature. */
export async function proveMember(crypto: Crypto, key: SigningKey, roomId: Bytes): Promise<string> {
  const signature = await crypto.sign(key.privateKey, concat(utf8('matinee/1 http\0'), roomId));
  return `${toBase64url(key.publicKey)}.${toBase64url(signature)}`;
}

/** A signal (offer, answer, candidate) from one member to another, signed: CBOR [public key, signature, text]. To be sealed. */
export async function signSignal(crypto: Crypto, key: SigningKey, to: string, text: string): Promise<Bytes> {
  const from = await memberIdOf(crypto, key.publicKey);
  const signature = await crypto.sign(key.privateKey, signalBytes(from, to, text));
  return encodeCbor([key.publicKey, signature, text]);
}

/**
 * The text of a signed signal, once it is proven that the member `from` meant it for `to`: not even another member
 * together with the server can put a DTLS fingerprint of theirs in its place.
 * @throws MatineeError FRAME_MALFORMED or SIGNATURE_WRONG.
 */
export async function openSignal(
  crypto: Crypto,
  from: string,
  to: string,
  signed: Uint8Array,
): Promise<string> {
  const [publicKey, signature, text] = decodeCbor(signedSignal, signed, 'FRAME_MALFORMED', 'signal');
  const isTheirs = (await memberIdOf(crypto, publicKey)) === from;
  if (isTheirs && (await crypto.verify(publicKey, signature, signalBytes(from, to, text)))) return text;
  throw new MatineeError('SIGNATURE_WRONG', 'A signal was not signed by the member it is said to come from.');
}

function joinBytes(nonce: Uint8Array, roomId: Bytes): Bytes {
  return concat(utf8('matinee/1 join\0'), nonce, roomId);
}

function signalBytes(from: string, to: string, text: string): Bytes {
  return concat(utf8(`matinee/1 signal\0${from} ${to}\0`), utf8(text));
}
