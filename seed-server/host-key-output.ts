import { type FileHandle, open, unlink } from 'node:fs/promises';
import { areEqual } from '../peer/bytes.ts';
import type { SigningKey } from '../peer/crypto/crypto.ts';
import { MatineeError } from '../peer/errors.ts';
import {
  formatHostKey,
  type HostedRoomKey,
  MAX_KEY_FILE_CHARS,
  parseHostKey,
} from '../peer/host/host-key-file.ts';
import { codeOf } from './store/durable.ts';

/** For its owner alone to read. */
const KEY_FILE_MODE = 0o600;

/** A file that waits for a room's host key. Made before the room is, so that a bad path costs no upload; never over another file. */
export class HostKeyOutput {
  readonly #path: string;
  /** Null: the key is in it already. */
  readonly #file: FileHandle | null;
  #written: Promise<void> | null = null;

  private constructor(path: string, file: FileHandle | null) {
    this.#path = path;
    this.#file = file;
  }

  /**
   * @param hostKey that of the room where it is there already: an upload goes on which may have made the file before.
   * @throws MatineeError REQUEST_MALFORMED where there is another file, or none can be made.
   */
  static async create(path: string, hostKey: SigningKey | null): Promise<HostKeyOutput> {
    try {
      return new HostKeyOutput(path, await openOwn(path, hostKey));
    } catch (cause) {
      const message = `The host key cannot be saved as ${path}. Name a file that is not there yet, in a folder you may write to.`;
      throw new MatineeError('REQUEST_MALFORMED', message, { cause });
    }
  }

  /** Starts to write; `close` waits for it. */
  write(room: HostedRoomKey): void {
    if (this.#file) this.#written = this.#file.writeFile(formatHostKey(room));
  }

  /** Resolves when what was written is on disk; a file that was not needed is removed. Rejects where the disk failed. */
  async close(): Promise<void> {
    if (!this.#file) return;
    try {
      await this.#written;
      if (this.#written) await this.#file.sync();
    } finally {
      await this.#file.close();
    }
    if (!this.#written) await unlink(this.#path);
  }
}

async function openOwn(path: string, hostKey: SigningKey | null): Promise<FileHandle | null> {
  try {
    return await open(path, 'wx', KEY_FILE_MODE);
  } catch (error) {
    const before = hostKey && codeOf(error) === 'EEXIST' ? await readStart(path) : null;
    // It was made, and the program ended before there was anything to write.
    if (before === '') return await open(path, 'r+');
    if (before !== null && hostKey && areEqual(parseHostKey(before).hostKey.publicKey, hostKey.publicKey))
      return null;
    throw error;
  }
}

/** As much of a file as a key file has at most, and a little more. */
async function readStart(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read({
      buffer: Buffer.alloc(4 * MAX_KEY_FILE_CHARS),
      position: 0,
    });
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}
