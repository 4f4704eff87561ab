import type { Browser } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { launchBrowser } from '../tools/browser.ts';
import { generatedClip } from '../tools/clips.ts';
import { type RunningServer, startServer } from '../tools/running-server.ts';
import { hostFromCommandLine } from './host-cli.ts';
import { visit } from './pages.ts';

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
    await ann.page.getByTestId('chat-input').fill(text);
    await ann.page.getByTestId('chat-input').press('Enter');
    for (const { page } of [ann, ben, cem]) {
      const line = page.getByTestId('chat-line').filter({ hasText: text });
      await line.waitFor({ timeout: 1_000 });
      assert.match(await line.innerText(), 'Ann');
      assert.match(await line.innerText(), /\d{1,2}:\d\d/);
    }
    await ann.context.close();
    const late = await visit(browser, link);
    await late.page.getByTestId('chat-line').filter({ hasText: text }).waitFor();
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
    await ann.page.getByTestId('chat-input').fill('Anybody here?');
    await ann.page.getByTestId('chat-send').click();
    await ann.page.getByTestId('chat-line').filter({ hasText: 'Anybody here?' }).waitFor();
    await ann.context.close();
    const ben = await visit(browser, link);
    await ben.page.getByTestId('chat-line').filter({ hasText: 'Anybody here?' }).waitFor();
    await ben.context.close();
  },
);

chat.run();
