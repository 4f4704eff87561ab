import { finished } from 'node:stream/promises';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { stripVTControlCharacters } from 'node:util';
import { tell } from './tell.ts';

/** What a file wrote that is worth reading again when it failed: its end, where uvu says what was wrong. */
const LAST_CHARACTERS = 6_000;

/** A test file that failed: its path and the end of what it wrote. */
export interface FailedFile {
  readonly name: string;
  readonly ending: string;
}

/**
 * Runs each test file in a process of its own, `lanes` at once; what one writes is shown when it has ended, together.
 * Resolves to the files that failed.
 */
export async function runFiles(files: readonly string[], lanes: number): Promise<FailedFile[]> {
  const tests = run({ files: [...files], concurrency: lanes });
  const written = new Map<string, string>();
  const failed: string[] = [];
  tests.on('test:stdout', ({ file, message }) => {
    const text = (written.get(file ?? '') ?? '') + message;
    written.set(file ?? '', text.slice(-LAST_CHARACTERS));
  });
  tests.on('test:fail', ({ name }) => failed.push(name));
  const shown = tests.compose(new spec());
  shown.pipe(process.stdout, { end: false });
  await finished(shown);
  for (const [name, ending] of written) if (!failed.includes(name) && !didAllPass(ending)) failed.push(name);
  return failed.map((name) => ({ name, ending: written.get(name) ?? '' }));
}

/**
 * Whether a file's suites ran once, and all their tests passed, by the numbers uvu writes at its end. Where what a suite needs
 * cannot be made (its `before` throws) its tests do not begin, and where the file waits for something between two suites uvu runs the
 * later ones twice, beside the earlier: it says so in these numbers alone, and the file may end as if all were well.
 */
export function didAllPass(written: string): boolean {
  const counts = [...stripVTControlCharacters(written).matchAll(/Total:\s+(\d+)\D+?Passed:\s+(\d+)/g)];
  return counts.length < 2 && counts.every(([, total, passed]) => total === passed);
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
  for (const { name, ending } of failed) tell(`\n${name}\n${ending}`);
}
