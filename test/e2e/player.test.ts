import { readFile } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { launchBrowser } from '../tools/browser.ts';
import { lightClip } from '../tools/clips.ts';
import { type RunningServer, startServer } from '../tools/running-server.ts';
import { PATIENCE_MS, untilPlaying, visit } from './pages.ts';

const SRT = '1\n00:00:00,000 --> 00:00:39,000\nGuten Morgen\n';

interface Scene {
  server: RunningServer;
  browser: Browser;
  link: string;
}

const player = suite<Scene>('the film’s controls');

player.before(async (scene) => {
  const clip = await lightClip(40);
  scene.server = await startServer();
  scene.browser = await launchBrowser();
  const host = await visit(scene.browser, scene.server.url);
  await host.page.getByTestId('drop-input').setInputFiles([
    { name: 'film.mp4', mimeType: '', buffer: await readFile(clip.path) },
    { name: 'film.de.srt', mimeType: '', buffer: Buffer.from(SRT) },
  ]);
  await host.page.locator('[data-testid=hosting][data-step=done]').waitFor();
  scene.link = await host.page.getByTestId('room-link').inputValue();
  await host.context.close();
});

player.after(async ({ browser, server }) => {
  await browser.close();
  await server.stop();
});

/** What the media element does now. */
function film(page: Page) {
  return page.evaluate(() => {
    const video = document.querySelector('video') as HTMLVideoElement;
    const { paused, currentTime, volume, muted, playbackRate, controls } = video;
    return { paused, placeS: currentTime, volume, muted, rate: playbackRate, controls };
  });
}

/** Until the media element is as it should be; `isSo` runs in the page. */
async function untilFilm<T>(
  page: Page,
  isSo: (video: HTMLVideoElement, value: T) => boolean,
  value: T,
): Promise<void> {
  const video = await page.waitForSelector('video');
  const untilMs = Date.now() + PATIENCE_MS;
  while (!(await video.evaluate(isSo as (video: unknown, value: unknown) => boolean, value))) {
    assert.ok(Date.now() < untilMs, `the film never was so: ${isSo}, ${JSON.stringify(await film(page))}`);
    await page.evaluate(() => new Promise(requestAnimationFrame));
  }
}

function untilAt(page: Page, placeS: number): Promise<void> {
  return untilFilm(page, (video, toS) => Math.abs(video.currentTime - toS) < 2, placeS);
}

async function open({ browser, link }: Scene, isPhone = false) {
  // What one test leaves the room at, a pause for one, is remembered for the next: each watches on its own.
  const visitor = await visit(browser, link, { isPhone, isOnOwn: true });
  await untilPlaying(visitor.page);
  await visitor.page.getByTestId('player').waitFor();
  return visitor;
}

player('should be had by keys, but not by what is typed in the chat', async (scene) => {
  const { page, context, errors } = await open(scene);
  assert.is((await film(page)).controls, false, 'ours alone');
  await page.keyboard.press('k');
  await untilFilm(page, ({ paused }) => paused, null);
  await page.keyboard.press('5');
  await untilAt(page, 20);
  await page.keyboard.press('ArrowRight');
  await untilAt(page, 25);
  await page.keyboard.press('j');
  await untilAt(page, 15);
  await page.keyboard.press('m');
  assert.is((await film(page)).muted, true);
  await page.keyboard.press('?');
  await page.getByTestId('keys-help').waitFor();
  await page.keyboard.press('Escape');
  await page.getByTestId('chat-input').pressSequentially('k0m');
  const { paused, muted, placeS } = await film(page);
  assert.equal([paused, muted, Math.abs(placeS - 15) < 1], [true, true, true]);
  assert.is(await page.getByTestId('chat-input').inputValue(), 'k0m');
  assert.equal(errors, []);
  await context.close();
});

player('should be had by mouse: place, speed, subtitles, and the loudness of last time', async (scene) => {
  const { page, context, errors } = await open(scene);
  await page.getByTestId('surface').click({ position: { x: 200, y: 100 } });
  await untilFilm(page, ({ paused }) => paused, null);
  const box = await page.getByTestId('seek-bar').boundingBox();
  assert.ok(box);
  if (box) await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
  await untilAt(page, 20);
  await page.getByTestId('speed').selectOption('1.5');
  await untilFilm(page, ({ playbackRate }) => Math.abs(playbackRate - 1.5) < 0.08, null);
  assert.is(await page.evaluate(() => document.querySelector('video')?.textTracks[0]?.mode), 'disabled');
  await page.getByTestId('subtitles').selectOption({ label: 'German' });
  await untilFilm(page, ({ textTracks }) => textTracks[0]?.mode === 'showing', null);
  await page.getByTestId('volume').fill('0.4');
  assert.is((await film(page)).volume, 0.4);
  await page.reload();
  await page.getByTestId('player').waitFor();
  await untilFilm(
    page,
    ({ volume, textTracks }) => volume === 0.4 && textTracks[0]?.mode === 'showing',
    null,
  );
  assert.equal(errors, []);
  await context.close();
});

player('should fill the screen with the film, and the chat beside it where that is wanted', async (scene) => {
  const { page, context } = await open(scene);
  const chat = page.getByTestId('chat-input');
  await chat.waitFor();
  await page.getByTestId('full-screen').click();
  await page.waitForFunction(() => document.fullscreenElement !== null);
  await chat.waitFor({ state: 'hidden' });
  const height = await page.evaluate(() => document.querySelector('video')?.clientHeight === innerHeight);
  assert.ok(height, 'the film has all of it');
  await page.getByTestId('full-chat').click();
  await chat.waitFor();
  await page.keyboard.press('Escape');
  await page.evaluate(() => document.exitFullscreen().catch(() => undefined));
  await page.waitForFunction(() => document.fullscreenElement === null);
  await page.getByTestId('together').waitFor();
  await context.close();
});

player('should be had by touch on a phone', async (scene) => {
  const { page, context } = await open(scene, true);
  const surface = page.getByTestId('surface');
  await untilFilm(page, ({ currentTime }) => currentTime > 1, null);
  const before = (await film(page)).placeS;
  const right = { position: { x: 340, y: 60 } };
  await surface.tap(right);
  await surface.tap(right);
  await untilFilm(page, ({ currentTime }, beforeS) => currentTime > beforeS + 9, before);
  const sizes = await page
    .locator('[data-testid=player] .row button:visible, [data-testid=player] .choice:visible')
    .evaluateAll((all) => all.map((one) => [one.clientWidth, one.clientHeight]));
  assert.ok(
    sizes.length >= 4 && sizes.every(([width = 0, height = 0]) => width >= 40 && height >= 40),
    JSON.stringify(sizes),
  );
  const isWide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  assert.not.ok(isWide, 'nothing sticks out');
  await context.close();
});

player('should come in order for the tab key, and show where it is', async (scene) => {
  const { page, context } = await open(scene);
  await page.getByTestId('subtitles').waitFor();
  await page.getByTestId('seek-bar').focus();
  const order: (string | undefined)[] = [];
  for (let i = 0; i < 5; i++) {
    await page.keyboard.press('Tab');
    order.push(await page.evaluate(() => (document.activeElement as HTMLElement).dataset.testid));
  }
  assert.equal(order, ['toggle', 'mute', 'volume', 'subtitles', 'speed']);
  assert.is(await page.getByTestId('player').getAttribute('data-shown'), 'true');
  assert.match((await page.getByTestId('seek-bar').getAttribute('aria-valuetext')) ?? '', /of 0:40$/);
  await context.close();
});

player.run();
