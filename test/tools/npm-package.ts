import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from './run-program.ts';

/**
 * Installs npm packages into a folder of their own, beside and not among the project's. For programs that
 * ship inside a package: install scripts are off, so a package that downloads its program later is no use.
 * Rejects with npm's words.
 */
export async function installPackages(folder: string, packages: readonly string[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  // Without a package.json here npm would walk up and install into the project.
  await writeFile(join(folder, 'package.json'), '{ "private": true }\n');
  const quiet = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--loglevel=error'];
  await runNpm(['install', '--prefix', folder, '--ignore-scripts', ...quiet, ...packages], folder);
}

function runNpm(args: readonly string[], cwd: string): Promise<string> {
  const { npm_execpath: script } = process.env;
  // Under `npm test` npm says where it is; calling it through Node also spares Windows its npm.cmd.
  if (script?.endsWith('.js')) return runProgram(process.execPath, [script, ...args], { cwd });
  return runProgram(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, { cwd });
}
