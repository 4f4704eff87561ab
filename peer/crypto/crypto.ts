import type { Bytes } from '../bytes.ts';

/** Fills an array with randomness in place: `crypto.getRandomValues`, or a seeded source in a simulation. */
export type FillRandom = (into: Bytes) => unknown;

/** An Ed25519 key pair: `privateKey` is the 32-byte seed of RFC 8032 section 5.1.5, `publicKey` its 32 bytes. */
export interface SigningKey {
  readonly publicKey: Bytes;
  readonly privateKey: Bytes;
}

/** Ed25519 signatures (RFC 8032), apart from the rest because older browsers have all of Web Crypto but these. */
export interface Ed25519 {
  /** A fresh key pair. */
  generateSigningKey(): Promise<SigningKey>;
  /** The 64-byte signature of a message; the same for the same key and message. Rejects unless the seed is 32 bytes. */
  sign(privateKey: Bytes, message: Uint8Array): Promise<Bytes>;
  /**
   * Whether the signature is that key's for that message; false for malformed input too, never an error.
   * Implementations differ on keys of small order, which nobody gets by generating one: trust no key
   * that is not vouched for by other means (a room id is the hash of its host's key).
   */
  verify(publicKey: Uint8Array, signature: Uint8Array, message: Uint8Array): Promise<boolean>;
}

/**
 * The primitives that Matinee is made of; all implementations give the same bytes for the same input.
 * A key's bytes must not be changed in place: an implementation may remember what it made of the array.
 */
export interface Crypto extends Ed25519 {
  /** Randomness fit for keys; at most 65,536 bytes at once, as `crypto.getRandomValues` has it. */
  randomBytes(countBytes: number): Bytes;
  /** The 32-byte SHA-256 (FIPS 180-4). */
  sha256(data: Uint8Array): Promise<Bytes>;
  /** `lengthBytes` (1 to 8160) of key material by HKDF with SHA-256, extract and expand (RFC 5869). */
  hkdfSha256(secret: Uint8Array, salt: Uint8Array, info: Uint8Array, lengthBytes: number): Promise<Bytes>;
  /**
   * AES in counter mode (NIST SP 800-38A section 6.5), which encrypts and decrypts alike; as long as `data`.
   * The key is 32 bytes (16 and 24 work where the platform has them). The counter is the low 64 bits of the
   * 16-byte block, big-endian. A segment never wraps it; data that would rejects with RangeError.
   */
  aesCtr(key: Bytes, counterBlock: Bytes, data: Uint8Array): Promise<Bytes>;
  /**
   * Seals a text with AES-256-GCM (NIST SP 800-38D): a random 12-byte nonce, the ciphertext, a 16-byte tag.
   * `context` is authenticated with it but not contained in it. Rejects with RangeError unless the key is 32 bytes.
   */
  seal(key: Bytes, plaintext: Uint8Array, context: Uint8Array): Promise<Bytes>;
  /**
   * The plaintext that was sealed. Rejects with MatineeError SEAL_BROKEN if key, context or any bit differs,
   * with RangeError unless the key is 32 bytes.
   */
  open(key: Bytes, sealed: Uint8Array, context: Uint8Array): Promise<Bytes>;
}
