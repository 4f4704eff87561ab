import { type Bytes, concat, fromBase64url } from '../bytes.ts';
import { asBytes } from './as-bytes.ts';
import type { Ed25519, FillRandom } from './crypto.ts';
import { importOnce } from './import-once.ts';
import { PUBLIC_KEY_BYTES, SEED_BYTES, SIGNATURE_BYTES } from './signature-sizes.ts';
import { isSmallOrder } from './small-order.ts';

/** The DER in front of a 32-byte Ed25519 seed in PKCS#8 (RFC 8410 section 7): Web Crypto imports no bare seed. */
const PKCS8_PREFIX = Uint8Array.of(
  ...[0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20],
);

/** Ed25519 on Web Crypto: Chrome 137, Firefox 129, Safari 17, Node 20 and newer. */
export function webEd25519(subtle: SubtleCrypto, getRandomValues: FillRandom): Ed25519 {
  const signingKey = importOnce((seed) => importSeed(subtle, seed, false));
  const verifyingKey = importOnce((raw) => subtle.importKey('raw', raw, 'Ed25519', false, ['verify']));
  return {
    async generateSigningKey() {
      const privateKey = new Uint8Array(SEED_BYTES);
      getRandomValues(privateKey);
      return { publicKey: await publicKeyOf(subtle, privateKey), privateKey };
    },
    sign: async (privateKey, message) =>
      new Uint8Array(await subtle.sign('Ed25519', await signingKey(privateKey), asBytes(message))),
    async verify(publicKey, signature, message) {
      if (publicKey.byteLength !== PUBLIC_KEY_BYTES || signature.byteLength !== SIGNATURE_BYTES) return false;
      if (isSmallOrder(publicKey)) return false;
      try {
        const key = await verifyingKey(publicKey);
        return await subtle.verify('Ed25519', key, asBytes(signature), asBytes(message));
      } catch {
        // Some platforms refuse bytes that are no point of the curve with an error: no signature is theirs.
        return false;
      }
    },
  };
}

async function importSeed(subtle: SubtleCrypto, seed: Bytes, isExtractable: boolean): Promise<CryptoKey> {
  if (seed.byteLength !== SEED_BYTES) {
    throw new RangeError(`An Ed25519 private key is ${SEED_BYTES} bytes, not ${seed.byteLength}.`);
  }
  const wrapped = concat(PKCS8_PREFIX, seed);
  return await subtle.importKey('pkcs8', wrapped, 'Ed25519', isExtractable, ['sign']);
}

/** Web Crypto has no "public from private", but a private key's JWK (RFC 8037) carries both. */
async function publicKeyOf(subtle: SubtleCrypto, seed: Bytes): Promise<Bytes> {
  const jwk = await subtle.exportKey('jwk', await importSeed(subtle, seed, true));
  const publicKey = fromBase64url(jwk.x ?? '');
  if (publicKey?.byteLength !== PUBLIC_KEY_BYTES)
    throw new TypeError('This Web Crypto exports no Ed25519 x.');
  return publicKey;
}
