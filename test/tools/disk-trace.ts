import { readlinkSync } from 'node:fs';
import promises, { type FileHandle, open } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { fileURLToPath } from 'node:url';

/** One thing done to the disk, once it has succeeded. */
export interface DiskAct {
  kind: 'sync' | 'rename' | 'mkdir';
  path: string;
  /** Where a rename comes from. */
  from: string | null;
}

/** What this process does to the disk by node:fs/promises, as long as it is watched. */
export interface DiskTrace {
  readonly acts: DiskAct[];
  /** Thrown by the next sync, once, instead of syncing. */
  failNextSync(error: Error): void;
  stop(): void;
}

/** Starts to watch. Linux only, where an open file can tell its path. */
export async function traceDisk(): Promise<DiskTrace> {
  const acts: DiskAct[] = [];
  const { mkdir, rename } = promises;
  const prototype = await handlePrototype();
  const { sync } = prototype;
  let failure: Error | null = null;
  prototype.sync = async function (this: FileHandle): Promise<void> {
    const path = readlinkSync(`/proc/self/fd/${this.fd}`);
    const error = failure;
    failure = null;
    if (error) throw error;
    await sync.call(this);
    acts.push({ kind: 'sync', path, from: null });
  };
  promises.rename = async (from, to) => {
    await rename(from, to);
    acts.push({ kind: 'rename', path: String(to), from: String(from) });
  };
  promises.mkdir = (async (path: string, options?: object) => {
    const made = await mkdir(path, options);
    acts.push({ kind: 'mkdir', path, from: null });
    return made;
  }) as typeof mkdir;
  syncBuiltinESMExports();
  const stop = (): void => {
    Object.assign(prototype, { sync });
    Object.assign(promises, { mkdir, rename });
    syncBuiltinESMExports();
  };
  const failNextSync = (error: Error): void => {
    failure = error;
  };
  return { acts, failNextSync, stop };
}

async function handlePrototype(): Promise<FileHandle> {
  const handle = await open(fileURLToPath(import.meta.url));
  try {
    return Object.getPrototypeOf(handle) as FileHandle;
  } finally {
    await handle.close();
  }
}
