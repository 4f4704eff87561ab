import { finished } from 'node:stream/promises';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { stripVTControlCharacters } from 'node:util';
import { tell } from './tell.ts';

/** What a file wrote that is worth reading again when it failed: its end, where uvu says what was wrong. */
const LAST_LINES = 40;

/** A test file that failed: its path and the last lines that it wrote. */
export interface FailedFile {
  readonly name: string;
  readonly lines: readonly string[];
}

/**
 * Runs each test file in a process of its own, `lanes` at once; what one writes is shown when it has ended, together.
 * Resolves to the files that failed.
 */
export async function runFiles(files: readonly string[], lanes: number): Promise<FailedFile[]> {
  const tests = run({ files: [...files], concurrency: lanes });
  const written = new Map<string, string[]>();
  const failed: string[] = [];
  tests.on('test:stdout', ({ file, message }) => {
    const lines = [...(written.get(file ?? '') ?? []), ...message.split('\n')];
    written.set(file ?? '', lines.slice(-LAST_LINES));
  });
  tests.on('test:fail', ({ name }) => failed.push(name));
  const shown = tests.compose(new spec());
  shown.pipe(process.stdout, { end: false });
  await finished(shown);
  for (const [name, lines] of written) if (!failed.includes(name) && areSomeUnrun(lines)) failed.push(name);
  return failed.map((name) => ({ name, lines: written.get(name) ?? [] }));
}

/**
 * Whether what uvu said at the end of a file counts tests that did not pass. Where what a suite needs cannot be made (its `before` throws)
 * its tests do not begin, and uvu says so in these numbers alone: the file ends as if all were well.
 */
export function areSomeUnrun(lines: readonly string[]): boolean {
  const [, total, passed] =
    /Total:\s+(\d+)\D+?Passed:\s+(\d+)/.exec(stripVTControlCharacters(lines.join('\n'))) ?? [];
  return total !== passed;
}

/** The same names, those in `long` first, as they stand there, so that no lane is left with one at the end. */
export function longestFirst(names: readonly string[], long: readonly string[]): string[] {
  const rank = (name: string): number => (long.includes(name) ? long.indexOf(name) : long.length);
  return [...names].sort((a, b) => rank(a) - rank(b));
}

/** Says at the very end what failed, where whoever sees only the end of a long output finds it, and sets the exit code. */
export function sayFailed(failed: readonly FailedFile[]): void {
  if (failed.length === 0) return;
  process.exitCode = 1;
  tell(`\n${failed.length} test files failed:`);
  for (const { name, lines } of failed) tell(`\n${name}\n${lines.join('\n')}`);
}
