/** The sizes of Ed25519 (RFC 8032 section 5.1): the seed that is the private key, the public key, a signature. */
export const SEED_BYTES = 32;
export const PUBLIC_KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;
