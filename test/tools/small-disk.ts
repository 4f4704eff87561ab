import { rm } from 'node:fs/promises';
import { runProgram } from './run-program.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** A file system of its own, in memory, that a test may fill. */
export interface SmallDisk {
  path: string;
  /** Makes it read-only, or writable again, under whoever uses it. */
  remount(how: 'ro' | 'rw'): Promise<void>;
  remove(): Promise<void>;
}

/** Mounts one of so many bytes. Rejects where this system or user cannot: it takes Linux and root. */
export async function mountSmallDisk(sizeBytes: number): Promise<SmallDisk> {
  const { path, remove } = await temporaryFolder();
  try {
    await runProgram('mount', ['-t', 'tmpfs', '-o', `size=${sizeBytes}`, 'tmpfs', path]);
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    path,
    remount: async (how) =>
      void (await runProgram('mount', ['-o', `remount,${how},size=${sizeBytes}`, path])),
    async remove() {
      await runProgram('umount', [path]);
      await rm(path, { recursive: true });
    },
  };
}

/** Why no small disk can be mounted here; null where one can. */
export async function reasonForNoDisk(): Promise<string | null> {
  try {
    await (await mountSmallDisk(1_000_000)).remove();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
