import { decode, encode, type Token, Tokenizer, Type } from 'cborg';
import * as v from 'valibot';
import { areEqual, type Bytes } from './bytes.ts';
import { type ErrorCode, MatineeError } from './errors.ts';

const STRICT = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowInfinity: false,
  allowNaN: false,
  allowBigInt: false,
  rejectDuplicateMapKeys: true,
};

/** Lists and maps in one another at most: what we say is three deep. */
const MAX_DEPTH = 8;

/** Refuses what is nested deeper: the decoder descends by calling itself, and a stranger shall not choose how often. */
class ShallowTokenizer extends Tokenizer {
  /** For each list and map that is open, how many values of it are still to come. */
  readonly #missing: number[] = [];

  override next(): Token {
    const missing = this.#missing;
    while (missing.at(-1) === 0) missing.pop();
    const token = super.next();
    if (missing.length > 0) missing.push((missing.pop() ?? 0) - 1);
    if (Type.equals(token.type, Type.array)) missing.push(token.value);
    else if (Type.equals(token.type, Type.map)) missing.push(2 * token.value);
    if (missing.length > MAX_DEPTH) throw new RangeError('nested too deep');
    return token;
  }
}

/** Canonical CBOR (RFC 8949 section 4.2): equal values give equal bytes, so they can be hashed and signed. */
export function encodeCbor(value: unknown): Bytes {
  return new Uint8Array(encode(value));
}

/**
 * The value in `data`, decoded strictly (canonical CBOR only, nothing left over) and checked against a schema.
 * @throws MatineeError with `code` where either fails.
 */
export function decodeCbor<S extends v.GenericSchema>(
  schema: S,
  data: Uint8Array,
  code: ErrorCode,
  what: string,
): v.InferOutput<S> {
  const parsed = v.safeParse(schema, decodeAny(data, code, what), { abortEarly: true });
  if (!parsed.success)
    throw new MatineeError(code, `${what}: ${parsed.issues[0]?.message ?? 'not as expected'}`);
  // Decoder and schema let some through that say the same in other bytes: unsorted keys, whole numbers as floats, broken UTF-8.
  if (areEqual(encode(parsed.output), data)) return parsed.output;
  throw new MatineeError(code, `${what} is not canonical CBOR`);
}

function decodeAny(data: Uint8Array, code: ErrorCode, what: string): unknown {
  try {
    // A Buffer would give views of itself where a plain array gives copies.
    const plain = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return decode(plain, { ...STRICT, tokenizer: new ShallowTokenizer(plain, STRICT) });
  } catch (cause) {
    throw new MatineeError(code, `${what} is not valid CBOR`, { cause });
  }
}

/** Schema: a byte string of `minBytes` to `maxBytes` bytes, both inclusive. */
export function byteString(minBytes: number, maxBytes = minBytes) {
  return v.pipe(
    v.custom<Bytes>((value) => value instanceof Uint8Array, 'expected a byte string'),
    v.check(
      (bytes) => bytes.byteLength >= minBytes && bytes.byteLength <= maxBytes,
      'byte string of a wrong length',
    ),
  );
}

/** Schema: a whole number from 0 to `max` inclusive. */
export function count(max: number) {
  return v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(max));
}
