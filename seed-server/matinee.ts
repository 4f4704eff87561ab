import { MatineeError } from '../peer/errors.ts';
import { type Config, readConfig } from './config.ts';
import { withEnvFile } from './env-file.ts';
import { helpText } from './help.ts';
import { StartError } from './start-error.ts';

const ENV_FILE = '.env';

/**
 * Runs the command line (help.ts says what there is); resolves with the exit code, for `serve` once it is open.
 * Code 1: it could not be done, and stderr has a sentence that says why; 2: the arguments make no sense.
 */
export async function runMatinee(args: readonly string[]): Promise<number> {
  const [command = 'help', ...rest] = args;
  if (command === 'help' || args.includes('--help')) return say(helpText());
  try {
    const config = readConfig(withEnvFile(process.env, ENV_FILE));
    if (command === 'serve' && rest.length === 0) {
      // Imported here: help and the other commands need none of it.
      const { serve } = await import('./serve.ts');
      await serve(config);
      return 0;
    }
    const answer = await administer(config, command, rest);
    if (answer !== null) return say(answer);
    return complain(`matinee ${args.join(' ')}: there is no such command. See npm run matinee -- help.`, 2);
  } catch (error) {
    if (error instanceof StartError || error instanceof MatineeError) return complain(error.message, 1);
    throw error;
  }
}

/** What is to be printed; null where there is no such command. */
async function administer(config: Config, command: string, args: readonly string[]): Promise<string | null> {
  if (!['rooms', 'rm', 'gc'].includes(command)) return null;
  const { collectGarbage, listRooms, removeRoom } = await import('./admin-commands.ts');
  if (command === 'rm') return await removeRoom(config, args);
  if (command === 'gc') return await collectGarbage(config, args);
  return await listRooms(config);
}

function say(text: string): number {
  process.stdout.write(text);
  return 0;
}

function complain(sentence: string, code: number): number {
  process.stderr.write(`${sentence}\n`);
  return code;
}
