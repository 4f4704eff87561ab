import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { StartError } from './start-error.ts';
import { codeOf } from './store/durable.ts';

/** Variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * An environment with what a file of NAME=VALUE lines adds to it; what the environment itself says stands.
 * A file that is not there adds nothing.
 * @throws StartError where it is there and cannot be read.
 */
export function withEnvFile(env: Environment, path: string): Environment {
  try {
    return { ...parseEnv(readFileSync(path, 'utf8')), ...env };
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') return env;
    throw new StartError(`The file ${path} cannot be read (${code ?? String(error)}). Mend or remove it.`, {
      cause: error,
    });
  }
}
