import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { longestFirst, runFiles, sayFailed } from '../tools/run-files.ts';

const LANES = 2;

/** Mostly waits for connections to end, and so takes no other's place. */
const WAITING = ['soak'];

const LONG = [
  'host-stop',
  'package',
  'store-kill',
  'host-resume',
  'host-command',
  'admin-commands',
  'floods',
];

const ending = '.test.ts';
const names = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(ending))
  .map((file) => file.slice(0, -ending.length));
const files = (chosen: readonly string[]): string[] =>
  chosen.map((name) => join(import.meta.dirname, name + ending));

const waiting = names.filter((name) => WAITING.includes(name));
const rest = names.filter((name) => !WAITING.includes(name));
const failed = await Promise.all([
  runFiles(files(waiting), waiting.length),
  runFiles(files(longestFirst(rest, LONG)), LANES),
]);
sayFailed(failed.flat());
