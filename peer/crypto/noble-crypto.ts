import { ctr, gcm } from '@noble/ciphers/aes.js';
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { type Bytes, concat } from '../bytes.ts';
import { checkCounter } from './counter.ts';
import type { Crypto, Ed25519, FillRandom } from './crypto.ts';
import { checkSealKey, freshNonce, sealBroken, splitSealed } from './sealed.ts';

/** The primitives in plain JavaScript, for pages without Web Crypto (plain http on a local network). */
export function nobleCrypto(getRandomValues: FillRandom, ed25519: Ed25519): Crypto {
  return {
    ...ed25519,
    randomBytes(countBytes) {
      const bytes = new Uint8Array(countBytes);
      getRandomValues(bytes);
      return bytes;
    },
    sha256: async (data) => sha256(data),
    hkdfSha256: async (secret, salt, info, lengthBytes) => hkdf(sha256, secret, salt, info, lengthBytes),
    aesCtr: nobleAesCtr,
    async seal(key, plaintext, context) {
      checkSealKey(key);
      const nonce = freshNonce(getRandomValues);
      return concat(nonce, gcm(key, nonce, context).encrypt(plaintext));
    },
    open: nobleOpen,
  };
}

async function nobleAesCtr(key: Bytes, counterBlock: Bytes, data: Uint8Array): Promise<Bytes> {
  checkCounter(counterBlock, data.byteLength);
  return ctr(key, counterBlock).encrypt(data);
}

async function nobleOpen(key: Bytes, sealed: Uint8Array, context: Uint8Array): Promise<Bytes> {
  checkSealKey(key);
  const { nonce, ciphertext } = splitSealed(sealed);
  const cipher = gcm(key, nonce, context);
  try {
    return cipher.decrypt(ciphertext);
  } catch (error) {
    throw sealBroken(error);
  }
}
