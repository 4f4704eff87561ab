import type { Bytes } from '../bytes.ts';

type Read = (start: number, end: number) => Promise<Uint8Array>;

/** The same bytes (start inclusive, end exclusive; fewer where the file ends before), each read by itself. */
export function readSlices(file: Blob): Read {
  return async (start, end) => new Uint8Array(await file.slice(start, end).arrayBuffer());
}

/**
 * The readers that are waited for. Chromium (156) holds neither a stream that has nothing to give for now nor those who wait for it: what
 * nothing else holds went with the next garbage collection, and whoever waited stood still for ever (in 9 of 25 films of 356 MB).
 */
const waitedFor = new Set<ReadableStreamBYOBReader>();

/**
 * The same for reads of which most go on where the one before ended: those are made out of one stream, which takes Chromium less than
 * opening the file anew for each. Any other read, and one that the stream fails, is made by itself.
 */
export function readStreamed(file: Blob): Read {
  const readSlice = readSlices(file);
  let stream: ReadableStreamBYOBReader | null = null;
  let endedAt = -1;
  const endStream = (): void => {
    stream?.cancel().catch(() => undefined);
    stream = null;
  };
  const read: Read = async (start, end) => {
    if (start !== endedAt) {
      endStream();
      endedAt = end;
      return await readSlice(start, end);
    }
    try {
      stream ??= file.slice(start).stream().getReader({ mode: 'byob' });
      const bytes = await fill(stream, end - start);
      endedAt = start + bytes.byteLength;
      return bytes;
    } catch {
      endStream();
      return await readSlice(start, end);
    }
  };
  // A stream gives to one at a time.
  let before: Promise<unknown> = Promise.resolve();
  return (start, end) => {
    const reading = before.then(() => read(start, end));
    before = reading.catch(() => undefined);
    return reading;
  };
}

async function fill(stream: ReadableStreamBYOBReader, sizeBytes: number): Promise<Uint8Array> {
  let buffer = new ArrayBuffer(sizeBytes);
  let at = 0;
  waitedFor.add(stream);
  try {
    while (at < sizeBytes) {
      // The buffer goes to the stream and comes back with what it has for now.
      const part: ReadableStreamReadResult<Bytes> = await stream.read(new Uint8Array(buffer, at));
      if (!part.value) break;
      buffer = part.value.buffer;
      at += part.value.byteLength;
      if (part.done) break;
    }
  } finally {
    waitedFor.delete(stream);
  }
  return new Uint8Array(buffer, 0, at);
}
