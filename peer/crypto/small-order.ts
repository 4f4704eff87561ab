/**
 * The points of small order on Edwards25519 (RFC 7748, section 4.1: its cofactor is 8), as public keys with their sign bit cleared, in all
 * encodings that some verifier reads. Nobody has a private key for them, yet signatures that "verify" can be made up: one in eight
 * messages or more passes with nothing but zeros. Chalkias, Garillot, Nikolaenko: "Taming the many EdDSAs" (2020), section 3.
 */
const SMALL_ORDER = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
]);

/** Whether this Ed25519 public key (32 bytes) is one for which anybody can make up signatures. OpenSSL, and with it Node, lets them pass. */
export function isSmallOrder(publicKey: Uint8Array): boolean {
  const hex = Array.from(publicKey, (byte, at) =>
    (at === 31 ? byte & 0x7f : byte).toString(16).padStart(2, '0'),
  );
  return SMALL_ORDER.has(hex.join(''));
}
