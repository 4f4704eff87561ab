import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's root folder. */
export const rootFolder = fileURLToPath(new URL('../..', import.meta.url));

/** Where the tests keep what is dear to fetch or make; git ignores it and anyone may delete it. */
export const cacheFolder = join(rootFolder, 'test', '.cache');

/**
 * Path of a file or folder in the cache, made by `make` at the path it is handed where it is missing. The
 * result gets its name only when `make` has ended well, so an interrupted or a second, simultaneous run
 * never sees half of it.
 */
export async function cached(name: string, make: (path: string) => Promise<void>): Promise<string> {
  const kept = join(cacheFolder, name);
  if (await isThere(kept)) return kept;
  await mkdir(cacheFolder, { recursive: true });
  const staging = await mkdtemp(join(cacheFolder, 'unfinished-'));
  try {
    const made = join(staging, name);
    await make(made);
    await keepFirst(made, kept);
  } finally {
    await rm(staging, { recursive: true, force: true, maxRetries: 3 });
  }
  return kept;
}

/** Moves it to its name; where another run was first, that one's work stays. */
async function keepFirst(made: string, kept: string): Promise<void> {
  try {
    await rename(made, kept);
  } catch (error) {
    if (!(await isThere(kept))) throw error;
  }
}

/** Whether a file or folder of that path exists. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    return false;
  }
}
