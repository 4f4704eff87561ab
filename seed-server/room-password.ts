import { readFile } from 'node:fs/promises';
import { MatineeError } from '../peer/errors.ts';
import { MAX_PASSWORD_CHARS } from '../peer/limits.ts';

/**
 * The room password in a file: its first line. A file, for a command line is there for everyone on the machine to see.
 * @throws MatineeError REQUEST_MALFORMED where there is none, or one too long to be typed.
 */
export async function readRoomPassword(path: string, what = 'room password'): Promise<string> {
  const [password = ''] = (await readText(path, what)).split(/\r?\n/, 1);
  if (password !== '' && password.length <= MAX_PASSWORD_CHARS) return password;
  throw new MatineeError(
    'REQUEST_MALFORMED',
    `The first line of ${path} must be the ${what}, 1 to ${MAX_PASSWORD_CHARS} characters.`,
  );
}

async function readText(path: string, what: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new MatineeError('REQUEST_MALFORMED', `The file ${path} for the ${what} cannot be read.`, {
      cause,
    });
  }
}
