import type { Page } from 'puppeteer-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { launchBrowser } from '../tools/browser.ts';
import { lightClip } from '../tools/clips.ts';
import { findFirefox, launchFirefox } from '../tools/firefox.ts';
import { startServer } from '../tools/running-server.ts';
import { tell } from '../tools/tell.ts';
import { hostFromCommandLine } from './host-cli.ts';
import { PATIENCE_MS, say, seek, stats, untilBuffered, untilMembers, visit } from './pages.ts';

const firefox = suite('a room in Firefox and Chromium');

firefox('should play, talk and give each other pieces', async () => {
  const path = await findFirefox();
  if (path === null) {
    tell(
      'SKIPPED: no Firefox is installed (Debian: apt-get install firefox-esr), nor named by MATINEE_FIREFOX.',
    );
    return;
  }
  tell(`Firefox for the tests: ${path}`);
  const clip = await lightClip(160);
  const server = await startServer();
  const [chromium, gecko] = await Promise.all([launchBrowser(), launchFirefox(path)]);
  try {
    const link = await hostFromCommandLine(clip.path, server.url);
    const ann = await visit(chromium, link, { rate: 0, isOnOwn: true });
    const fox = await openInFirefox(await gecko.newPage(), link);
    await fox.page.waitForFunction(() => (document.querySelector('video')?.currentTime ?? 0) > 2);
    await untilMembers(ann.page, 1);

    await fox.page.locator('[data-testid=chat-input]').fill('Hello from Firefox');
    await fox.page.keyboard.press('Enter');
    await ann.page.getByTestId('chat-line').filter({ hasText: 'Hello from Firefox' }).waitFor();
    await say(ann.page, 'Hello from Chromium');
    await fox.page.waitForSelector('::-p-text(Hello from Chromium)');

    // What one has fetched the other takes from it, not from the server.
    await seekInFirefox(fox.page, 80);
    await fox.page.waitForFunction(() => (window.matinee?.stats().bufferedS ?? 0) > 40);
    await seek(ann.page, 80);
    await untilBuffered(ann.page, 40);
    assert.ok((await stats(ann.page)).bytesReceived.peers > 0, 'Chromium got pieces from Firefox');
    await seek(ann.page, 135);
    await untilBuffered(ann.page, 24);
    await seekInFirefox(fox.page, 145);
    await fox.page.waitForFunction(() => (window.matinee?.stats().bytesReceived.peers ?? 0) > 0);
    assert.equal([fox.errors, ann.errors], [[], []]);
  } finally {
    await Promise.all([chromium.close(), gecko.close()]);
    await server.stop();
  }
});

firefox.run();

async function openInFirefox(page: Page, link: string): Promise<{ page: Page; errors: string[] }> {
  page.setDefaultTimeout(PATIENCE_MS);
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  await page.goto(link);
  return { page, errors };
}

/** Stands still at a place whose picture is shown. */
function seekInFirefox(page: Page, toS: number): Promise<void> {
  return page.evaluate(async (atS) => {
    const video = document.querySelector('video');
    if (!video) throw new Error('no video element');
    video.pause();
    const isThere = new Promise((resolve) => video.addEventListener('seeked', resolve, { once: true }));
    video.currentTime = atS;
    await isThere;
  }, toS);
}
