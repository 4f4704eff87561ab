import { createCipheriv, createHash, type KeyObject, sign, verify } from 'node:crypto';
import type { Bytes } from '../../peer/bytes.ts';
import type { Crypto, Ed25519 } from '../../peer/crypto/crypto.ts';
import { nobleCrypto } from '../../peer/crypto/noble-crypto.ts';
import { privateKeyOf, publicKeyOf, signingKeyOf } from '../tools/member-keys.ts';
import { fillFrom } from './seeded-random.ts';

/** Real cryptography with seeded randomness, done at once. What is done most (to media, and to sign and verify) is the platform's. */
export class VirtualCrypto {
  readonly crypto: Crypto;
  /** Hashes of buffers that never change, by identity: a thousand viewers check the same pieces. */
  readonly #known = new WeakMap<ArrayBuffer, { lengthBytes: number; hash: Bytes }>();

  constructor(random: () => number) {
    const fill = (into: Bytes): Bytes => fillFrom(random, into);
    const noble = nobleCrypto(fill, platformEd25519(fill));
    this.crypto = { ...noble, sha256: async (data) => this.#sha256(data), aesCtr };
  }

  /** From now on the hash of this data, however it is viewed, is remembered. It must reach to the end of its buffer and never change. */
  remember(data: Bytes): void {
    this.#known.set(data.buffer, { lengthBytes: data.byteLength, hash: sha256(data) });
  }

  #sha256(data: Uint8Array): Bytes {
    const known = data.buffer instanceof ArrayBuffer ? this.#known.get(data.buffer) : undefined;
    const isWhole = known?.lengthBytes === data.byteLength && isAtEnd(data);
    return known && isWhole ? known.hash : sha256(data);
  }
}

/** Keys as the platform takes them: making one costs more than using it. */
const privateKey = remembered(privateKeyOf);
const publicKey = remembered(publicKeyOf);

/** The same, made once for each key. */
function remembered(make: (key: Uint8Array) => KeyObject): (key: Uint8Array) => KeyObject {
  const known = new Map<string, KeyObject>();
  return (key) => {
    const name = Buffer.from(key).toString('latin1');
    const made = known.get(name) ?? make(key);
    known.set(name, made);
    return made;
  };
}

/** Ed25519 signatures have no randomness: a run stays the same. */
function platformEd25519(fill: (into: Bytes) => Bytes): Ed25519 {
  return {
    generateSigningKey: async () => signingKeyOf(fill(new Uint8Array(32))),
    sign: async (key, message) => new Uint8Array(sign(null, message, privateKey(key))),
    verify: async (key, signature, message) =>
      key.byteLength === 32 && verify(null, message, publicKey(key), signature),
  };
}

function isAtEnd(data: Uint8Array): boolean {
  return data.byteOffset + data.byteLength === data.buffer.byteLength;
}

/** As Crypto has it; counters of segments never wrap, where the platform's would go on into the upper half. */
async function aesCtr(key: Bytes, counterBlock: Bytes, data: Uint8Array): Promise<Bytes> {
  return new Uint8Array(createCipheriv('aes-256-ctr', key, counterBlock).update(data));
}

function sha256(data: Uint8Array): Bytes {
  return new Uint8Array(createHash('sha256').update(data).digest());
}
