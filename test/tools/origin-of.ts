import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { childrenOf } from './process-memory.ts';

/**
 * The processes of a seed server that are its origin: one, unless it is being started again. A server that runs from the
 * sources has another child for a while, the compiler's. Linux only.
 */
export async function originsOf(serverPid: number): Promise<number[]> {
  const origins: number[] = [];
  for (const pid of await childrenOf(serverPid)) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    const isOrigin = command.split('\0').some((word) => /^origin\.[jt]s$/.test(basename(word)));
    if (isOrigin) origins.push(pid);
  }
  return origins;
}
