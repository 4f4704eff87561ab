import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

/** Films that must not wait for anything need the machine for themselves; the others spend most of their time waiting. */
const ALONE = ['swarm', 'sync', 'watch', 'liar', 'firefox'];

/** The longest first, so that no lane is left with one at the end; what is not named comes after them. */
const LONG = ['films', 'resume', 'any-file', 'host-controls', 'memory', 'failures', 'accessible', 'chat'];

const LANES = 2;

const ending = '.test.ts';
const names = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(ending))
  .map((file) => file.slice(0, -ending.length));
const rank = (name: string): number => (LONG.includes(name) ? LONG.indexOf(name) : LONG.length);

await runAll(
  names.filter((name) => ALONE.includes(name)),
  1,
);
await runAll(
  names.filter((name) => !ALONE.includes(name)).sort((a, b) => rank(a) - rank(b)),
  LANES,
);

/** Each file in a process of its own. What one writes is shown when it has ended, together. */
async function runAll(files: readonly string[], concurrency: number): Promise<void> {
  const tests = run({ files: files.map((name) => join(import.meta.dirname, name + ending)), concurrency });
  tests.on('test:fail', () => {
    process.exitCode = 1;
  });
  const shown = tests.compose(new spec());
  shown.pipe(process.stdout, { end: false });
  await finished(shown);
}
