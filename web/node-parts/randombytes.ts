/** What simple-peer needs of Node's random bytes in a page: them, as hexadecimal digits. */
function randomBytes(countBytes: number): { toString(): string } {
  const bytes = crypto.getRandomValues(new Uint8Array(countBytes));
  return { toString: () => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('') };
}

export { randomBytes as 'module.exports' };
