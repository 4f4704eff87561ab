import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readInBlocks } from '../../peer/host/block-reader.ts';

const blocks = suite('reading in blocks');

const file = new Uint8Array(9 * 1024 * 1024 + 77).map((_, i) => (i * 31) >> 4);

blocks('should give the same bytes as reading directly, up to the end and past it', async () => {
  const place = fc.integer({ min: 0, max: file.byteLength + 10 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(place, fc.integer({ min: 0, max: 5_000_000 })), { maxLength: 8 }),
      async (reads) => {
        const read = readInBlocks(file.byteLength, async (start, end) => file.slice(start, end));
        for (const [start, length] of reads) {
          assert.equal(await read(start, start + length), file.slice(start, start + length));
        }
      },
    ),
    { numRuns: 40 },
  );
});

blocks('should read each block once however small the pieces are', async () => {
  let count = 0;
  const read = readInBlocks(file.byteLength, async (start, end) => {
    count += 1;
    return file.slice(start, end);
  });
  for (let at = 0; at < file.byteLength; at += 10_000) await read(at, at + 10_000);
  assert.is(count, 5);
});

blocks('should read ahead by one block, and only where the blocks before it were read', async () => {
  const starts: number[] = [];
  const read = readInBlocks(
    1000,
    async (start, end) => {
      starts.push(start);
      return file.slice(start, end);
    },
    { blockBytes: 100 },
  );
  for (const at of [350, 750, 420, 430, 510, 990]) await read(at, at + 10);
  assert.equal(starts, [300, 700, 400, 500, 600, 900]);
});

blocks('should try again after a read that failed', async () => {
  let isBroken = true;
  const read = readInBlocks(file.byteLength, async (start, end) => {
    if (isBroken) throw new Error('unplugged');
    return file.slice(start, end);
  });
  let failure: unknown = null;
  await read(0, 10).catch((error) => {
    failure = error;
  });
  assert.instance(failure, Error);
  isBroken = false;
  assert.equal(await read(0, 10), file.slice(0, 10));
});

blocks.run();
