import { ed25519 } from '@noble/curves/ed25519.js';
import type { Ed25519, FillRandom } from './crypto.ts';
import { PUBLIC_KEY_BYTES, SEED_BYTES, SIGNATURE_BYTES } from './signature-sizes.ts';

/** noble's default is the laxer rule of ZIP 215; RFC 8032 is what Web Crypto goes by. */
const STRICT = { zip215: false };

/** Ed25519 in plain JavaScript, for browsers whose Web Crypto lacks it or is withheld. */
export function nobleEd25519(getRandomValues: FillRandom): Ed25519 {
  return {
    async generateSigningKey() {
      const privateKey = new Uint8Array(SEED_BYTES);
      getRandomValues(privateKey);
      return { publicKey: ed25519.getPublicKey(privateKey), privateKey };
    },
    sign: async (privateKey, message) => ed25519.sign(message, privateKey),
    async verify(publicKey, signature, message) {
      if (publicKey.byteLength !== PUBLIC_KEY_BYTES || signature.byteLength !== SIGNATURE_BYTES) return false;
      return ed25519.verify(signature, message, publicKey, STRICT);
    },
  };
}
