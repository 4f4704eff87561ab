import { TextMalformed } from './file-view.ts';

/** EBML (RFC 8794), the layer below Matroska: elements of an id, a size and data. */

/** An id has four bytes at most, a size eight. */
export const MAX_HEADER_BYTES = 12;

export interface ElementHeader {
  /** With its marker bit, as the tables of Matroska write it. */
  id: number;
  headerBytes: number;
  /** Bytes of its data; null: until something that is not in it begins. */
  dataBytes: number | null;
}

export interface Element {
  id: number;
  data: Uint8Array;
}

/** Reads the head of an element. @throws TextMalformed where there is none, or not all of it. */
export function readHeader(bytes: Uint8Array, at = 0): ElementHeader {
  const idBytes = vintBytes(bytes, at);
  if (idBytes > 4) throw new TextMalformed('an id of more than four bytes');
  const sizeBytes = vintBytes(bytes, at + idBytes);
  return {
    id: Number(bigEndian(bytes, at, idBytes)),
    headerBytes: idBytes + sizeBytes,
    dataBytes: vintValue(bytes, at + idBytes, sizeBytes),
  };
}

/** The elements that lie in these bytes one after the other. @throws TextMalformed where one is not all there. */
export function* elements(bytes: Uint8Array): Generator<Element, void, undefined> {
  for (let at = 0; at < bytes.byteLength; ) {
    const { id, headerBytes, dataBytes } = readHeader(bytes, at);
    const start = at + headerBytes;
    if (dataBytes === null || start + dataBytes > bytes.byteLength)
      throw new TextMalformed(`element ${id} ends too late`);
    yield { id, data: bytes.subarray(start, start + dataBytes) };
    at = start + dataBytes;
  }
}

/** The first of an id; null where there is none. */
export function childOf(parent: Uint8Array, id: number): Uint8Array | null {
  for (const element of elements(parent)) if (element.id === id) return element.data;
  return null;
}

/** @throws TextMalformed for more than eight bytes, and for numbers that JavaScript has not. */
export function unsignedOf(data: Uint8Array): number {
  if (data.byteLength > 8) throw new TextMalformed('a number of more than eight bytes');
  const value = bigEndian(data, 0, data.byteLength);
  if (value > Number.MAX_SAFE_INTEGER) throw new TextMalformed('a number too large');
  return Number(value);
}

/** A text, which may be padded with zeros. */
export function textOf(data: Uint8Array): string {
  return new TextDecoder().decode(data).replace(/\0.*$/s, '');
}

/** A number of variable length as blocks have it in their head: its value, and how many bytes it takes. */
export function readVint(bytes: Uint8Array): { value: number; byteCount: number } {
  const byteCount = vintBytes(bytes, 0);
  const value = vintValue(bytes, 0, byteCount);
  if (value === null) throw new TextMalformed('a number that says nothing');
  return { value, byteCount };
}

/** The zeros before the first one say how many bytes there are. */
function vintBytes(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  const byteCount = first === 0 ? 9 : Math.clz32(first) - 23;
  if (byteCount > 8 || at + byteCount > bytes.byteLength)
    throw new TextMalformed('a number that is not all there');
  return byteCount;
}

/** Null where all its bits are ones. */
function vintValue(bytes: Uint8Array, at: number, byteCount: number): number | null {
  const bits = BigInt(7 * byteCount);
  const value = bigEndian(bytes, at, byteCount) & ((1n << bits) - 1n);
  if (value === (1n << bits) - 1n) return null;
  if (value > Number.MAX_SAFE_INTEGER) throw new TextMalformed('a size too large');
  return Number(value);
}

function bigEndian(bytes: Uint8Array, at: number, byteCount: number): bigint {
  let value = 0n;
  for (let i = 0; i < byteCount; i++) value = (value << 8n) | BigInt(bytes[at + i] ?? 0);
  return value;
}
