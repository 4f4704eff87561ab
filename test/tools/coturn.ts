import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { firstExecutable, placesOnPath } from './executables.ts';
import { runProgram } from './run-program.ts';
import { tell } from './tell.ts';

export interface Coturn {
  port: number;
  stop(): Promise<void>;
}

export interface CoturnOptions {
  secret: string;
  /** Where it listens, and what it relays from. */
  address: string;
  /** A free one where left out. */
  port?: number;
  /** What to run it with, for example in a network namespace: a program and its first arguments. */
  within?: readonly string[];
}

/** Whether coturn and its client are installed. Says so where they are not. */
export async function hasCoturn(): Promise<boolean> {
  const places = await Promise.all(
    ['turnserver', 'turnutils_uclient'].map((name) => firstExecutable(placesOnPath([name]))),
  );
  const isThere = places.every((place) => place !== null);
  if (!isThere)
    tell('SKIPPED: coturn is not installed (Debian: apt-get install coturn), so nothing is relayed.');
  return isThere;
}

/** Starts coturn with a shared secret; resolves once it answers. */
export async function startCoturn(options: CoturnOptions): Promise<Coturn> {
  const { address, secret, within = [] } = options;
  const port = options.port ?? (await freePort(address));
  const flags = ['-n', '--no-cli', '--no-tls', '--no-dtls', '--allow-loopback-peers', '--simple-log'];
  const where = ['--listening-ip', address, '--relay-ip', address, '--listening-port', String(port)];
  const who = ['--realm', 'matinee', '--use-auth-secret', '--static-auth-secret', secret];
  const files = ['--pidfile', '/dev/null', '--log-file', 'stdout', '--db', '/tmp/matinee-test-turn.db'];
  const [program = '', ...args] = [...within, 'turnserver', ...flags, ...where, ...who, ...files];
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = once(child, 'exit');
  await new Promise<void>((resolve, reject) => {
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      // Its last step before it serves.
      if (/Total auth threads|SQLite DB connection success/.test(output)) resolve();
    });
    ended.then(() => reject(new Error(`coturn did not start: ${output.slice(-1000)}`)), reject);
  });
  return {
    port,
    async stop() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Sends packets through a TURN server at this address and back, as its own client; rejects where it is not let in. */
export async function relayThrough(
  address: string,
  port: number,
  username: string,
  credential: string,
): Promise<void> {
  const who = ['-u', username, '-w', credential, '-p', String(port)];
  const output = await runProgram('turnutils_uclient', ['-y', '-n', '1', '-m', '1', ...who, address]);
  if (!output.includes('Total lost packets 0 '))
    throw new Error(`nothing came through: ${output.slice(-500)}`);
}

async function freePort(address: string): Promise<number> {
  const socket = createSocket('udp4').bind(0, address);
  await once(socket, 'listening');
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(resolve));
  return port;
}
