import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import * as assert from 'uvu/assert';

const axe = readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** A page of Chromium's or Firefox's. */
interface AnyPage {
  evaluate(script: string): Promise<unknown>;
  evaluate<T>(script: () => T | Promise<T>): Promise<T>;
}

/** Fails where axe finds something serious in the page as it is drawn now. */
export async function mustBeAccessible(page: AnyPage, where: string): Promise<void> {
  // Colours on their way to a new scheme are nobody's to read yet.
  await page.evaluate(async () => {
    const changes = document.getAnimations().filter((animation) => animation instanceof CSSTransition);
    await Promise.all(changes.map(({ finished }) => finished));
  });
  // Evaluated rather than added as a script, which the page's policy forbids.
  await page.evaluate(await axe);
  const { violations } = await page.evaluate(() =>
    (window as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run(),
  );
  const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  const told = grave.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${where}: ${id} at ${html}`));
  assert.equal(told, []);
}
