import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readStreamed } from '../../peer/host/blob-reader.ts';

const reading = suite('reading a file on');

const bytes = new Uint8Array(3_000_000).map((_, i) => (i * 31) >> 4);

/** Real, and counts how it is read; where `failsAt` is given its streams give no more than that many bytes. */
class WatchedBlob extends Blob {
  readonly failsAt: number;
  readonly counts = { slices: 0, streams: 0 };

  constructor(failsAt = Number.POSITIVE_INFINITY) {
    super([bytes]);
    this.failsAt = failsAt;
  }

  override slice(start?: number, end?: number): Blob {
    const part = super.slice(start, end);
    const { counts, failsAt } = this;
    return Object.assign(part, {
      arrayBuffer() {
        counts.slices += 1;
        return Blob.prototype.arrayBuffer.call(part);
      },
      stream() {
        counts.streams += 1;
        return failsAt === Number.POSITIVE_INFINITY ? Blob.prototype.stream.call(part) : failing(failsAt);
      },
    });
  }
}

function failing(afterBytes: number): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    type: 'bytes',
    start(controller) {
      controller.enqueue(new Uint8Array(afterBytes));
    },
    pull() {
      throw new Error('stalled');
    },
  });
}

reading(
  'should give the same bytes as each read alone, from one stream where they follow each other',
  async () => {
    const file = new WatchedBlob();
    const read = readStreamed(file);
    const places = [0, 2_900_000, 100_000, 200_000, 300_000, 400_000];
    // All at once, as blocks are that are read ahead.
    const parts = await Promise.all(places.map((at) => read(at, at + 100_000)));
    for (const [i, at] of places.entries()) assert.equal(parts[i], bytes.slice(at, at + 100_000), `at ${at}`);
    assert.equal(file.counts, { slices: 3, streams: 1 });
  },
);

reading('should give what there is at the end of the file', async () => {
  const read = readStreamed(new WatchedBlob());
  await read(2_000_000, 2_500_000);
  assert.equal(await read(2_500_000, 3_500_000), bytes.slice(2_500_000));
  assert.is((await read(3_000_000, 3_100_000)).byteLength, 0);
});

reading('should do without a stream that fails', async () => {
  const file = new WatchedBlob(1000);
  const read = readStreamed(file);
  for (let at = 0; at < 1_000_000; at += 100_000)
    assert.equal(await read(at, at + 100_000), bytes.slice(at, at + 100_000), `at ${at}`);
  assert.is(file.counts.slices, 10);
});

reading('should tell of a file that is gone', async () => {
  const file = new WatchedBlob();
  const read = readStreamed(file);
  await read(0, 1000);
  file.slice = () => {
    throw new Error('unplugged');
  };
  const failure = await read(1000, 2000).catch((error) => error);
  assert.instance(failure, Error);
});

reading.run();
