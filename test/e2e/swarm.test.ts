import type { Browser } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { launchBrowser } from '../tools/browser.ts';
import { mainClip } from '../tools/clips.ts';
import { startServer } from '../tools/running-server.ts';
import { hostFromCommandLine } from './host-cli.ts';
import { playback, seek, stats, untilEnded, untilPlaying, untilSteady, visit } from './pages.ts';

const swarm = suite<{ browser: Browser }>('swarm in real browsers');

swarm.before(async (context) => {
  context.browser = await launchBrowser();
});

swarm.after(({ browser }) => browser.close());

swarm(
  'should carry two viewers over an origin that sends less than twice the bitrate',
  async ({ browser }) => {
    const clip = await mainClip();
    const bitrateMbit = (clip.sizeBytes * 8) / clip.durationS / 1e6;
    const server = await startServer({ env: { ORIGIN_MBIT: (1.7 * bitrateMbit).toFixed(2) } });
    try {
      const link = await hostFromCommandLine(clip.path, server.url);
      const first = await visit(browser, link);
      await untilPlaying(first.page);
      const second = await visit(browser, link);
      await untilPlaying(second.page);
      for (const { page } of [first, second]) await untilEnded(page, (clip.durationS + 90) * 1000);
      for (const { page } of [first, second]) assert.is((await playback(page)).error, null);
      const { stallMs } = await stats(second.page);
      const both = await Promise.all(
        [first, second].map(async ({ page }) => (await stats(page)).bytesReceived),
      );
      const originBytes = both.reduce((sum, { origin }) => sum + origin, 0);
      assert.ok(originBytes < 1.35 * clip.sizeBytes, `the origin sent ${originBytes} of ${clip.sizeBytes}`);
      assert.ok(stallMs < 5_000, `stood still for ${stallMs} ms`);
      for (const viewer of [first, second]) {
        assert.equal(viewer.errors, []);
        await viewer.context.close();
      }
    } finally {
      await server.stop();
    }
  },
);

swarm(
  'should finish from each other when the seed server dies and each holds a half',
  async ({ browser }) => {
    const clip = await mainClip();
    const server = await startServer({ env: { ORIGIN_MBIT: '8' } });
    try {
      const link = await hostFromCommandLine(clip.path, server.url);
      const viewers = await Promise.all([visit(browser, link), visit(browser, link)]);
      // Nobody gives much for now: each fetches its own share of what lies ahead, and little more.
      // Both at once: whoever came first would get most of what is new.
      await Promise.all(
        viewers.map(async ({ page }) => {
          await page.getByTestId('upload-limit').selectOption({ label: '1 Mbit/s' });
          await untilPlaying(page);
          await page.evaluate(() => document.querySelector('video')?.pause());
          await seek(page, clip.durationS - 60);
        }),
      );
      const before = await Promise.all(
        viewers.map(({ page }) =>
          untilSteady(async () => (await stats(page)).bytesReceived.origin, page, 3_000),
        ),
      );
      for (const bytes of before)
        assert.ok(bytes < clip.sizeBytes * 0.85, `it holds ${bytes} of ${clip.sizeBytes}`);
      await server.kill('SIGKILL');
      // The last pieces may still have come after it seemed steady.
      for (const { page } of viewers)
        await page.waitForFunction(() => window.matinee?.stats().isOriginConnected === false);
      const fromOrigin = await Promise.all(
        viewers.map(async ({ page }) => (await stats(page)).bytesReceived.origin),
      );
      const peersBefore = await Promise.all(
        viewers.map(async ({ page }) => (await stats(page)).bytesReceived.peers),
      );
      for (const { page } of viewers) {
        await page.getByTestId('upload-limit').selectOption({ label: 'No limit' });
        await page.evaluate(() => document.querySelector('video')?.play());
      }
      let gained = 0;
      for (const [i, { page }] of viewers.entries()) {
        await untilEnded(page, 120_000);
        assert.is((await playback(page)).error, null);
        const { bytesReceived } = await stats(page);
        assert.is(bytesReceived.origin, fromOrigin[i], 'nothing came from the dead origin');
        const own = bytesReceived.peers - (peersBefore[i] ?? 0);
        assert.ok(own > 0, 'each lacked something that the other had');
        gained += own;
      }
      assert.ok(gained > clip.sizeBytes * 0.15, `only ${gained} bytes came from each other`);
      for (const { context } of viewers) await context.close();
    } finally {
      await server.stop().catch(() => undefined);
    }
  },
);

swarm(
  'should outlive the origin process: HTTP and signaling stay, viewers reconnect',
  async ({ browser }) => {
    const clip = await mainClip();
    const server = await startServer({ env: { LOG_LEVEL: 'info' } });
    try {
      const link = await hostFromCommandLine(clip.path, server.url);
      const viewer = await visit(browser, link);
      await untilPlaying(viewer.page);
      const pid = Number(/"originPid":(\d+)/.exec(server.log())?.[1]);
      assert.ok(pid > 0, `no pid of the origin process in the log: ${server.log()}`);
      process.kill(pid, 'SIGKILL');
      await viewer.page.waitForFunction(() => window.matinee?.stats().isOriginConnected === false);
      assert.ok((await fetch(`${server.url}/api/health`)).ok);
      await viewer.page.waitForFunction(() => window.matinee?.stats().isOriginConnected);
      const { origin } = (await stats(viewer.page)).bytesReceived;
      await seek(viewer.page, clip.durationS - 5);
      await untilEnded(viewer.page, 30_000);
      assert.ok((await stats(viewer.page)).bytesReceived.origin > origin, 'the new origin process serves');
      await viewer.context.close();
    } finally {
      await server.stop();
    }
  },
);

swarm.run();
