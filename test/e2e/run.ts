import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { longestFirst, runFiles, sayFailed } from '../tools/run-files.ts';

/**
 * Films that must not wait for anything need the machine for themselves, and so does what a browser holds: the program's pages are shared with
 * others that run. The rest spend most of their time waiting.
 */
const ALONE = ['swarm', 'sync', 'watch', 'liar', 'firefox', 'memory'];

const LONG = [
  'firefox-room',
  'firefox-pages',
  'player',
  'host-controls',
  'any-file',
  'giving',
  'resume',
  'films',
  'networks',
  'restarts',
  'failures',
  'chat',
  'accessible',
];

const LANES = 2;

const ending = '.test.ts';
const folders = [import.meta.dirname, join(import.meta.dirname, '../net')];
const paths = new Map<string, string>();
for (const folder of folders)
  for (const file of readdirSync(folder))
    if (file.endsWith(ending)) paths.set(file.slice(0, -ending.length), join(folder, file));

const files = (chosen: readonly string[]): string[] => chosen.map((name) => paths.get(name) ?? name);

const names = [...paths.keys()];
const alone = names.filter((name) => ALONE.includes(name));
const rest = names.filter((name) => !ALONE.includes(name));
sayFailed([
  ...(await runFiles(files(alone), 1)),
  ...(await runFiles(files(longestFirst(rest, LONG)), LANES)),
]);
