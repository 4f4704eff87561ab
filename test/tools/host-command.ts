import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { nodeArguments } from '../../seed-server/node-arguments.ts';
import { rootFolder } from './cache-folder.ts';

const PROGRAM = 'seed-server/host.ts';

/** How a run of the host command ended. */
export interface Outcome {
  /** Null: killed by a signal. */
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Starts what `npm run host` runs. `env` is added to this process's. */
export function startHost(args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  return spawn(process.execPath, [...nodeArguments(PROGRAM), PROGRAM, ...args], {
    cwd: rootFolder,
    env: { ...process.env, npm_lifecycle_event: '', ...env },
  });
}

/** Resolves when it has ended. */
export async function outcomeOf(child: ChildProcess): Promise<Outcome> {
  if (!child.stdout || !child.stderr) throw new Error('The program has no output.');
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { code: code as number | null, stdout, stderr };
}
