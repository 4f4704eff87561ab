import { setTimeout as wait } from 'node:timers/promises';
import type { Browser, Locator, Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { hostFromCommandLine } from '../e2e/host-cli.ts';
import {
  beyondLostConnections,
  playback,
  say,
  untilBuffered,
  untilMembers,
  untilOrigin,
  untilPlaying,
  type Visitor,
  visit,
} from '../e2e/pages.ts';
import { launchBrowser, launchSleepyBrowser, type SleepyBrowser } from '../tools/browser.ts';
import { lightClip } from '../tools/clips.ts';
import { type RunningServer, startBuiltServer } from '../tools/running-server.ts';
import { tell } from '../tools/tell.ts';
import { temporaryFolder } from '../tools/temporary-folder.ts';
import { dryStops, watchForDryStops } from './dry-stops.ts';

/** Viewers besides the one who sleeps. */
const VIEWER_COUNT = Number(process.env.MATINEE_VIEWERS ?? 2);

/** How long the server stays away once everybody has noticed: a minute in the long form. The film runs at half its speed, and 30 s of it are at hand. */
const AWAY_MS = Number(process.env.MATINEE_AWAY_MS ?? 0);
const SPEED = 0.5;
const AT_HAND_S = Math.max(30, (AWAY_MS / 1000) * SPEED + 10);

/** Back 5 s after waking, and as much again for a machine that runs two browsers and a server. */
const AWAKE_WITHIN_MS = 10_000;

interface Scene {
  server: RunningServer;
  browser: Browser;
  sleepy: SleepyBrowser;
  viewers: Visitor[];
  sleeper: Visitor;
  remove(): Promise<void>;
}

const restarts = suite<Scene>('viewers whose server or laptop goes away and comes back');

restarts.before(async (scene) => {
  const { path, remove } = await temporaryFolder();
  scene.remove = remove;
  scene.server = await startBuiltServer({ dataDir: path });
  const link = await hostFromCommandLine((await lightClip(160)).path, scene.server.url);
  scene.browser = await launchBrowser();
  scene.sleepy = await launchSleepyBrowser();
  const slowly = { rate: SPEED };
  scene.viewers = [];
  // One after the other: six pages that start at once are more than two cores can do in time.
  for (let i = 0; i < VIEWER_COUNT; i++) {
    const viewer = await visit(scene.browser, link, slowly);
    scene.viewers.push(viewer);
    await untilPlaying(viewer.page);
  }
  scene.sleeper = await visit(scene.sleepy.browser, link, slowly);
  for (const { page } of [...scene.viewers, scene.sleeper]) {
    await untilPlaying(page);
    await untilMembers(page, VIEWER_COUNT);
    await untilBuffered(page, AT_HAND_S);
    await watchForDryStops(page);
  }
});

restarts.after(async ({ browser, sleepy, server, remove }) => {
  await sleepy.close();
  await browser.close();
  await server.stop();
  await remove();
});

restarts('should see nothing of a server that is killed and started again', async (scene) => {
  const pages = [...scene.viewers, scene.sleeper].map(({ page }) => page);
  const before = await Promise.all(pages.map(look));
  await scene.server.kill('SIGKILL');
  for (const page of pages) await untilOrigin(page, false);
  await sayToAll(pages, 'while it is away');
  await wait(AWAY_MS);
  await sayToAll(pages, 'while it is still away');
  const startedMs = performance.now();
  const { url, dataDir } = scene.server;
  scene.server = await startBuiltServer({ dataDir, port: Number(new URL(url).port) });
  const upMs = performance.now();
  for (const page of pages) await untilOrigin(page, true);
  tell(
    `The server was up after ${Math.round(upMs - startedMs)} ms, and all at it ${Math.round(performance.now() - upMs)} ms later.`,
  );
  await sayToAll(pages, 'when it is back');
  for (const [i, page] of pages.entries()) {
    const now = await look(page);
    assert.is(now.dryStops, 0, 'nobody waited for film');
    assert.ok(now.currentTime > (before[i]?.currentTime ?? 0));
    await untilMembers(page, VIEWER_COUNT);
    for (const text of ['while it is away', 'while it is still away', 'when it is back'])
      assert.is(await lines(page, text).count(), 1);
  }
  for (const { errors } of [...scene.viewers, scene.sleeper]) assert.equal(beyondLostConnections(errors), []);
});

restarts('should be back soon after their laptop wakes, where they were', async (scene) => {
  const { sleepy, sleeper } = scene;
  const awake = scene.viewers.map(({ page }) => page);
  const before = await look(sleeper.page);
  sleepy.sleep();
  await sayToAll(awake, 'while you slept');
  // The others give it up.
  for (const page of awake) await untilMembers(page, VIEWER_COUNT - 1);
  sleepy.wake();
  const wokenMs = performance.now();
  await lines(sleeper.page, 'while you slept').waitFor();
  await untilOrigin(sleeper.page, true);
  await untilMembers(sleeper.page, VIEWER_COUNT);
  const backMs = performance.now() - wokenMs;
  tell(`Back ${Math.round(backMs)} ms after waking.`);
  assert.ok(backMs < AWAKE_WITHIN_MS, `back after ${backMs} ms`);
  const now = await look(sleeper.page);
  assert.ok(now.currentTime >= before.currentTime, 'the place was not lost');
  for (const page of [...awake, sleeper.page]) assert.is(await lines(page, 'while you slept').count(), 1);
});

restarts.run();

/** Resolves once each of these pages shows the line, which the first one says. */
async function sayToAll(pages: readonly Page[], text: string): Promise<void> {
  const [first] = pages;
  if (first) await say(first, text);
  for (const page of pages) await lines(page, text).waitFor();
}

/** Where a page is in the film, and how often it stood still with nothing to play. */
async function look(page: Page): Promise<{ currentTime: number; dryStops: number }> {
  const { currentTime } = await playback(page);
  return { currentTime, dryStops: await dryStops(page) };
}

/** The chat lines of a page that say this. */
function lines(page: Page, text: string): Locator {
  return page.getByTestId('chat-line').filter({ hasText: text });
}
