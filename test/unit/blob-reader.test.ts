import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readOn } from '../../peer/host/blob-reader.ts';

const reading = suite('reading a file on');

const never = new AbortController().signal;

const bytes = new Uint8Array(3_000_000).map((_, i) => (i * 31) >> 4);

/** Real, and counts how it is read; where `failsAt` is given its streams give no more than that many bytes. */
class WatchedBlob extends Blob {
  readonly failsAt: number;
  readonly counts = { slices: 0, streams: 0, cancels: 0 };

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
        if (failsAt !== Number.POSITIVE_INFINITY) return failing(failsAt);
        const stream = Blob.prototype.stream.call(part);
        const getReader = (options: { mode: 'byob' }) => {
          const reader = ReadableStream.prototype.getReader.call(stream, options);
          const cancel = () => {
            counts.cancels += 1;
            return ReadableStreamBYOBReader.prototype.cancel.call(reader);
          };
          return Object.assign(reader, { cancel });
        };
        return Object.assign(stream, { getReader });
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
    const read = readOn(file, never);
    const places = [0, 2_900_000, 100_000, 200_000, 300_000, 400_000];
    // All at once, as blocks are that are read ahead.
    const parts = await Promise.all(places.map((at) => read(at, at + 100_000)));
    for (const [i, at] of places.entries()) assert.equal(parts[i], bytes.slice(at, at + 100_000), `at ${at}`);
    assert.equal(file.counts, { slices: 3, streams: 1, cancels: 0 });
  },
);

reading('should give what there is at the end of the file', async () => {
  const read = readOn(new WatchedBlob(), never);
  await read(2_000_000, 2_500_000);
  assert.equal(await read(2_500_000, 3_500_000), bytes.slice(2_500_000));
  assert.is((await read(3_000_000, 3_100_000)).byteLength, 0);
});

reading('should do without a stream that fails', async () => {
  const file = new WatchedBlob(1000);
  const read = readOn(file, never);
  for (let at = 0; at < 1_000_000; at += 100_000)
    assert.equal(await read(at, at + 100_000), bytes.slice(at, at + 100_000), `at ${at}`);
  assert.is(file.counts.slices, 10);
});

reading('should tell of a file that is gone', async () => {
  const file = new WatchedBlob();
  const read = readOn(file, never);
  await read(0, 1000);
  file.slice = () => {
    throw new Error('unplugged');
  };
  const failure = await read(1000, 2000).catch((error) => error);
  assert.instance(failure, Error);
});

reading('should end its stream once it is over, and read on without', async () => {
  const file = new WatchedBlob();
  const over = new AbortController();
  const read = readOn(file, over.signal);
  await read(0, 100_000);
  await read(100_000, 200_000);
  assert.equal(file.counts, { slices: 1, streams: 1, cancels: 0 });
  const underWay = read(200_000, 300_000);
  over.abort();
  assert.is(file.counts.cancels, 1);
  assert.equal(await underWay, bytes.slice(200_000, 300_000));
  assert.equal(await read(300_000, 400_000), bytes.slice(300_000, 400_000));
  assert.equal(file.counts, { slices: 3, streams: 1, cancels: 1 });
});

reading('should end its stream while it gives', async () => {
  const file = new WatchedBlob();
  const over = new AbortController();
  const read = readOn(file, over.signal);
  await read(0, 1000);
  const underWay = read(1000, 2_000_000);
  // By now it reads: a stream is open.
  while (file.counts.streams === 0) await Promise.resolve();
  over.abort();
  assert.equal(await underWay, bytes.slice(1000, 2_000_000));
  assert.equal(file.counts, { slices: 2, streams: 1, cancels: 1 });
});

reading.run();
