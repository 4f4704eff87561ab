import type { Browser } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { launchBrowser } from '../tools/browser.ts';
import { lightClip, mainClip } from '../tools/clips.ts';
import { type RunningServer, startBuiltServer } from '../tools/running-server.ts';
import {
  hostThroughPage,
  PATIENCE_MS,
  playback,
  playOn,
  seek,
  stats,
  untilBuffered,
  untilEnded,
  untilPlaying,
  visit,
} from './pages.ts';

const watch = suite<{ server: RunningServer; browser: Browser }>('watch with peers');

watch.before(async (context) => {
  context.server = await startBuiltServer();
  context.browser = await launchBrowser();
});

watch.after(async ({ browser, server }) => {
  await browser.close();
  await server.stop();
});

watch(
  'should let a host upload through the page and two viewers watch to the end',
  async ({ server, browser }) => {
    const clip = await lightClip(20);
    const host = await visit(browser, server.url);
    const link = await hostThroughPage(host.page, clip.path);
    // Each on their own: a jump to where the room is would leave out frames.
    const slowly = { rate: 0.25, isOnOwn: true };
    const viewers = await Promise.all([visit(browser, link, slowly), visit(browser, link, slowly)]);
    for (const { page } of viewers) await untilPlaying(page);
    // Half of it is here before it is needed at full speed; a busy machine that decodes too late would still count as a stall, hence small pictures.
    for (const { page } of viewers) {
      await untilBuffered(page, clip.durationS / 2);
      await playOn(page, 1);
    }
    for (const { page } of viewers) await untilEnded(page, clip.durationS * 1000 + PATIENCE_MS);
    for (const viewer of viewers) {
      const played = await playback(viewer.page);
      assert.is(played.error, null);
      assert.ok(played.isEnded);
      assert.is(played.widthPx, clip.widthPx);
      assert.ok(Math.abs(played.duration - clip.durationS) < 0.1, `duration ${played.duration}`);
      const missing = Math.abs(played.frames - clip.frameCount) / clip.frameCount;
      assert.ok(missing <= 0.01, `${played.frames} frames decoded of ${clip.frameCount}`);
      const { rejectedPieces, startupMs, stallCount } = await stats(viewer.page);
      assert.is(rejectedPieces, 0);
      assert.is(stallCount, 0);
      assert.type(startupMs, 'number');
      assert.equal(viewer.errors, []);
    }
    await Promise.all(viewers.map((viewer) => viewer.context.close()));
    await host.context.close();
  },
);

watch(
  'should seek anywhere: forward into what is not here yet, back, and to the end',
  async ({ server, browser }) => {
    const clip = await mainClip();
    const host = await visit(browser, server.url);
    const link = await hostThroughPage(host.page, clip.path);
    const viewer = await visit(browser, link);
    await untilPlaying(viewer.page);
    const places = [0.8, 0.3, 0.05, 0.6, 0.99].map((part) => clip.durationS * part);
    for (const atS of [...places, 0]) {
      await seek(viewer.page, atS);
      const { currentTime, error } = await playback(viewer.page);
      assert.is(error, null);
      assert.ok(Math.abs(currentTime - atS) < 1.5, `at ${currentTime}, wanted ${atS}`);
    }
    await seek(viewer.page, clip.durationS - 1);
    await untilEnded(viewer.page, PATIENCE_MS);
    assert.equal(viewer.errors, []);
    await viewer.context.close();
    await host.context.close();
  },
);

watch.run();
