import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { MatineeError } from '../../peer/errors.ts';
import { codeOf } from './durable.ts';

/** How many bytes all rooms together may take. Counts what is stored and what is on its way. */
export class Quota {
  readonly #maxBytes: number;
  #usedBytes: number;

  /** @param maxBytes Infinity: no limit. */
  constructor(maxBytes: number, usedBytes: number) {
    this.#maxBytes = maxBytes;
    this.#usedBytes = usedBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /**
   * Runs a task that stores up to `mostBytes`, for which there is room from the start, and resolves to what it
   * kept in the end, which then counts instead; nothing where it rejects.
   * @throws MatineeError STORE_FULL where quota or disk have no room; what the task throws.
   */
  async spend(mostBytes: number, task: () => Promise<number>): Promise<void> {
    if (this.#usedBytes + mostBytes > this.#maxBytes) throw storeFull();
    this.#usedBytes += mostBytes;
    let keptBytes = 0;
    try {
      keptBytes = await task();
    } catch (error) {
      throw isDiskFull(error) ? storeFull(error) : error;
    } finally {
      this.#usedBytes += keptBytes - mostBytes;
    }
  }

  /** Counts bytes no longer that were removed. */
  release(bytes: number): void {
    this.#usedBytes -= bytes;
  }
}

function isDiskFull(error: unknown): boolean {
  return codeOf(error) === 'ENOSPC' || codeOf(error) === 'EDQUOT';
}

/** The error for a store without room, whether by quota or by disk. */
function storeFull(cause?: unknown): MatineeError {
  return new MatineeError(
    'STORE_FULL',
    'The server has no space left for this video. Ask whoever runs it to make room, or share a smaller one.',
    { cause },
  );
}

/** Bytes of all files under a folder; those that vanish meanwhile count nothing. */
export async function folderBytes(path: string): Promise<number> {
  let sumBytes = 0;
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const inner = join(path, entry.name);
    sumBytes += entry.isDirectory() ? await folderBytes(inner) : await fileBytes(inner);
  }
  return sumBytes;
}

/** Bytes of a file; 0 where there is none. */
export async function fileBytes(path: string): Promise<number> {
  try {
    return (await lstat(path)).size;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 0;
    throw error;
  }
}
