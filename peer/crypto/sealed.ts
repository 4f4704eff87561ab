import type { Bytes } from '../bytes.ts';
import { MatineeError } from '../errors.ts';
import type { FillRandom } from './crypto.ts';

/** The nonce in front of a sealed text (NIST SP 800-38D section 8.2.2, the random construction). */
export const SEAL_NONCE_BYTES = 12;

/** The tag at the end of a sealed text. */
export const SEAL_TAG_BYTES = 16;

/** AES-256, and nothing shorter. */
const SEAL_KEY_BYTES = 32;

/** Throws RangeError unless the key is 32 bytes, so that a mistaken key is not taken for a broken seal. */
export function checkSealKey(key: Uint8Array): void {
  if (key.byteLength !== SEAL_KEY_BYTES) {
    throw new RangeError(`A key that seals is ${SEAL_KEY_BYTES} bytes, not ${key.byteLength}.`);
  }
}

/** A sealed text taken apart: `ciphertext` still has the tag at its end. */
export interface SealedParts {
  readonly nonce: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/** Takes a sealed text apart, without copying; throws MatineeError SEAL_BROKEN if it is too short to be one. */
export function splitSealed(sealed: Uint8Array): SealedParts {
  if (sealed.byteLength < SEAL_NONCE_BYTES + SEAL_TAG_BYTES) throw sealBroken();
  return { nonce: sealed.subarray(0, SEAL_NONCE_BYTES), ciphertext: sealed.subarray(SEAL_NONCE_BYTES) };
}

/** A fresh nonce. Random ones are safe for 2^32 texts under one key, far beyond a room's chat. */
export function freshNonce(fillRandom: FillRandom): Bytes {
  const nonce = new Uint8Array(SEAL_NONCE_BYTES);
  fillRandom(nonce);
  return nonce;
}

/** The error for a sealed text that does not open; which part differs cannot be told. */
export function sealBroken(cause?: unknown): MatineeError {
  return new MatineeError(
    'SEAL_BROKEN',
    'A sealed message does not open: it was changed on its way or sealed for another room. Check that everyone opened the same, whole link.',
    { cause },
  );
}
