import { readdir, readFile } from 'node:fs/promises';

/** Whether this system tells what a process really holds (Linux: proportional set size). */
export const canMeasureMemory = process.platform === 'linux';

/** Bytes held by a process and all its descendants together, shared pages counted once among those who share them. */
export async function memoryOfTree(rootPid: number): Promise<number> {
  const parents = await parentsOfAll();
  const isBelow = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined && at > 0; at = parents.get(at))
      if (at === rootPid) return true;
    return false;
  };
  const sizes = await Promise.all([...parents.keys()].filter(isBelow).map(memoryOf));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** The processes that this one started. */
export async function childrenOf(pid: number): Promise<number[]> {
  return [...(await parentsOfAll())].filter(([, parent]) => parent === pid).map(([child]) => child);
}

async function parentsOfAll(): Promise<Map<number, number>> {
  const parents = new Map<number, number>();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = /^PPid:\s+(\d+)/m.exec(await readOrNothing(`/proc/${name}/status`))?.[1];
    if (parent) parents.set(Number(name), Number(parent));
  }
  return parents;
}

/** Bytes held by a process alone; 0 where it has ended. */
export async function memoryOf(pid: number): Promise<number> {
  const kib = /^Pss:\s+(\d+) kB/m.exec(await readOrNothing(`/proc/${pid}/smaps_rollup`))?.[1];
  return Number(kib ?? 0) * 1024;
}

/** A process may end while it is looked at. */
async function readOrNothing(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}

/** Follows what a process tree holds until told to stop; then the most it ever held, bytes. */
export function watchMemory(rootPid: number): () => Promise<number> {
  let peakBytes = 0;
  let isOver = false;
  const sample = async (): Promise<void> => {
    while (!isOver) {
      peakBytes = Math.max(peakBytes, await memoryOfTree(rootPid));
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  };
  const sampling = sample();
  return async () => {
    isOver = true;
    await sampling;
    return peakBytes;
  };
}
