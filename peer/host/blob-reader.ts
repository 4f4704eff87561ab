import type { Bytes } from '../bytes.ts';

type Read = (start: number, end: number) => Promise<Uint8Array>;

/** The same bytes (start inclusive, end exclusive; fewer where the file ends before), each read by itself. */
export function readSlices(file: Blob): Read {
  return async (start, end) => new Uint8Array(await file.slice(start, end).arrayBuffer());
}

/**
 * The same for reads of which most go on where the one before ended: those are made out of one stream, which takes Chromium half the
 * time. Any other read, and one that the stream fails, is made by itself.
 * @param until ends the stream: from then on each read is made by itself.
 */
export function readOn(file: Blob, until: AbortSignal): Read {
  const readSlice = readSlices(file);
  let stream: ReadableStreamBYOBReader | null = null;
  let endedAt = -1;
  const endStream = (): void => {
    stream?.cancel().catch(() => undefined);
    stream = null;
  };
  until.addEventListener('abort', endStream, { once: true });
  const read: Read = async (start, end) => {
    if (until.aborted || start !== endedAt) {
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
  while (at < sizeBytes) {
    // The buffer goes to the stream and comes back with what it has for now.
    const part: ReadableStreamReadResult<Bytes> = await stream.read(new Uint8Array(buffer, at));
    // Ended by us: the buffer does not come back.
    if (!part.value) throw new Error('the stream was ended');
    buffer = part.value.buffer;
    at += part.value.byteLength;
    if (part.done) break;
  }
  return new Uint8Array(buffer, 0, at);
}
