/** Both ends included. */
export interface ByteRange {
  first: number;
  last: number;
}

const SINGLE_RANGE = /^bytes=(\d{0,15})-(\d{0,15})$/i;

/**
 * The part of something of `sizeBytes` that a Range header asks for (RFC 9110 section 14): null for all of it,
 * which also answers headers that are malformed or ask for several parts; 'unsatisfiable' for a part outside.
 */
export function parseRange(
  header: string | undefined,
  sizeBytes: number,
): ByteRange | 'unsatisfiable' | null {
  const [, firstText = '', lastText = ''] = SINGLE_RANGE.exec(header?.trim() ?? '') ?? [];
  if (firstText === '') return lastText === '' ? null : suffix(Number(lastText), sizeBytes);
  const first = Number(firstText);
  const last = lastText === '' ? sizeBytes - 1 : Number(lastText);
  if (lastText !== '' && last < first) return null;
  return first >= sizeBytes ? 'unsatisfiable' : { first, last: Math.min(last, sizeBytes - 1) };
}

function suffix(lengthBytes: number, sizeBytes: number): ByteRange | 'unsatisfiable' {
  if (lengthBytes === 0 || sizeBytes === 0) return 'unsatisfiable';
  return { first: Math.max(0, sizeBytes - lengthBytes), last: sizeBytes - 1 };
}
