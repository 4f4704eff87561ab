import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Windows opens no folders; there a rename is as durable as it gets. */
const CAN_SYNC_FOLDERS = process.platform !== 'win32';

/** Resolves once the names in a folder will survive a power cut. */
export async function syncFolder(path: string): Promise<void> {
  if (!CAN_SYNC_FOLDERS) return;
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes a folder and those above it that are missing, durably. Node's recursive mkdir does not sync, and never ends under /proc. */
export async function makeFolders(path: string): Promise<void> {
  if (await didMakeFolder(path, true)) return;
  await makeFolders(dirname(path));
  await didMakeFolder(path, false);
}

/** False where the folder above is missing, if that `mayBeMissing`. */
async function didMakeFolder(path: string, mayBeMissing: boolean): Promise<boolean> {
  try {
    await mkdir(path);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return true;
    if (codeOf(error) === 'ENOENT' && mayBeMissing && dirname(path) !== path) return false;
    throw error;
  }
  await syncFolder(dirname(path));
  return true;
}

/**
 * A file that nobody sees until it is whole: written elsewhere in the same file system, then moved to its
 * place: `write`, `seal`, `keep`. `discard` must be called in the end; after `keep` it does nothing.
 */
export class TemporaryFile {
  readonly #handle: FileHandle;
  readonly #path: string;
  #isOpen = true;
  #isKept = false;

  private constructor(handle: FileHandle, path: string) {
    this.#handle = handle;
    this.#path = path;
  }

  /** A new empty one in `folder`; others may read it unless `mode` says otherwise. */
  static async create(folder: string, mode?: number): Promise<TemporaryFile> {
    const path = join(folder, randomUUID());
    return new TemporaryFile(await open(path, 'wx', mode), path);
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.byteLength; ) {
      at += (await this.#handle.write(bytes, at)).bytesWritten;
    }
  }

  /** Ends writing; resolves once all bytes are on disk. */
  async seal(): Promise<void> {
    await this.#handle.sync();
    await this.#close();
  }

  /** Puts it, once sealed, in its place. The name is durable after `syncFolder` of the place's folder. */
  async keep(path: string): Promise<void> {
    await rename(this.#path, path);
    this.#isKept = true;
  }

  async discard(): Promise<void> {
    await this.#close();
    if (!this.#isKept) await rm(this.#path, { force: true });
  }

  async #close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#handle.close();
  }
}

/** Writes a whole file so that at any moment the old or the new content is there, never a part. Its folder is left to `syncFolder`. */
export async function replaceFile(
  temporary: string,
  path: string,
  bytes: Uint8Array,
  mode?: number,
): Promise<void> {
  const file = await TemporaryFile.create(temporary, mode);
  try {
    await file.write(bytes);
    await file.seal();
    await file.keep(path);
  } finally {
    await file.discard();
  }
}

/** The `code` of a system error such as ENOENT; null for other values. */
export function codeOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}
