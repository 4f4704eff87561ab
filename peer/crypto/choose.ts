import type { Crypto, Ed25519, FillRandom } from './crypto.ts';
import { webCrypto } from './web-crypto.ts';
import { webEd25519 } from './web-ed25519.ts';

/** What `globalThis.crypto` gives: `subtle` only in secure contexts (https, localhost, Node). */
export interface CryptoPlatform {
  readonly subtle?: SubtleCrypto | undefined;
  getRandomValues(into: Uint8Array<ArrayBuffer>): unknown;
}

/**
 * The fastest primitives this place has: Web Crypto; Web Crypto with noble's Ed25519 in browsers that lack
 * it; noble for everything where Web Crypto is withheld. noble is imported only then, so that a bundler
 * keeps it in chunks of its own that an up-to-date browser on https never fetches.
 */
export async function chooseCrypto(platform: CryptoPlatform = globalThis.crypto): Promise<Crypto> {
  const fillRandom: FillRandom = (into) => platform.getRandomValues(into);
  const { subtle } = platform;
  if (!subtle) return await loadNobleCrypto(fillRandom);
  const native = webEd25519(subtle, fillRandom);
  const ed25519 = (await doesSign(native)) ? native : await loadNobleEd25519(fillRandom);
  return webCrypto(subtle, fillRandom, ed25519);
}

/** Whether all three operations work here: there is no other way to ask Web Crypto what it supports. */
async function doesSign(ed25519: Ed25519): Promise<boolean> {
  try {
    const { publicKey, privateKey } = await ed25519.generateSigningKey();
    const signature = await ed25519.sign(privateKey, publicKey);
    return await ed25519.verify(publicKey, signature, publicKey);
  } catch {
    return false;
  }
}

async function loadNobleEd25519(fillRandom: FillRandom): Promise<Ed25519> {
  const { nobleEd25519 } = await import('./noble-ed25519.ts');
  return nobleEd25519(fillRandom);
}

async function loadNobleCrypto(fillRandom: FillRandom): Promise<Crypto> {
  const [{ nobleCrypto }, ed25519] = await Promise.all([
    import('./noble-crypto.ts'),
    loadNobleEd25519(fillRandom),
  ]);
  return nobleCrypto(fillRandom, ed25519);
}
