import type { Browser, Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { launchBrowser } from '../tools/browser.ts';
import { generatedClip } from '../tools/clips.ts';
import { type RunningServer, startServer } from '../tools/running-server.ts';
import { hostFromCommandLine } from './host-cli.ts';
import { say, visit } from './pages.ts';

const chat = suite<{ server: RunningServer; browser: Browser; link: string }>('chat in the room');

chat.before(async (context) => {
  const clip = await generatedClip({ durationS: 10 });
  context.server = await startServer();
  context.browser = await launchBrowser();
  context.link = await hostFromCommandLine(clip.path, context.server.url);
});

chat.after(async ({ browser, server }) => {
  await browser.close();
  await server.stop();
});

chat(
  'should bring a line to everyone within a second, and to those who join later',
  async ({ browser, link }) => {
    const [ann, ben, cem] = await Promise.all([
      visit(browser, link),
      visit(browser, link),
      visit(browser, link),
    ]);
    for (const { page } of [ann, ben, cem]) {
      await page.waitForFunction(() => window.matinee?.stats().connectedPeers === 3);
    }
    await ann.page.getByTestId('name-input').fill('Ann');
    await ann.page.getByTestId('name-input').press('Enter');
    const text = 'Is that <b>rabbit</b> all right? 🐰';
    await sayInTime(ann.page, text, [ann.page, ben.page, cem.page]);
    for (const { page } of [ann, ben, cem]) {
      const line = page.getByTestId('chat-line').filter({ hasText: text }).first();
      await line.waitFor();
      assert.match(await line.innerText(), 'Ann');
      assert.match(await line.innerText(), /\d{1,2}:\d\d/);
    }
    await ann.context.close();
    const late = await visit(browser, link);
    await late.page.getByTestId('chat-line').filter({ hasText: text }).first().waitFor();
    for (const visitor of [ben, cem, late]) {
      assert.equal(visitor.errors, []);
      await visitor.context.close();
    }
  },
);

chat(
  'should keep the last lines for a late joiner when nobody is left in the room',
  async ({ browser, link }) => {
    const ann = await visit(browser, link);
    await ann.page.waitForFunction(() => window.matinee?.stats().isOriginConnected);
    await say(ann.page, 'Anybody here?');
    await ann.page.getByTestId('chat-line').filter({ hasText: 'Anybody here?' }).waitFor();
    await ann.context.close();
    const ben = await visit(browser, link);
    await ben.page.getByTestId('chat-line').filter({ hasText: 'Anybody here?' }).waitFor();
    await ben.context.close();
  },
);

chat.run();

/**
 * Says a line until it is on every page within a second; throws where that never happens. A busy machine holds up a line or
 * two, a room that is slow by itself holds up every one.
 */
async function sayInTime(from: Page, text: string, everyone: Page[]): Promise<void> {
  for (let tries = 1; ; tries++) {
    const line = `${text} ${tries}`;
    await say(from, line);
    const arrivals = everyone.map((page) =>
      page.getByTestId('chat-line').filter({ hasText: line }).waitFor({ timeout: 1_000 }),
    );
    const late = (await Promise.allSettled(arrivals)).find(({ status }) => status === 'rejected');
    if (!late) return;
    if (tries === 5) throw new Error('five lines in a row took more than a second');
  }
}
