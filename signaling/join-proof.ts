import { createHash, createPublicKey, verify } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import type { FromClient } from './messages.ts';

type Join = Extract<FromClient, { type: 'join' }>;

/** What comes before the 32 bytes of an Ed25519 key in its SubjectPublicKeyInfo (RFC 8410 section 4). */
const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex');

/** A member's id: the first 16 bytes of SHA-256("matinee/1 member" || public key), base64url. The key is base64url too. */
export function memberIdOf(publicKey: string): string {
  const hash = createHash('sha256').update('matinee/1 member').update(bytesOf(publicKey)).digest();
  return hash.subarray(0, 16).toString('base64url');
}

/** Whether a join was signed with the key it names, for its room, and on the connection whose hello had this nonce. */
export function isSignedJoin({ room, publicKey, signature }: Join, nonce: string): boolean {
  return isSigned([Buffer.from('matinee/1 join\0'), bytesOf(nonce), bytesOf(room)], publicKey, signature);
}

/** Whether the owner of a member key has signed that it watches this room over HTTP. Key and signature are base64url. */
export function isSignedForHttp(room: string, publicKey: string, signature: string): boolean {
  return isSigned([Buffer.from('matinee/1 http\0'), bytesOf(room)], publicKey, signature);
}

function isSigned(message: readonly Buffer[], publicKey: string, signature: string): boolean {
  if (!canBeOwned(bytesOf(publicKey))) return false;
  const spki = Buffer.concat([SPKI_HEAD, bytesOf(publicKey)]);
  const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  return verify(null, Buffer.concat(message), key, bytesOf(signature));
}

/** Whether somebody can have the private key: for points of small order signatures can be made up, and OpenSSL lets them pass. */
function canBeOwned(publicKey: Buffer): boolean {
  try {
    return !ed25519.Point.fromBytes(publicKey).isSmallOrder();
  } catch {
    // It is no point of the curve.
    return false;
  }
}

function bytesOf(base64url: string): Buffer {
  return Buffer.from(base64url, 'base64url');
}
