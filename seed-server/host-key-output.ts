import { type FileHandle, open, unlink } from 'node:fs/promises';
import { MatineeError } from '../peer/errors.ts';
import { formatHostKey, type HostedRoomKey } from '../peer/host/host-key-file.ts';

/** For its owner alone to read. */
const KEY_FILE_MODE = 0o600;

/** A file that waits for a room's host key. Made before the room is, so that a bad path costs no upload; never over another file. */
export class HostKeyOutput {
  readonly #path: string;
  readonly #file: FileHandle;
  #written: Promise<void> | null = null;

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  /** @throws MatineeError REQUEST_MALFORMED where there is such a file, or none can be made. */
  static async create(path: string): Promise<HostKeyOutput> {
    try {
      return new HostKeyOutput(path, await open(path, 'wx', KEY_FILE_MODE));
    } catch (cause) {
      const message = `The host key cannot be saved as ${path}. Name a file that is not there yet, in a folder you may write to.`;
      throw new MatineeError('REQUEST_MALFORMED', message, { cause });
    }
  }

  /** Starts to write; `close` waits for it. */
  write(room: HostedRoomKey): void {
    this.#written = this.#file.writeFile(formatHostKey(room));
  }

  /** Resolves when what was written is on disk; a file that was not needed is removed. Rejects where the disk failed. */
  async close(): Promise<void> {
    try {
      await this.#written;
      if (this.#written) await this.#file.sync();
    } finally {
      await this.#file.close();
    }
    if (!this.#written) await unlink(this.#path);
  }
}
