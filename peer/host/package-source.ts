import { CustomSource } from 'mediabunny';
import { MatineeError } from '../errors.ts';
import { readSlices } from './blob-reader.ts';
import { readInBlocks } from './block-reader.ts';

/** The file being packaged, wherever it is: a File in a browser, a path in Node. Whoever opens it closes it. */
export interface VideoSource {
  /** The file's name without folders, for the title. */
  name: string;
  sizeBytes: number;
  /** Resolves with exactly the bytes from start up to, not including, end; rejects where they can't be read. */
  read(start: number, end: number): Promise<Uint8Array>;
  /** It reads blocks of so many bytes: who has a part of one can have the rest for nothing. Left out: it reads what it is asked for. */
  blockBytes?: number;
}

/** Each read of a File is a way through other processes and fresh memory: twice as much at once takes three quarters of the time. */
const FILE_BLOCKS = { blockBytes: 4 * 1024 * 1024, keptBlocks: 4 };

/** A File, as a page or a worker gets it. */
type NamedBlob = Blob & { readonly name: string };

/** A File to read from, most of it in order. Holds a few blocks of it in memory at most. */
export function fromFile(file: NamedBlob): VideoSource {
  const read = readInBlocks(file.size, readSlices(file), FILE_BLOCKS);
  return { name: file.name, sizeBytes: file.size, read, blockBytes: FILE_BLOCKS.blockBytes };
}

/** The same file for mediabunny. A failed or short read is a MatineeError FILE_UNREADABLE. */
export function toReaderSource(source: VideoSource): CustomSource {
  const reader = new CustomSource({
    getSize: () => source.sizeBytes,
    read: (start, end) => readOn(source, start, end),
    prefetchProfile: 'fileSystem',
    // The one who awaits the read gets the same error; this only keeps a second, unawaited read from ending the process.
    handleUnhandledError: () => undefined,
  });
  return endingSearches(reader);
}

/** What mediabunny asks of a source, which it tells nobody else. */
interface InnerReads {
  _read?(start: number, end: number, ...limits: number[]): unknown;
}

/** Bytes that are left where its search ends without ending, and how often nobody asks for the same ones in a row for a reason. */
const ENDLESS = { bytes: 8, times: 1000 };

/**
 * The same source, with an end to a search of mediabunny's (1.61) that has none: where a Matroska file is damaged it looks for the next place that
 * it knows, and where there is none it asks for the same last bytes for ever, without letting anything else run. It is told that there are none.
 */
function endingSearches(source: CustomSource): CustomSource {
  const inner = source as InnerReads;
  const read = inner._read?.bind(source);
  if (!read) return source;
  let last = { start: -1, times: 0 };
  inner._read = (start, end, ...limits) => {
    const isAgain = start === last.start && end - start === ENDLESS.bytes;
    last = { start, times: isAgain ? last.times + 1 : 0 };
    return last.times > ENDLESS.times ? null : read(start, end, ...limits);
  };
  return source;
}

/**
 * The bytes from start up to end, and on to the end of their block. mediabunny takes more than it has asked for from a stream alone, and
 * what it has of a packet in one array it need not copy into another.
 */
async function readOn(
  source: VideoSource,
  start: number,
  end: number,
): Promise<Uint8Array | ReadableStream<Uint8Array>> {
  const { blockBytes, sizeBytes } = source;
  if (blockBytes === undefined) return await readExactly(source, start, end);
  const blockEnd = Math.min(Math.ceil(end / blockBytes) * blockBytes, sizeBytes);
  const bytes = await readExactly(source, start, blockEnd);
  return new ReadableStream({
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
}

/** The first bytes of a file, so many where it has them. @throws as readExactly. */
export async function readHead(source: VideoSource, byteCount: number): Promise<Uint8Array> {
  const { sizeBytes, blockBytes = 1 } = source;
  const blockEnd = Math.ceil(byteCount / blockBytes) * blockBytes;
  return (await readExactly(source, 0, Math.min(sizeBytes, blockEnd))).subarray(0, byteCount);
}

/**
 * The bytes from start up to, not including, end.
 * @throws MatineeError FILE_UNREADABLE where the file can't be read, became shorter, or changed where that can be seen.
 */
export async function readExactly(source: VideoSource, start: number, end: number): Promise<Uint8Array> {
  const bytes = await source.read(start, end).catch((error: unknown) => {
    throw error instanceof MatineeError ? error : unreadable(error);
  });
  if (bytes.byteLength !== end - start)
    throw unreadable(new Error(`read ${bytes.byteLength} bytes at ${start}`));
  return bytes;
}

function unreadable(cause: unknown): MatineeError {
  return new MatineeError(
    'FILE_UNREADABLE',
    'This file can no longer be read as it was. It was moved, changed or unplugged, or it is still being written: choose it again once it is there and stays as it is.',
    { cause },
  );
}
