import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { longestFirst, runFiles, sayFailed } from '../tools/run-files.ts';

const LANES = 2;

const LONG = ['soak', 'package', 'store-kill', 'host-resume', 'host-command', 'admin-commands', 'floods'];

const ending = '.test.ts';
const names = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(ending))
  .map((file) => file.slice(0, -ending.length));
const files = longestFirst(names, LONG).map((name) => join(import.meta.dirname, name + ending));

sayFailed(await runFiles(files, LANES));
