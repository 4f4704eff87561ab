import { parse } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { launchBrowser } from '../tools/browser.ts';
import { generatedClip, lightClip } from '../tools/clips.ts';
import { type RunningServer, startBuiltServer } from '../tools/running-server.ts';
import { slowLine } from '../tools/slow-line.ts';
import {
  hostThroughPage,
  PATIENCE_MS,
  playback,
  seek,
  stats,
  untilEnded,
  untilPlaying,
  type Visitor,
  visit,
} from './pages.ts';

/** Long enough for the rest of the list to be uploaded meanwhile, on a busy machine too. */
const FIRST_S = 120;

const films = suite<{ server: RunningServer; browser: Browser }>('what a room shows');

films.before(async (context) => {
  context.server = await startBuiltServer();
  context.browser = await launchBrowser();
});

films.after(async ({ browser, server }) => {
  await browser.close();
  await server.stop();
});

async function secondPage(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage();
  page.setDefaultTimeout(2 * PATIENCE_MS);
  await page.goto(url);
  return page;
}

/** Resolves once a film of this width plays from its start; each clip here has its own. */
async function untilShown(page: Page, widthPx: number): Promise<void> {
  await page.waitForFunction((width) => {
    const video = document.querySelector('video');
    return video && video.videoWidth === width && !video.paused && video.currentTime > 0.2;
  }, widthPx);
}

/** Resolves once somebody sees this list. A film is shown before its title has been opened: the count alone would be early. */
function untilTitles(page: Page, wanted: readonly string[]): Promise<unknown> {
  return page.waitForFunction(
    (list) =>
      [...document.querySelectorAll('[data-testid=film] .title')].map((title) => title.textContent).join() ===
      list.join(),
    wanted,
  );
}

films(
  'should let the host add films, order and remove them, and go on to the next for all',
  async ({ server, browser }) => {
    const clips = [
      await generatedClip({ durationS: FIRST_S, widthPx: 480, heightPx: 270 }),
      await generatedClip({ durationS: 10, widthPx: 640, heightPx: 360 }),
      await generatedClip({ durationS: 20, widthPx: 320, heightPx: 180 }),
    ] as const;
    const home = await visit(browser, server.url);
    const link = await hostThroughPage(home.page, clips[0].path);
    const host = await secondPage(home.context, link);
    const viewers: Visitor[] = [await visit(browser, link), await visit(browser, link)];
    const all = [host, ...viewers.map(({ page }) => page)];
    for (const page of all) await page.evaluate(() => Object.assign(window, { isSamePage: true }));
    await Promise.all(all.map((page) => untilShown(page, 480)));
    const [first = '', second = '', third = ''] = clips.map(({ path }) => parse(path).name);
    for (const [i, clip] of clips.slice(1).entries()) {
      await host.getByTestId('playlist').getByTestId('drop-input').setInputFiles(clip.path);
      await host.getByTestId('film-added').waitFor({ timeout: 4 * PATIENCE_MS });
      await Promise.all(all.map((page) => untilTitles(page, [first, second, third].slice(0, i + 2))));
    }
    for (const { page } of viewers) {
      assert.is(await page.getByTestId('next-film').count(), 0, 'no buttons for viewers');
    }
    const [{ page: phone } = { page: host }] = viewers;
    await phone.setViewportSize({ width: 390, height: 844 });
    const list = phone.getByTestId('playlist');
    const isCut = await list.evaluate(({ scrollHeight, clientHeight }) => scrollHeight > clientHeight + 1);
    assert.not(isCut, 'three films are all to be seen on a phone');
    await host.getByTestId('film').nth(2).getByTestId('move-up').click();
    // The host's page as well: its next order is about what stands there then.
    await Promise.all(all.map((page) => untilTitles(page, [first, third, second])));
    await host.getByTestId('film').nth(1).getByTestId('move-down').click();
    await Promise.all(all.map((page) => untilTitles(page, [first, second, third])));
    // The first one ends by itself, and the next starts for all: the host jumps near its end, and everybody with it.
    await seek(host, FIRST_S - 4);
    await Promise.all(all.map((page) => untilShown(page, 640)));
    const [watching = host] = viewers.map(({ page }) => page);
    const beforeMs = await watching.evaluate(() => performance.now());
    await host.getByTestId('next-film').click();
    await Promise.all(all.map((page) => untilShown(page, 320)));
    const { startupMs } = await stats(watching);
    const tookMs = (await watching.evaluate(() => performance.now())) - beforeMs;
    assert.ok(startupMs && startupMs <= tookMs, `${startupMs} ms to its first frame, of ${tookMs} ms`);
    await host.getByTestId('film').nth(2).getByTestId('remove-film').click();
    await Promise.all(all.map((page) => untilTitles(page, [first, second])));
    await Promise.all(all.map((page) => untilShown(page, 640)));
    for (const { page, errors } of viewers) {
      assert.ok(await page.evaluate(() => 'isSamePage' in window), 'without a reload');
      assert.is((await stats(page)).rejectedPieces, 0);
      assert.equal(errors, []);
    }
    await Promise.all([home, ...viewers].map(({ context }) => context.close()));
  },
);

films(
  'should play through to the end for who joins when a tenth is uploaded',
  async ({ server, browser }) => {
    // Slower than the film is played: its viewer comes to the edge again and again. In a longer film it would
    // only be there more often.
    const clip = await lightClip(40);
    const line = await slowLine(server.url, 0.85 * (clip.sizeBytes / clip.durationS));
    const host = await visit(browser, line.url);
    await host.page.getByTestId('drop-input').setInputFiles(clip.path);
    const link = await host.page.getByTestId('room-link').inputValue({ timeout: 2 * PATIENCE_MS });
    await host.page.waitForFunction(
      () => (document.querySelector<HTMLProgressElement>('[data-testid=progress]')?.value ?? 0) >= 0.1,
    );
    const viewer = await visit(browser, link.replace(line.url, server.url));
    await untilPlaying(viewer.page);
    const edge = viewer.page.getByTestId('host-upload');
    await edge.waitFor();
    assert.match(await edge.innerText(), /uploaded to \d+:\d\d of 0:40/);
    await untilEnded(viewer.page, 6 * PATIENCE_MS);
    const { isEnded, error, duration, frames } = await playback(viewer.page);
    assert.equal([isEnded, error], [true, null]);
    assert.ok(Math.abs(duration - clip.durationS) < 0.1, `duration ${duration}`);
    assert.ok(frames >= 0.99 * clip.frameCount, `${frames} frames of ${clip.frameCount}`);
    assert.is(await edge.count(), 0);
    assert.equal(viewer.errors, []);
    await Promise.all([host, viewer].map(({ context }) => context.close()));
    await line.close();
  },
);

films.run();
