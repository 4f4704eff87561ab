import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';

const pollMs = 20;
const patienceMs = 10_000;

/** Sends a signal to a detached child and all it started; false where none of them is left. */
export function signalGroup(groupId: number, signal: NodeJS.Signals): boolean {
  if (process.platform === 'win32') return endTree(groupId);
  try {
    return process.kill(-groupId, signal);
  } catch (error) {
    // macOS answers EPERM for a group whose last members only wait to be reaped.
    if (isCode(error, 'ESRCH') || isCode(error, 'EPERM')) return false;
    throw error;
  }
}

/**
 * Signals the group and resolves when none of it runs any more. What has not ended 10 s later is killed,
 * and the promise rejects to say so.
 */
export async function endGroup(child: ChildProcess, groupId: number, signal: NodeJS.Signals): Promise<void> {
  const exited = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : null;
  signalGroup(groupId, signal);
  const didEnd = await isGoneInTime(groupId);
  if (!didEnd) signalGroup(groupId, 'SIGKILL');
  await exited;
  if (!didEnd) throw new Error(`Process group ${groupId} did not end within ${patienceMs} ms of ${signal}.`);
}

/** Only a parent is told of an end, and the grandchildren are not ours: hence the polling. */
async function isGoneInTime(groupId: number): Promise<boolean> {
  const giveUpAt = performance.now() + patienceMs;
  while (await isGroupRunning(groupId)) {
    if (performance.now() > giveUpAt) return false;
    await wait(pollMs);
  }
  return true;
}

async function isGroupRunning(groupId: number): Promise<boolean> {
  if (process.platform === 'win32') return false;
  try {
    process.kill(-groupId, 0);
  } catch {
    return false;
  }
  return process.platform === 'linux' ? hasLiveMember(groupId) : true;
}

/** Orphans that nobody reaps (a container without an init) keep a group's id alive for ever: look closer. */
async function hasLiveMember(groupId: number): Promise<boolean> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const states = await Promise.all(ids.map((id) => stateInGroup(id, groupId)));
  return states.some((state) => state !== null && state !== 'Z' && state !== 'X');
}

/** The state letter of a process (proc(5), stat), or null where it is of another group or has gone. */
async function stateInGroup(id: string, groupId: number): Promise<string | null> {
  try {
    const stat = await readFile(`/proc/${id}/stat`, 'utf8');
    const [state = '', , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(group) === groupId ? state : null;
  } catch {
    return null;
  }
}

/** Windows has neither groups nor signals. */
function endTree(id: number): true {
  spawn('taskkill', ['/pid', String(id), '/T', '/F'], { stdio: 'ignore' });
  return true;
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
