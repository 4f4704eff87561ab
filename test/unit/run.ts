import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { runFiles, sayFailed } from '../tools/run-files.ts';

const LANES = 2;

const files = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.test.ts'))
  .map((file) => join(import.meta.dirname, file));

sayFailed(await runFiles(files, LANES));
