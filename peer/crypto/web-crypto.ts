import { type Bytes, concat } from '../bytes.ts';
import { asBytes } from './as-bytes.ts';
import { COUNTER_BITS, checkCounter } from './counter.ts';
import type { Crypto, Ed25519, FillRandom } from './crypto.ts';
import { importOnce } from './import-once.ts';
import { checkSealKey, freshNonce, sealBroken, splitSealed } from './sealed.ts';

/** The primitives on Web Crypto, native and off the main thread; Ed25519 is handed in, native or not. */
export function webCrypto(subtle: SubtleCrypto, getRandomValues: FillRandom, ed25519: Ed25519): Crypto {
  return {
    ...ed25519,
    randomBytes(countBytes) {
      const bytes = new Uint8Array(countBytes);
      getRandomValues(bytes);
      return bytes;
    },
    sha256: async (data) => new Uint8Array(await subtle.digest('SHA-256', asBytes(data))),
    hkdfSha256: webHkdf(subtle),
    aesCtr: webAesCtr(subtle),
    ...webSeal(subtle, getRandomValues),
  };
}

function webHkdf(subtle: SubtleCrypto): Crypto['hkdfSha256'] {
  const secretKey = importOnce((raw) => subtle.importKey('raw', raw, 'HKDF', false, ['deriveBits']));
  return async (secret, salt, info, lengthBytes) => {
    const params = { name: 'HKDF', hash: 'SHA-256', salt: asBytes(salt), info: asBytes(info) };
    return new Uint8Array(await subtle.deriveBits(params, await secretKey(secret), lengthBytes * 8));
  };
}

function webAesCtr(subtle: SubtleCrypto): Crypto['aesCtr'] {
  const ctrKey = importOnce((raw) => subtle.importKey('raw', raw, 'AES-CTR', false, ['encrypt']));
  return async (key, counterBlock, data) => {
    checkCounter(counterBlock, data.byteLength);
    const params = { name: 'AES-CTR', counter: counterBlock, length: COUNTER_BITS };
    return new Uint8Array(await subtle.encrypt(params, await ctrKey(key), asBytes(data)));
  };
}

function webSeal(subtle: SubtleCrypto, getRandomValues: FillRandom): Pick<Crypto, 'seal' | 'open'> {
  const gcmKey = importOnce((raw) => subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt', 'decrypt']));
  return {
    async seal(key, plaintext, context) {
      checkSealKey(key);
      const nonce = freshNonce(getRandomValues);
      const params = gcmParams(nonce, context);
      const ciphertext = await subtle.encrypt(params, await gcmKey(key), asBytes(plaintext));
      return concat(nonce, new Uint8Array(ciphertext));
    },
    async open(key, sealed, context) {
      checkSealKey(key);
      const { nonce, ciphertext } = splitSealed(sealed);
      const imported = await gcmKey(key);
      return await decryptGcm(subtle, imported, gcmParams(nonce, context), ciphertext);
    },
  };
}

function gcmParams(nonce: Uint8Array, context: Uint8Array): AesGcmParams {
  return { name: 'AES-GCM', iv: asBytes(nonce), additionalData: asBytes(context) };
}

async function decryptGcm(
  subtle: SubtleCrypto,
  key: CryptoKey,
  params: AesGcmParams,
  ciphertext: Uint8Array,
): Promise<Bytes> {
  try {
    return new Uint8Array(await subtle.decrypt(params, key, asBytes(ciphertext)));
  } catch (error) {
    throw sealBroken(error);
  }
}
