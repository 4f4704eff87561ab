import { readFile } from 'node:fs/promises';
import type { Browser, Locator, Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { launchBrowser } from '../tools/browser.ts';
import { lightClip } from '../tools/clips.ts';
import { type RunningServer, startBuiltServer } from '../tools/running-server.ts';
import { slowLine } from '../tools/slow-line.ts';
import { PATIENCE_MS, say, seek, untilPlaying, visit } from './pages.ts';

/** What each file of subtitles says all the time: some in one language, one in none, and one that is shown unasked. */
const SUBTITLES = {
  'film.de.srt': 'Guten Morgen',
  'film.de.sdh.srt': 'Guten Morgen (Hahn)',
  'film.deu.srt': 'Moin',
  'film.srt': 'Hm',
  'film.en.forced.srt': 'Exit',
};

/** Their names in the list. */
const NAMES = ['No subtitles', 'German', 'German (SDH)', 'German 2', 'Subtitles 4', 'English (forced)'];

interface Scene {
  server: RunningServer;
  browser: Browser;
  link: string;
}

const player = suite<Scene>('the film’s controls');

player.before(async (scene) => {
  const clip = await lightClip(40);
  scene.server = await startBuiltServer();
  scene.browser = await launchBrowser();
  const host = await visit(scene.browser, scene.server.url);
  await host.page
    .getByTestId('drop-input')
    .setInputFiles([
      { name: 'film.mp4', mimeType: '', buffer: await readFile(clip.path) },
      ...Object.entries(SUBTITLES).map(([name, text]) => ({ name, mimeType: '', buffer: srt(text) })),
    ]);
  await host.page.locator('[data-testid=hosting][data-step=done]').waitFor();
  scene.link = await host.page.getByTestId('room-link').inputValue();
  await host.context.close();
});

player.after(async ({ browser, server }) => {
  await browser.close();
  await server.stop();
});

function srt(text: string): Buffer {
  return Buffer.from(`1\n00:00:00,000 --> 00:00:39,000\n${text}\n`);
}

/** All that is shown as subtitles. */
function shownSubtitles(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const tracks = [...(document.querySelector('video')?.textTracks ?? [])];
    const shown = tracks.filter(({ mode }) => mode === 'showing');
    return shown.map(({ cues }) => (cues?.[0] as VTTCue | undefined)?.text ?? '');
  });
}

/** Where the subtitles begin, in lines from the lower edge, as soon as the controls are shown, or are not. */
async function cueLine(page: Page, areControlsShown: boolean): Promise<number> {
  const found = await page.waitForFunction((wanted) => {
    const controls = document.querySelector<HTMLElement>('[data-testid=player]');
    const tracks = [...(document.querySelector('video')?.textTracks ?? [])];
    const cue = tracks.find(({ mode }) => mode === 'showing')?.activeCues?.[0];
    return controls?.dataset.shown === wanted && cue ? { line: (cue as VTTCue).line } : null;
  }, String(areControlsShown));
  return Number((await found.jsonValue())?.line);
}

/** Resolves with the list once all of them are in it. */
async function untilSubtitles(page: Page): Promise<Locator> {
  const list = page.getByTestId('subtitles');
  await list
    .locator('option')
    .nth(NAMES.length - 1)
    .waitFor({ state: 'attached' });
  return list;
}

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
  await page.getByTestId('volume').fill('0.4');
  assert.is((await film(page)).volume, 0.4);
  await page.reload();
  await page.getByTestId('player').waitFor();
  await untilFilm(page, ({ volume }) => volume === 0.4, null);
  assert.equal(errors, []);
  await context.close();
});

player('should show the subtitles again that were chosen, or none', async (scene) => {
  const { page, context, errors } = await open(scene);
  const list = await untilSubtitles(page);
  assert.equal(await list.locator('option').allInnerTexts(), NAMES);
  assert.equal(await shownSubtitles(page), ['Exit'], 'what the host wants shown');
  for (const [name, texts] of [
    ['German (SDH)', ['Guten Morgen (Hahn)']],
    ['German 2', ['Moin']],
    ['No subtitles', []],
  ] as const) {
    await list.selectOption({ label: name });
    assert.equal(await shownSubtitles(page), texts);
    await page.reload();
    await untilSubtitles(page);
    assert.equal(await shownSubtitles(page), texts, `${name}, after a reload`);
    assert.is(await list.locator('option:checked').innerText(), name);
  }
  // By key, one after the other.
  await page.keyboard.press('c');
  assert.equal(await shownSubtitles(page), ['Guten Morgen']);
  assert.equal(errors, []);
  await context.close();
});

player('should be had by keys after a choice in a list', async (scene) => {
  const { page, context } = await open(scene);
  const focused = () => page.evaluate(() => (document.activeElement as HTMLElement).dataset.testid);
  const speed = page.getByTestId('speed');
  // By pointer: the arrows are the film's again.
  await page.getByTestId('surface').click({ position: { x: 200, y: 100 } });
  await untilFilm(page, ({ paused }) => paused, null);
  await page.keyboard.press('0');
  await untilAt(page, 0);
  for (const list of [speed, page.getByTestId('subtitles')]) {
    const { placeS } = await film(page);
    await list.click();
    await list.selectOption({ index: 3 });
    await page.keyboard.press('ArrowRight');
    await untilAt(page, placeS + 5);
  }
  // By keys: the list keeps the arrows, and the film has the letters.
  await page.getByTestId('volume').focus();
  while ((await focused()) !== 'speed') await page.keyboard.press('Tab');
  await page.keyboard.press('ArrowDown');
  await untilFilm(page, ({ playbackRate }) => Math.abs(playbackRate - 1.5) < 0.08, null);
  assert.is(await focused(), 'speed');
  await page.keyboard.press('k');
  await untilFilm(page, ({ paused }) => !paused, null);
  await context.close();
});

