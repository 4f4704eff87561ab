import type { Bytes } from '../bytes.ts';

function isBytes(data: Uint8Array): data is Bytes {
  return data.buffer instanceof ArrayBuffer;
}

/** The same array where Web Crypto takes it as it is, else (shared memory, a foreign realm) a copy that it takes. */
export function asBytes(data: Uint8Array): Bytes {
  return isBytes(data) ? data : new Uint8Array(data);
}
