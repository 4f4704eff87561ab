import { close, open, read } from 'node:fs';
import { join } from 'node:path';
import { MatineeError } from '../../peer/errors.ts';
import { codeOf } from './durable.ts';
import { segmentName } from './paths.ts';

const MAX_OPEN_FILES = 64;

/** One open segment. It is closed when it was let go and nobody reads from it any more. */
interface OpenFile {
  descriptor: Promise<number>;
  readerCount: number;
  isLetGo: boolean;
}

/**
 * Reads pieces of the segments in one folder: one positioned read each, straight into the caller's buffer.
 * Keeps the files used last open (64 at most). Files of segments never change, only vanish; an open one
 * outlives that, so close this when a room was taken down.
 */
export class SegmentFiles {
  readonly #folder: string;
  readonly #maxOpenFiles: number;
  /** In the order of their last use. */
  readonly #files = new Map<number, OpenFile>();

  constructor(folder: string, maxOpenFiles = MAX_OPEN_FILES) {
    this.#folder = folder;
    this.#maxOpenFiles = maxOpenFiles;
  }

  /**
   * Fills `into` with the bytes of a segment from `firstByte` on.
   * @throws MatineeError NOT_FOUND where the segment is not stored or ends before; the system's error where it cannot be read.
   */
  async readPiece(segment: number, firstByte: number, into: Uint8Array): Promise<void> {
    const file = this.#take(segment);
    file.readerCount += 1;
    try {
      await fill(await file.descriptor, firstByte, into);
    } catch (error) {
      if (this.#files.get(segment) === file) this.#letGo(segment, file);
      throw isMissing(error) ? notFound(segment, error) : error;
    } finally {
      file.readerCount -= 1;
      closeIfUnused(file);
    }
  }

  /** Closes every file, each as soon as the reads on it have ended. Reading again opens them again. */
  close(): void {
    for (const [segment, file] of this.#files) this.#letGo(segment, file);
  }

  #take(segment: number): OpenFile {
    const known = this.#files.get(segment);
    const file = known ?? {
      descriptor: openForReading(join(this.#folder, segmentName(segment))),
      readerCount: 0,
      isLetGo: false,
    };
    this.#files.delete(segment);
    this.#files.set(segment, file);
    for (const [oldest, oldestFile] of this.#files) {
      if (this.#files.size <= this.#maxOpenFiles) break;
      this.#letGo(oldest, oldestFile);
    }
    return file;
  }

  #letGo(segment: number, file: OpenFile): void {
    this.#files.delete(segment);
    file.isLetGo = true;
    closeIfUnused(file);
  }
}

function openForReading(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    open(path, 'r', (error, descriptor) => (error ? reject(error) : resolve(descriptor)));
  });
}

function closeIfUnused(file: OpenFile): void {
  if (!file.isLetGo || file.readerCount > 0) return;
  // A file that could not be opened needs no closing; its reader has been told. Nor is there anything
  // to be done where closing a file that was only read fails.
  file.descriptor.then((descriptor) => close(descriptor, () => {})).catch(() => {});
}

async function fill(descriptor: number, firstByte: number, into: Uint8Array): Promise<void> {
  for (let at = 0; at < into.byteLength; ) {
    const count = await readOnce(descriptor, firstByte + at, into, at);
    if (count === 0) throw new RangeError('the segment ends before');
    at += count;
  }
}

function readOnce(descriptor: number, position: number, into: Uint8Array, at: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(descriptor, into, at, into.byteLength - at, position, (error, count) =>
      error ? reject(error) : resolve(count),
    );
  });
}

function isMissing(error: unknown): boolean {
  return error instanceof RangeError || codeOf(error) === 'ENOENT';
}

function notFound(segment: number, cause: unknown): MatineeError {
  return new MatineeError('NOT_FOUND', `Segment ${segment} is not stored here, or has no such bytes.`, {
    cause,
  });
}
