import { readInBlocks } from '../host/block-reader.ts';
import { readExactly, type VideoSource } from '../host/package-source.ts';

/** Places that are read lie together in the file, and all over it: small blocks, and some of them. */
const BLOCKS = { blockBytes: 64 * 1024, keptBlocks: 16 };

/** The file's index or its texts are not what their format says. */
export class TextMalformed extends Error {
  override readonly name = 'TextMalformed';
}

/** What `read` finds, or `otherwise` where the file is not what its format says. Other errors are thrown on. */
export async function unlessMalformed<T, U>(otherwise: U, read: () => Promise<T>): Promise<T | U> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof TextMalformed) return otherwise;
    throw error;
  }
}

/** A file of which small parts are looked at. */
export class FileView {
  readonly sizeBytes: number;
  readonly #source: VideoSource;

  constructor(source: VideoSource) {
    this.sizeBytes = source.sizeBytes;
    const read = readInBlocks(source.sizeBytes, (start, end) => source.read(start, end), BLOCKS);
    this.#source = { name: source.name, sizeBytes: source.sizeBytes, read };
  }

  /**
   * The bytes from start up to, not including, end.
   * @throws TextMalformed where the file has no such place; MatineeError FILE_UNREADABLE.
   */
  async bytes(start: number, end: number): Promise<Uint8Array> {
    if (!(start >= 0 && start <= end && end <= this.sizeBytes))
      throw new TextMalformed(`no bytes at ${start}`);
    return await readExactly(this.#source, start, end);
  }

  /** As {@link bytes}, of a part that must not be larger than so many bytes. */
  async part(start: number, end: number, maxBytes: number): Promise<Uint8Array> {
    if (end - start > maxBytes) throw new TextMalformed(`${end - start} bytes at ${start}`);
    return await this.bytes(start, end);
  }
}
