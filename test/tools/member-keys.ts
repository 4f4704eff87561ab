import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import type { Bytes } from '../../peer/bytes.ts';
import type { SigningKey } from '../../peer/crypto/crypto.ts';
import type { FromClient } from '../../signaling/messages.ts';

/** What comes before the 32 bytes of an Ed25519 key in PKCS #8 and SubjectPublicKeyInfo (RFC 8410 sections 7 and 4). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex');

/** An Ed25519 private key as the platform takes it. */
export function privateKeyOf(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: 'der', type: 'pkcs8' });
}

/** An Ed25519 public key as the platform takes it. */
export function publicKeyOf(publicKey: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([SPKI_HEAD, publicKey]), format: 'der', type: 'spki' });
}

/** The key pair that grows from a seed of 32 bytes. */
export function signingKeyOf(seed: Bytes): SigningKey {
  const spki = createPublicKey(privateKeyOf(seed)).export({ format: 'der', type: 'spki' });
  return { publicKey: new Uint8Array(spki.subarray(SPKI_HEAD.byteLength)), privateKey: seed };
}

/** A member key that is the same for the same number. */
export function memberKey(number: number): SigningKey {
  return signingKeyOf(new Uint8Array(createHash('sha256').update(`member ${number}`).digest()));
}

/** The id of the member with this key, as signaling and every peer derive it. */
export function memberIdOfKey({ publicKey }: SigningKey): string {
  const hash = createHash('sha256').update('matinee/1 member').update(publicKey).digest();
  return hash.subarray(0, 16).toString('base64url');
}

/** A join as a member with this key makes it, for a connection whose hello had this nonce. */
export function signedJoin(
  key: SigningKey,
  room: string,
  token: string,
  nonce: string,
): Extract<FromClient, { type: 'join' }> {
  const message = Buffer.concat([
    Buffer.from('matinee/1 join\0'),
    Buffer.from(nonce, 'base64url'),
    Buffer.from(room, 'base64url'),
  ]);
  return {
    type: 'join',
    room,
    token,
    publicKey: Buffer.from(key.publicKey).toString('base64url'),
    signature: sign(null, message, privateKeyOf(key.privateKey)).toString('base64url'),
  };
}
