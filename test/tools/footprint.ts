import { readdir, readlink } from 'node:fs/promises';
import { memoryOf } from './process-memory.ts';

/** What a process holds of the machine (Linux). */
export interface Footprint {
  memoryBytes: number;
  threads: number;
  sockets: number;
  /** Open files, pipes and the like, sockets left out. */
  files: number;
}

/** What this process holds now. */
export async function footprintOf(pid: number): Promise<Footprint> {
  const folder = `/proc/${pid}/fd`;
  // One may be closed while it is looked at.
  const targets = await Promise.all(
    (await readdir(folder)).map((fd) => readlink(`${folder}/${fd}`).catch(() => null)),
  );
  const open = targets.filter((target) => target !== null);
  const sockets = open.filter((target) => target.startsWith('socket:')).length;
  return {
    memoryBytes: await memoryOf(pid),
    threads: (await readdir(`/proc/${pid}/task`)).length,
    sockets,
    files: open.length - sockets,
  };
}

/** As people read it. */
export function describeFootprint({ memoryBytes, threads, sockets, files }: Footprint): string {
  return `${(memoryBytes / 1e6).toFixed(1)} MB, ${threads} threads, ${sockets} sockets, ${files} files`;
}
