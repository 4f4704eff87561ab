import { createCipheriv, createHash } from 'node:crypto';
import type { Bytes } from '../peer/bytes.ts';
import { chooseCrypto } from '../peer/crypto/choose.ts';
import { checkCounter } from '../peer/crypto/counter.ts';
import type { Crypto } from '../peer/crypto/crypto.ts';

/**
 * The primitives for who has whole films to encrypt and hash: Node's own AES and SHA-256, at once. Web Crypto copies each piece for
 * another thread and waits for that, which takes longer than the work on it.
 */
export async function nodeCrypto(): Promise<Crypto> {
  return { ...(await chooseCrypto()), sha256, aesCtr };
}

async function sha256(data: Uint8Array): Promise<Bytes> {
  return asBytes(createHash('sha256').update(data).digest());
}

async function aesCtr(key: Bytes, counterBlock: Bytes, data: Uint8Array): Promise<Bytes> {
  checkCounter(counterBlock, data.byteLength);
  return asBytes(createCipheriv(`aes-${key.byteLength * 8}-ctr`, key, counterBlock).update(data));
}

function asBytes(buffer: Buffer<ArrayBuffer>): Bytes {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
