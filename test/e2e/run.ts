import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { longestFirst, runFiles, sayFailed } from '../tools/run-files.ts';

/**
 * Films that must not wait for anything need the machine for themselves, and so does what a browser holds: the program's pages are shared with
 * others that run. The rest spend most of their time waiting.
 */
const ALONE = ['swarm', 'sync', 'watch', 'liar', 'firefox', 'memory'];

const LONG = ['films', 'resume', 'any-file', 'host-controls', 'failures', 'chat', 'accessible', 'player'];

const LANES = 2;

const ending = '.test.ts';
const names = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(ending))
  .map((file) => file.slice(0, -ending.length));

const files = (chosen: readonly string[]): string[] =>
  chosen.map((name) => join(import.meta.dirname, name + ending));

const alone = names.filter((name) => ALONE.includes(name));
const rest = names.filter((name) => !ALONE.includes(name));
sayFailed([
  ...(await runFiles(files(alone), 1)),
  ...(await runFiles(files(longestFirst(rest, LONG)), LANES)),
]);
