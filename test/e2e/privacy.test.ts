import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { launchBrowser } from '../tools/browser.ts';
import { rootFolder } from '../tools/cache-folder.ts';
import { generatedClip } from '../tools/clips.ts';
import { runProgram } from '../tools/run-program.ts';
import { type RunningServer, startBuiltServer } from '../tools/running-server.ts';
import { temporaryFolder } from '../tools/temporary-folder.ts';
import { hostThroughPage, stats, untilMembers, untilPlaying, visit } from './pages.ts';

const privacy = suite<{ server: RunningServer; browser: Browser; clip: string }>('privacy in the room');

privacy.before(async (context) => {
  const { path } = await generatedClip({ durationS: 10 });
  context.clip = path;
  context.server = await startBuiltServer();
  context.browser = await launchBrowser();
});

privacy.after(async ({ browser, server }) => {
  await browser.close();
  await server.stop();
});

async function enter(page: Page, password: string): Promise<void> {
  await page.getByTestId('password-input').fill(password);
  await page.getByTestId('password-enter').click();
}

/** Members connected, the origin left out. */
async function memberCount(page: Page): Promise<number> {
  const { connectedPeers, isOriginConnected } = await stats(page);
  return connectedPeers - Number(isOriginConnected);
}

privacy(
  'should ask for the password, refuse a wrong one, and ask no more in a tab that knew it',
  async ({ browser, server, clip }) => {
    const { path: folder, remove } = await temporaryFolder();
    try {
      const passwordFile = join(folder, 'password');
      await writeFile(passwordFile, 'popcorn\n');
      const args = ['run', '-s', 'host', '--', clip, '--server', server.url];
      const output = await runProgram('npm', [...args, '--room-password-file', passwordFile], {
        cwd: rootFolder,
      });
      const link = output.trim().split('\n').at(-1) ?? '';
      assert.match(link, /#[\w-]{43}\.p$/);
      const { page, context } = await visit(browser, link);
      await enter(page, 'Popcorn');
      await page.getByTestId('password-wrong').waitFor();
      await enter(page, 'popcorn');
      await untilPlaying(page);
      const kept = await page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }]));
      assert.not.match(kept, /popcorn/i);
      await page.reload();
      await untilPlaying(page);
      await context.close();
    } finally {
      await remove();
    }
  },
);

privacy(
  'should connect to no viewer for who wants the server alone, until they think otherwise',
  async ({ browser, server, clip }) => {
    const host = await visit(browser, server.url);
    const link = await hostThroughPage(host.page, clip);
    await host.page.goto(link);
    const ann = await visit(browser, link);
    await Promise.all([untilMembers(host.page, 1), untilMembers(ann.page, 1)]);
    // The notice is there although nobody answered it, and its answer counts at once.
    await ann.page.getByTestId('peers-no').click();
    await Promise.all([untilMembers(host.page, 0), untilMembers(ann.page, 0)]);
    await ann.page.reload();
    await untilPlaying(ann.page);
    assert.is(await memberCount(ann.page), 0);
    assert.is(await ann.page.getByTestId('peers-notice').count(), 0);
    await ann.page.getByTestId('swarm').locator('summary').first().click();
    await ann.page.getByTestId('peers-choice').selectOption('yes');
    await untilMembers(host.page, 1);
    await ann.context.close();
    await host.context.close();
  },
);

privacy.run();
