import type { Bytes } from '../bytes.ts';
import { asBytes } from './as-bytes.ts';

/**
 * Wraps a Web Crypto import so that each key array is imported once, however many pieces it decrypts.
 * The cache goes by the array object, not its content, and lets go of a key together with its array.
 */
export function importOnce(
  importKey: (raw: Bytes) => Promise<CryptoKey>,
): (raw: Uint8Array) => Promise<CryptoKey> {
  const imported = new WeakMap<Uint8Array, Promise<CryptoKey>>();
  return (raw) => {
    const known = imported.get(raw);
    if (known) return known;
    const importing = importKey(asBytes(raw));
    imported.set(raw, importing);
    return importing;
  };
}