player('should start by key where the browser would not start by itself', async ({ link }) => {
  const browser = await launchBrowser({ args: ['--autoplay-policy=user-gesture-required'] });
  try {
    const { page } = await visit(browser, link, { isOnOwn: true });
    const button = page.getByTestId('play');
    await button.waitFor();
    await page.getByTestId('player').waitFor();
    await page.keyboard.press('k');
    await untilPlaying(page);
    await button.waitFor({ state: 'detached' });
  } finally {
    await browser.close();
  }
});

player('should go no further than the host has uploaded', async ({ browser, server }) => {
  const clip = await lightClip(40);
  // About a second of film in half a second.
  const line = await slowLine(server.url, 400_000);
  try {
    const host = await visit(browser, line.url);
    await host.page.getByTestId('drop-input').setInputFiles(clip.path);
    const { pathname, hash } = new URL(await host.page.getByTestId('room-link').inputValue());
    const link = `${server.url}${pathname}${hash}`;
    const { page, context, errors } = await open({ browser, server, link });
    line.bytesPerSec = 1_000;
    await untilFilm(page, ({ currentTime }) => currentTime > 0.5, null);
    await page.keyboard.press('9');
    const { placeS } = await film(page);
    assert.ok(placeS > 0.5 && placeS < 30, `at ${placeS} s by key`);
    await page.waitForFunction(() => {
      const { seeking = true, readyState = 0 } = document.querySelector('video') ?? {};
      return !seeking && readyState > 1;
    });
    await page.keyboard.press('k');
    const bar = page.getByTestId('seek-bar');
    const { width = 0, height = 0 } = (await bar.boundingBox()) ?? {};
    const position = { x: width * 0.98, y: height / 2 };
    await bar.hover({ position });
    await page.getByTestId('preview').filter({ hasText: 'Not uploaded yet' }).waitFor();
    await bar.click({ position });
    const knobS = Number(await bar.inputValue());
    assert.ok(knobS < 30, `the knob is at ${knobS} s`);
    assert.ok((await film(page)).placeS < 30, 'by pointer');
    assert.equal(errors, []);
    await Promise.all([context.close(), host.context.close()]);
  } finally {
    await line.close();
  }
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
  for (const other of ['people', 'swarm', 'together', 'peers-notice'])
    assert.is(await page.getByTestId(other).isVisible(), false, `${other} is no part of it`);
  await page.keyboard.press('Escape');
  await page.evaluate(() => document.exitFullscreen().catch(() => undefined));
  await page.waitForFunction(() => document.fullscreenElement === null);
  await page.getByTestId('together').waitFor();
  await context.close();
});

player('should stay in sight on a phone while one writes in the chat', async (scene) => {
  const { page, context } = await open(scene, true);
  // With the lobby and the notice of what peers see the page is longer than a small phone.
  await page.setViewportSize({ width: 390, height: 620 });
  await page.getByTestId('chat-input').focus();
  await page.waitForFunction(() => {
    const { scrollTop = 0 } = document.querySelector('.room') ?? {};
    const [top, bottom] = ['video', '[data-testid=chat-input]'].map((name) =>
      document.querySelector(name)?.getBoundingClientRect(),
    );
    return (
      scrollTop > 50 &&
      top &&
      bottom &&
      top.top >= 0 &&
      top.bottom < bottom.top &&
      bottom.bottom <= innerHeight
    );
  });
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
    .locator('[data-testid=player] .control:visible')
    .evaluateAll((all) => all.map((one) => [one.clientWidth, one.clientHeight]));
  assert.ok(
    sizes.length >= 4 && sizes.every(([width = 0, height = 0]) => width >= 40 && height >= 40),
    JSON.stringify(sizes),
  );
  // Subtitles make way for the controls, and come back. Of a film that is over the controls would stay, and the room may be near its end.
  await seek(page, 1);
  const playsOn = (video: HTMLVideoElement): boolean => {
    if (video.paused) void video.play();
    return !video.paused && video.currentTime > 1.2 && video.currentTime < 20;
  };
  await untilFilm(page, playsOn, null);
  // They go by themselves. A tap while they are there would end them.
  const below = await cueLine(page, false);
  await surface.tap();
  const above = await cueLine(page, true);
  assert.ok(above < below && above <= -6, `${above} with the controls, ${below} without`);
  // What can be done with a line of the chat is one tap away.
  await say(page, 'On my phone');
  await page.getByTestId('chat-line').first().tap();
  await page.getByTestId('line-actions').waitFor();
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
  assert.match(
    (await page.getByTestId('seek-bar').getAttribute('aria-valuetext')) ?? '',
    /^\d+ seconds? of 40 seconds$/,
  );
  await context.close();
});

player.run();
