/** Bytes that own a plain ArrayBuffer, which is what Web Crypto, MediaSource and data channels take. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** One buffer holding all parts in order. */
export function concat(...parts: Uint8Array[]): Bytes {
  const whole = new Uint8Array(totalBytes(parts));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

/** Bytes of all parts together. */
export function totalBytes(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
}

/** Numbers in these very bytes. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Whether both hold the same bytes. Not constant-time: for public values such as hashes, never for secrets. */
export function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  const { byteLength } = a;
  if (byteLength !== b.byteLength) return false;
  // Read once: asking for it in every round is what would take most of the time.
  for (let i = 0; i < byteLength; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** The UTF-8 bytes of a text. */
export function utf8(text: string): Bytes {
  return new Uint8Array(new TextEncoder().encode(text));
}

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** Base64url without padding (RFC 4648 section 5). */
export function toBase64url(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.byteLength; i += 3) {
    const [a = 0, b = 0, c = 0] = bytes.subarray(i, i + 3);
    const group = (a << 16) | (b << 8) | c;
    const charCount = Math.min(3, bytes.byteLength - i) + 1;
    for (let k = 0; k < charCount; k++) text += BASE64URL.charAt((group >> (18 - 6 * k)) & 63);
  }
  return text;
}

/**
 * The bytes of a base64url text without padding, or null where the text is not the one canonical
 * encoding of some bytes (a foreign character, an impossible length, stray bits at the end).
 */
export function fromBase64url(text: string): Bytes | null {
  if (text.length % 4 === 1) return null;
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let buffered = 0;
  let bits = 0;
  let at = 0;
  for (const char of text) {
    const value = BASE64URL.indexOf(char);
    if (value < 0) return null;
    buffered = ((buffered << 6) | value) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (buffered >> bits) & 255;
    }
  }
  return (buffered & ((1 << bits) - 1)) === 0 ? bytes : null;
}

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

/** The bytes of lower-case hexadecimal that toHex made. */
export function fromHex(hex: string): Bytes {
  const bytes = new Uint8Array(hex.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}
