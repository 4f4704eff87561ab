import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concat, toHex } from '../../peer/bytes.ts';
import { counterBlock, decryptRange, encryptSegment } from '../../peer/crypto/content.ts';
import type { Crypto, FillRandom } from '../../peer/crypto/crypto.ts';
import { nobleCrypto } from '../../peer/crypto/noble-crypto.ts';
import { nobleEd25519 } from '../../peer/crypto/noble-ed25519.ts';
import { webCrypto } from '../../peer/crypto/web-crypto.ts';
import { webEd25519 } from '../../peer/crypto/web-ed25519.ts';

const { subtle } = globalThis.crypto;
const fillRandom: FillRandom = (into) => globalThis.crypto.getRandomValues(into);
const IMPLEMENTATIONS: [string, Crypto][] = [
  ['web', webCrypto(subtle, fillRandom, webEd25519(subtle, fillRandom))],
  ['noble', nobleCrypto(fillRandom, nobleEd25519(fillRandom))],
];

const KEY = new Uint8Array(32).map((_, i) => i);
const SEGMENT = 12;
const PIECE_BYTES = 65_536;
/** Two pieces and a rest that ends within a block. */
const PLAINTEXT = new Uint8Array(2 * PIECE_BYTES + 1001).map((_, i) => (i * 7919) >> 3);
const EDGES = [0, 1, 15, 16, 17, 31, 32, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, PLAINTEXT.byteLength];

const blocks = suite('a counter block');

blocks('should be the segment and the block within it, big-endian', () => {
  assert.is(toHex(counterBlock(0, 0)), '00000000000000000000000000000000');
  assert.is(toHex(counterBlock(1, 16)), '00000000000000010000000000000001');
  assert.is(toHex(counterBlock(0x01020304050607, 0x100)), '00010203040506070000000000000010');
  assert.is(toHex(counterBlock(0, 2 ** 53 - 16)), '00000000000000000001ffffffffffff');
});

blocks('should differ wherever the segment or the block differs', () => {
  const places = fc.record({
    segment: fc.maxSafeNat(),
    firstByte: fc.maxSafeNat().map((byte) => byte - (byte % 16)),
  });
  const property = fc.property(places, places, (a, b) => {
    fc.pre(a.segment !== b.segment || a.firstByte !== b.firstByte);
    assert.is.not(toHex(counterBlock(a.segment, a.firstByte)), toHex(counterBlock(b.segment, b.firstByte)));
  });
  fc.assert(property, { numRuns: 1000 });
});

blocks('should all differ among the blocks of neighbouring segments', () => {
  const seen = new Set<string>();
  for (let segment = 0; segment < 20; segment++) {
    for (let block = 0; block < 300; block++) seen.add(toHex(counterBlock(segment, block * 16)));
  }
  assert.is(seen.size, 20 * 300);
});

blocks('should be refused for places that do not exist', () => {
  for (const firstByte of [1, 15, 17]) {
    assert.throws(() => counterBlock(0, firstByte), /does not start a block/);
  }
  for (const firstByte of [-16, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(
      () => counterBlock(0, firstByte),
      (error: unknown) => error instanceof RangeError,
    );
  }
  for (const segment of [-1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(
      () => counterBlock(segment, 0),
      (error: unknown) => error instanceof RangeError,
    );
  }
});

blocks.run();

for (const [name, crypto] of IMPLEMENTATIONS) {
  const content = suite(`${name}: a segment`);
  const encrypted = encryptSegment(crypto, KEY, SEGMENT, [PLAINTEXT]).then((parts) => concat(...parts));

  async function assertDecryptsAlone(firstByte: number, endByte: number): Promise<void> {
    const range = (await encrypted).subarray(firstByte, endByte);
    const decrypted = await decryptRange(crypto, KEY, SEGMENT, firstByte, range);
    const isSame = Buffer.compare(decrypted, PLAINTEXT.subarray(firstByte, endByte)) === 0;
    assert.ok(isSame, `bytes ${firstByte} to ${endByte}`);
  }

  content('should be as long encrypted as plain, and differ', async () => {
    assert.is((await encrypted).byteLength, PLAINTEXT.byteLength);
    assert.is.not(Buffer.compare(await encrypted, PLAINTEXT), 0);
  });

  content('should be the same whatever the parts it comes in', async () => {
    const cuts = fc.array(fc.nat(PLAINTEXT.byteLength), { maxLength: 12 });
    const property = fc.asyncProperty(cuts, async (places) => {
      const ends = [...places.sort((a, b) => a - b), PLAINTEXT.byteLength];
      const parts = ends.map((end, i) => PLAINTEXT.subarray(ends[i - 1] ?? 0, end));
      const ciphertext = await encryptSegment(crypto, KEY, SEGMENT, parts);
      assert.equal(
        ciphertext.map(({ byteLength }) => byteLength),
        [PIECE_BYTES, PIECE_BYTES, 1001],
      );
      assert.is(Buffer.compare(concat(...ciphertext), await encrypted), 0);
    });
    await fc.assert(property, { numRuns: 30 });
  });

  content('should decrypt as a whole', async () => {
    await assertDecryptsAlone(0, PLAINTEXT.byteLength);
  });

  content('should decrypt between any two of the edges of blocks and pieces', async () => {
    for (const firstByte of EDGES) {
      for (const endByte of EDGES) if (endByte >= firstByte) await assertDecryptsAlone(firstByte, endByte);
    }
  });

  content('should decrypt any range alone to the bytes of the whole', async () => {
    const places = fc.nat(PLAINTEXT.byteLength);
    const property = fc.asyncProperty(places, places, async (a, b) => {
      await assertDecryptsAlone(Math.min(a, b), Math.max(a, b));
    });
    await fc.assert(property);
  });

  content('should not decrypt under another number, key or place', async () => {
    const start = (await encrypted).subarray(0, 64);
    const otherKey = new Uint8Array(32);
    const plain = toHex(PLAINTEXT.subarray(0, 64));
    assert.is.not(toHex(await decryptRange(crypto, KEY, SEGMENT + 1, 0, start)), plain);
    assert.is.not(toHex(await decryptRange(crypto, otherKey, SEGMENT, 0, start)), plain);
    assert.is.not(toHex(await decryptRange(crypto, KEY, SEGMENT, 16, start)), plain);
  });

  content('should refuse a range at a place that does not exist', async () => {
    for (const firstByte of [-1, 0.5, 2 ** 53, Number.NaN]) {
      const error = await decryptRange(crypto, KEY, 0, firstByte, PLAINTEXT).catch(
        (reason: unknown) => reason,
      );
      assert.instance(error, RangeError);
    }
  });

  content.run();
}
