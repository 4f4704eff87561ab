import type { Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { launchBrowser } from '../tools/browser.ts';
import { lightClip } from '../tools/clips.ts';
import { startBuiltServer } from '../tools/running-server.ts';
import { hostThroughPage, untilPlaying } from './pages.ts';

const headers = suite('the pages’ security headers');

/** What a page asked for elsewhere, and what its policy forbade it. */
interface Watched {
  page: Page;
  elsewhere: string[];
  violations: string[];
}

async function open(page: Page, home: string, url: string): Promise<Watched> {
  const watched: Watched = { page, elsewhere: [], violations: [] };
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol !== 'blob:' && origin !== home) watched.elsewhere.push(request.url());
  });
  page.on('console', (message) => {
    if (/Content Security Policy|Permissions.Policy/i.test(message.text()))
      watched.violations.push(message.text());
  });
  await page.exposeFunction('tellViolation', (what: string) => watched.violations.push(what));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
      const { tellViolation } = window as unknown as { tellViolation(what: string): void };
      tellViolation(`${violatedDirective} ${blockedURI}`);
    });
  });
  await page.goto(url);
  return watched;
}

headers(
  'should forbid nothing that hosting and watching need, and let nothing in from elsewhere',
  async () => {
    const [server, browser] = [await startBuiltServer(), await launchBrowser()];
    try {
      const home = await open(await browser.newPage(), server.url, server.url);
      const link = await hostThroughPage(home.page, (await lightClip(20)).path);
      const room = await open(await browser.newPage(), server.url, link);
      await untilPlaying(room.page);
      for (const { elsewhere, violations } of [home, room]) assert.equal([elsewhere, violations], [[], []]);
      await forbidsStrangers(room);
    } finally {
      await browser.close();
      await server.stop();
    }
  },
);

/** Tries what code that got into the page would try. */
async function forbidsStrangers({ page, violations }: Watched): Promise<void> {
  await page.evaluate(async () => {
    const script = document.createElement('script');
    script.textContent = 'window.name = "ran"';
    document.body.append(script);
    const frame = document.createElement('iframe');
    frame.src = 'https://example.org/';
    document.body.append(frame);
    await fetch('https://example.org/').catch(() => undefined);
  });
  assert.is(await page.evaluate(() => window.name), '');
  // Told by the browser in its own time; a violation that is never told ends the test by its own limit.
  const isForbidden = (what: string) => violations.some((violation) => violation.includes(what));
  for (let tries = 0; tries < 300 && !isForbidden('connect-src'); tries++) await page.waitForTimeout(100);
  for (const directive of ['script-src', 'frame', 'connect-src']) {
    assert.ok(isForbidden(directive), `${directive} is not among ${JSON.stringify(violations)}`);
  }
}

headers.run();
