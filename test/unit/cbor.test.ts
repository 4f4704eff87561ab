import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as v from 'valibot';
import { type Bytes, concat } from '../../peer/bytes.ts';
import { decodeCbor, encodeCbor } from '../../peer/cbor.ts';
import { MatineeError } from '../../peer/errors.ts';
import { MAX_FRAME_BYTES } from '../../peer/limits.ts';
import { decodeFrame } from '../../peer/wire/frame.ts';
import { MESSAGES } from '../../peer/wire/messages.ts';

const LIST_OF_ONE = 0x81;
/** A map of one, whose key is the text "a". */
const MAP_OF_ONE = [0xa1, 0x61, 0x61];

const nesting = suite('nested CBOR');

/** Why bytes are refused: by the decoder's own words, where it was the decoder. */
function refusal(run: () => unknown): { code: string; cause: string } {
  try {
    run();
  } catch (error) {
    if (error instanceof MatineeError) return { code: error.code, cause: String(error.cause) };
  }
  throw new Error('It was not refused.');
}

function nested(opening: readonly number[], sizeBytes: number, end: readonly number[] = [0]): Bytes {
  const depth = Math.floor((sizeBytes - end.length) / opening.length);
  const bytes = new Uint8Array(depth * opening.length + end.length);
  for (let at = 0; at < depth * opening.length; at += opening.length) bytes.set(opening, at);
  bytes.set(end, depth * opening.length);
  return bytes;
}

const read = (bytes: Bytes): unknown => decodeCbor(v.unknown(), bytes, 'FRAME_MALFORMED', 'value');

nesting(
  'should be refused before the decoder has gone down into it, in frames of every type and size',
  () => {
    const types = Object.entries(MESSAGES).filter(([name]) => name !== 'piece');
    for (const [, { type }] of types) {
      for (const sizeBytes of [16_000, MAX_FRAME_BYTES - 1]) {
        for (const opening of [[LIST_OF_ONE], MAP_OF_ONE, [LIST_OF_ONE, ...MAP_OF_ONE]]) {
          for (const end of [[0], []]) {
            const frame = concat(new Uint8Array([type]), nested(opening, sizeBytes, end));
            assert.equal(
              refusal(() => decodeFrame(frame)),
              { code: 'FRAME_MALFORMED', cause: 'RangeError: nested too deep' },
            );
          }
        }
      }
    }
  },
);

nesting('should be taken eight deep and no deeper, whatever stands beside it', () => {
  const deep = (depth: number): unknown => (depth === 0 ? 7 : [1, { a: [] }, deep(depth - 1)]);
  const six = encodeCbor(deep(6));
  assert.equal(read(six), deep(6));
  const lists = (depth: number): unknown => (depth === 0 ? 7 : [lists(depth - 1), 1]);
  assert.equal(read(encodeCbor(lists(8))), lists(8));
  assert.is(refusal(() => read(encodeCbor(lists(9)))).cause, 'RangeError: nested too deep');
});

nesting('should not be mistaken for many lists side by side', () => {
  const wide = Array.from({ length: 5000 }, (_, i) => [i, [], {}, { a: [i] }]);
  assert.equal(read(encodeCbor(wide)), wide);
});

nesting('should not have the decoder wait for what a list claims to hold', () => {
  const claims = new Uint8Array([0x9a, 0xff, 0xff, 0xff, 0xff, 0]);
  assert.match(refusal(() => read(claims)).cause, /not enough entries/);
  assert.match(refusal(() => read(new Uint8Array([0x9f, 0, 0xff]))).cause, /indefinite/);
});

nesting.run();
