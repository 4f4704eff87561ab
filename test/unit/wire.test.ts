import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concat } from '../../peer/bytes.ts';
import { encodeCbor } from '../../peer/cbor.ts';
import { MatineeError } from '../../peer/errors.ts';
import { PIECE_BYTES } from '../../peer/limits.ts';
import { allocatePieceFrame, decodeFrame, encodeFrame, PIECE_HEADER_BYTES } from '../../peer/wire/frame.ts';
import { type Bodies, MESSAGES, type MessageName, WIRE_VERSION } from '../../peer/wire/messages.ts';

const frames = suite('frames');

const examples: { [N in Exclude<MessageName, 'piece'>]: Bodies[N] } = {
  hello: { v: WIRE_VERSION, role: 'member', card: new Uint8Array(40) },
  goodbye: { code: 'LEFT' },
  ping: { n: 4_000_000_000 },
  pong: { n: 0 },
  head: { envelope: new Uint8Array(300) },
  getPage: { hash: new Uint8Array(32) },
  page: { bytes: new Uint8Array(8000) },
  noPage: { hash: new Uint8Array(32) },
  rules: { envelope: new Uint8Array(34_000) },
  have: { whole: [[0, 38_000]], parts: [[7, new Uint8Array([3])]] },
  drop: { runs: [[1, 2]] },
  choke: {},
  unchoke: {},
  request: { segment: 12, pieces: [0, 5, 1023], inMs: 1500, others: 3 },
  cancel: { segment: 12, pieces: [5] },
  noPiece: { segment: 12, pieces: [5] },
  lied: { member: new Uint8Array(16) },
  got: { pieces: 70_000 },
  chat: { sealed: new Uint8Array(100) },
  chatKnown: { ids: [new Uint8Array(16)] },
  reaction: { sealed: new Uint8Array(100) },
  reactionKnown: { ids: [new Uint8Array(16)] },
  passing: { sealed: new Uint8Array(100) },
  askTime: { n: 7 },
  time: { n: 7, roomMs: 1_790_000_000_000, errorMs: 3 },
  playback: { sealed: new Uint8Array(400) },
  stall: { sealed: new Uint8Array(300) },
};

function isMalformed(error: unknown): boolean {
  return error instanceof MatineeError && error.code === 'FRAME_MALFORMED';
}

for (const [name, body] of Object.entries(examples)) {
  frames(`should carry ${name} there and back`, () => {
    const frame = encodeFrame(name as Exclude<MessageName, 'piece'>, body as never);
    assert.equal(decodeFrame(frame), { name, body });
  });

  frames(`should refuse ${name} with a byte more, a byte less, or a field more`, () => {
    const frame = encodeFrame(name as Exclude<MessageName, 'piece'>, body as never);
    assert.throws(() => decodeFrame(concat(frame, new Uint8Array(1))), isMalformed);
    assert.throws(() => decodeFrame(frame.slice(0, -1)), isMalformed);
    const type = new Uint8Array([MESSAGES[name as MessageName].type]);
    assert.throws(() => decodeFrame(concat(type, encodeCbor({ ...body, zz: 1 }))), isMalformed);
  });
}

frames('should have a type of its own for every message', () => {
  const types = Object.values(MESSAGES).map(({ type }) => type);
  assert.is(new Set(types).size, types.length);
});

frames('should carry pieces of every length', () => {
  for (const lengthBytes of [1, 15, 16, 65_535, PIECE_BYTES]) {
    const frame = allocatePieceFrame(70_000, 1023, lengthBytes);
    frame.fill(7, PIECE_HEADER_BYTES);
    const data = new Uint8Array(lengthBytes).fill(7);
    assert.equal(decodeFrame(frame), { name: 'piece', body: { segment: 70_000, piece: 1023, data } });
  }
});

frames('should make one piece after the other in the same memory', () => {
  const memory = new Uint8Array(PIECE_HEADER_BYTES + 100).fill(255);
  allocatePieceFrame(9, 9, 100, memory).fill(1, PIECE_HEADER_BYTES);
  const frame = allocatePieceFrame(70_000, 3, 15, memory).fill(7, PIECE_HEADER_BYTES);
  const data = new Uint8Array(15).fill(7);
  assert.equal(decodeFrame(frame), { name: 'piece', body: { segment: 70_000, piece: 3, data } });
  assert.is(frame[1], 0);
  assert.is(frame.buffer, memory.buffer);
});

frames('should refuse pieces that are empty, too long, or numbered too high', () => {
  assert.throws(() => decodeFrame(allocatePieceFrame(1, 1, 0)), isMalformed);
  assert.throws(() => decodeFrame(allocatePieceFrame(1, 1, PIECE_BYTES + 1)), isMalformed);
  assert.throws(() => decodeFrame(allocatePieceFrame(1, 1024, 10)), isMalformed);
  assert.throws(() => decodeFrame(new Uint8Array([MESSAGES.piece.type])), isMalformed);
});

frames('should answer any bytes with a message or FRAME_MALFORMED, nothing else', async () => {
  const types = Object.values(MESSAGES).map(({ type }) => type);
  const anything = fc.tuple(fc.constantFrom(...types, 0, 99), fc.uint8Array({ maxLength: 200 }));
  await fc.assert(
    fc.property(anything, ([type, rest]) => {
      try {
        decodeFrame(concat(new Uint8Array([type]), rest));
      } catch (error) {
        assert.ok(isMalformed(error), String(error));
      }
    }),
    { numRuns: 3000 },
  );
});

frames.run();
