import { spawn } from 'node:child_process';

export interface RunOptions {
  env?: NodeJS.ProcessEnv;
  cwd?: string;
}

/**
 * Runs a program to its end; its standard output as text. Rejects with the command, its exit and the end
 * of what it wrote when it cannot be started or exits with another code than 0.
 */
export function runProgram(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true });
    let output = '';
    let complaints = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaints += text;
    });
    const fail = (how: string) =>
      reject(new Error(`\`${[program, ...args].join(' ')}\` ${how}: ${(complaints || output).slice(-2000)}`));
    child.once('error', (error) => fail(`did not start (${error.message})`));
    child.once('close', (code, signal) =>
      code === 0 ? resolve(output) : fail(`ended with ${code ?? signal}`),
    );
  });
}
