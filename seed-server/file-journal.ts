import { type FileHandle, open, readFile, rm, stat, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Bytes } from '../peer/bytes.ts';
import { MatineeError } from '../peer/errors.ts';
import type { UploadJournal, UploadRecord } from '../peer/host/upload-journal.ts';
import type { SegmentEntry } from '../peer/manifest/page.ts';
import {
  beginningNote,
  listingNote,
  MAX_KEPT_BYTES,
  readNotes,
  type StoredUpload,
  type UploadFacts,
} from './kept-upload.ts';
import { codeOf, replaceFile, syncFolder } from './store/durable.ts';

/** For its owner alone to read: whoever has it is the host, and can open the room. */
const MODE = 0o600;

/**
 * What a file tells of an upload that stopped; null where there is no such file.
 * @throws MatineeError REQUEST_MALFORMED where it is damaged; the system's error where it cannot be read.
 */
export async function readKeptUpload(path: string): Promise<StoredUpload | null> {
  try {
    const { size } = await stat(path);
    if (size > MAX_KEPT_BYTES) throw new MatineeError('REQUEST_MALFORMED', 'kept upload: too large');
    return readNotes(new Uint8Array(await readFile(path)));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

/** The journal of one upload in a file: each note is on disk before it is acted on. `close` must be called in the end. */
export class FileJournal implements UploadJournal {
  readonly #path: string;
  readonly #facts: UploadFacts;
  #file: FileHandle | null = null;
  #sizeBytes = 0;
  #hasListed = false;

  private constructor(path: string, facts: UploadFacts) {
    this.#path = path;
    this.#facts = facts;
  }

  /** For an upload that begins; the file comes with it, in the place of one that is there. Its folder must be there. */
  static create(path: string, facts: UploadFacts): FileJournal {
    return new FileJournal(path, facts);
  }

  /** For an upload that goes on. Rejects where the file cannot be written. */
  static async reopen(path: string, { facts, kept, wholeBytes }: StoredUpload): Promise<FileJournal> {
    const journal = new FileJournal(path, facts);
    await truncate(path, wholeBytes);
    journal.#file = await open(path, 'r+');
    journal.#sizeBytes = wholeBytes;
    journal.#hasListed = kept.entries.length > 0;
    return journal;
  }

  /** Whether there is something to go on with: the file is there, and something was signed. */
  get isKeeping(): boolean {
    return this.#file !== null && this.#hasListed;
  }

  async begin(record: UploadRecord): Promise<void> {
    const [note, folder] = [beginningNote(this.#facts, record), dirname(this.#path)];
    this.#mustFit(note);
    await this.close();
    await replaceFile(folder, this.#path, note, MODE);
    await syncFolder(folder);
    this.#file = await open(this.#path, 'r+');
    this.#sizeBytes = note.byteLength;
  }

  async list(
    firstSegment: number,
    entries: readonly SegmentEntry[],
    extras: ReadonlyMap<number, Bytes>,
  ): Promise<void> {
    // The subtitles beside the film are noted at the beginning.
    const others = [...extras].filter(([number]) => number > this.#facts.subtitles.length);
    const note = listingNote(firstSegment, entries, new Map(others));
    this.#mustFit(note);
    for (let at = 0; at < note.byteLength; ) {
      const { length } = note.subarray(at);
      at += (await this.#opened.write(note, at, length, this.#sizeBytes + at)).bytesWritten;
    }
    await this.#opened.sync();
    this.#sizeBytes += note.byteLength;
    this.#hasListed = true;
  }

  async end(): Promise<void> {
    await this.close();
    await rm(this.#path, { force: true });
  }

  /** Lets go of the file and leaves it. */
  async close(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    await file?.close();
  }

  get #opened(): FileHandle {
    if (this.#file) return this.#file;
    throw new Error('The upload has not begun.');
  }

  #mustFit({ byteLength }: Bytes): void {
    if (this.#sizeBytes + byteLength > MAX_KEPT_BYTES) throw new Error('too much to be kept');
  }
}
