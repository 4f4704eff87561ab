import { type ChildProcess, spawn } from 'node:child_process';
import { nodeArguments } from '../../seed-server/node-arguments.ts';
import { rootFolder } from './cache-folder.ts';
import { leaveBehind, takeAlong } from './detached-children.ts';
import { endGroup } from './process-group.ts';
import { type TemporaryFolder, temporaryFolder } from './temporary-folder.ts';

export interface ServerOptions {
  /** Added to this process's environment. */
  env?: Record<string, string>;
  /** The store's folder, the caller's to remove; a temporary one that `stop` removes where left out. */
  dataDir?: string;
  /** A free one where left out. */
  port?: number;
  /** The program to run, from the project's root; the sources where left out. */
  program?: string;
  /** What to run it with, for example in a network namespace: a program and its first arguments. */
  within?: readonly string[];
}

/** A seed server in a process group of its own, with whatever it starts. */
export interface RunningServer {
  /** Its address, without a slash at the end. */
  url: string;
  dataDir: string;
  pid: number;
  /** All it wrote so far, both streams. */
  log(): string;
  /** Resolves once it wrote this, now or before. Rejects where it ends without, or when 30 s have passed. */
  said(text: string): Promise<void>;
  /** Signals it and all it started; resolves when none of them runs any more. The data stay. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Asks it to end, waits until it has, and removes its temporary data. Rejects where it had to be killed. */
  stop(): Promise<void>;
}

/** What `npm start` runs, once it is built. */
export const BUILT_PROGRAM = 'dist/main.js';

const patienceMs = 30_000;
const address = /https?:\/\/(?:\[[\da-f:]+\]|[\w.-]+):\d+/i;

/**
 * Starts the real seed server and resolves when it has told its address. Rejects, with all it wrote, when
 * it ends before that or tells none in 30 s; nothing of it is left then.
 */
export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  const data = options.dataDir === undefined ? await temporaryFolder() : keptFolder(options.dataDir);
  const server = spawnServer(options, data.path);
  const stop = async () => {
    try {
      await server.kill('SIGTERM');
    } finally {
      await data.remove();
    }
  };
  try {
    return { ...server, url: await server.told, dataDir: data.path, stop };
  } catch (error) {
    await server.kill('SIGKILL');
    await data.remove();
    throw error;
  }
}

/** The same of what `npm start` runs, which is up in a fraction of the time: once it is built. */
export function startBuiltServer(options: ServerOptions = {}): Promise<RunningServer> {
  return startServer({ program: BUILT_PROGRAM, ...options });
}

/** A folder of the caller's, left as it is. */
function keptFolder(path: string): TemporaryFolder {
  return { path, remove: async () => {} };
}

function spawnServer(options: ServerOptions, dataDir: string) {
  const { port = 0, program = 'seed-server/main.ts', within = [] } = options;
  // No STUN: of servers that run at once one alone could have its port.
  const own = { HOST: '127.0.0.1', PORT: String(port), DATA_DIR: dataDir, STUN_PORT: '0' };
  const env = { ...process.env, ...own, ...options.env };
  const [file = '', ...args] = [...within, process.execPath, ...nodeArguments(program), program];
  const child = spawn(file, args, {
    cwd: rootFolder,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`No process could be made for ${program}.`);
  takeAlong(pid);
  const log = collectOutput(child);
  let isGone = false;
  const kill = async (signal: NodeJS.Signals) => {
    // The system may have given the id to somebody else by then.
    if (isGone) return;
    await endGroup(child, pid, signal);
    isGone = true;
    leaveBehind(pid);
  };
  const said = async (text: string) => {
    await outputOf(child, log, `said "${text}"`, () => log().includes(text) || null);
  };
  return { pid, log, said, kill, told: addressOf(child, log) };
}

function collectOutput(child: ChildProcess): () => string {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return () => output;
}

/** The first address in a whole line of what it wrote. */
function addressOf(child: ChildProcess, log: () => string): Promise<string> {
  return outputOf(child, log, 'told its address', () => {
    const lines = log().slice(0, log().lastIndexOf('\n') + 1);
    return address.exec(lines)?.[0] ?? null;
  });
}

/** The first that is found in its output, which is looked through whenever it wrote something. */
function outputOf<T>(child: ChildProcess, log: () => string, what: string, find: () => T | null): Promise<T> {
  return new Promise((resolve, reject) => {
    const fail = (how: string) => settle(() => reject(new Error(`The server ${how}. It wrote:\n${log()}`)));
    const look = () => {
      const found = find();
      if (found !== null) settle(() => resolve(found));
    };
    // 'close' comes after the last output, 'exit' may come before it.
    const closed = (code: number | null) => fail(`ended with ${code ?? 'a signal'} before it ${what}`);
    const timer = setTimeout(() => fail(`never ${what} in ${patienceMs} ms`), patienceMs);
    const streams = [child.stdout, child.stderr];
    const settle = (end: () => void) => {
      clearTimeout(timer);
      for (const stream of streams) stream?.off('data', look);
      child.off('close', closed);
      end();
    };
    for (const stream of streams) stream?.on('data', look);
    child.once('close', closed);
    look();
  });
}
