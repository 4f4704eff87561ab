import { readdir, readFile } from 'node:fs/promises';
import { firstExecutable, placesOnPath } from './executables.ts';
import { runProgram } from './run-program.ts';

/** Ticks a second in /proc: USER_HZ, 100 on every Linux that runs Node. */
const TICKS_PER_SEC = 100;

/** What a process has had of the processor since it began, ms. */
export interface CpuTime {
  /** Time that its threads ran. */
  ranMs: number;
  /** Time that they could have run but others did: what a busy machine takes away. */
  waitedMs: number;
}

/** Processor time of a process, its children left out (Linux). */
export async function cpuTimeOf(pid: number): Promise<CpuTime> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The name before it may have spaces; of the rest the 12th and 13th are user and system time (proc(5)).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  const threads = await readdir(`/proc/${pid}/task`);
  const waits = await Promise.all(threads.map((thread) => waitedNs(pid, thread)));
  return {
    ranMs: (ticks * 1000) / TICKS_PER_SEC,
    waitedMs: waits.reduce((sum, ns) => sum + ns, 0) / 1e6,
  };
}

/** Holds all threads of a process to one core; resolves with whether this machine can (it has taskset). */
export async function pinTo(core: number, pid: number): Promise<boolean> {
  const taskset = await firstExecutable(placesOnPath(['taskset']));
  if (taskset === null) return false;
  await runProgram(taskset, ['-a', '-c', '-p', String(core), String(pid)]);
  return true;
}

/** A thread may end while it is looked at. */
async function waitedNs(pid: number, thread: string): Promise<number> {
  const text = await readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').catch(() => '');
  return Number(text.split(' ')[1] ?? 0);
}
