import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/**
 * Where programs of this person keep what they need again and nobody else should read: XDG's state folder, or what Windows has
 * for it. It need not be there yet.
 */
export function stateFolder(env: NodeJS.ProcessEnv): string {
  const { XDG_STATE_HOME: xdg = '', LOCALAPPDATA: local = '' } = env;
  // XDG: a path that is not absolute is to be ignored.
  if (isAbsolute(xdg)) return join(xdg, 'matinee');
  if (process.platform === 'win32' && isAbsolute(local)) return join(local, 'matinee');
  return join(homedir(), '.local', 'state', 'matinee');
}
