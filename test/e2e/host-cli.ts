import { rootFolder } from '../tools/cache-folder.ts';
import { runProgram } from '../tools/run-program.ts';

/** Hosts a file from the command line, with the README's command; returns the room link it prints last. */
export async function hostFromCommandLine(path: string, server: string): Promise<string> {
  const text = await runProgram('npm', ['run', '-s', 'host', '--', path, '--server', server], {
    cwd: rootFolder,
  });
  const link = text.trim().split('\n').at(-1) ?? '';
  if (!/\/r\/[\w-]{22}#[\w-]{43}$/.test(link)) throw new Error(`npm run host printed no room link: ${text}`);
  return link;
}
