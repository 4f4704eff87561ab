import { join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { launchBrowser } from '../tools/browser.ts';
import { lightClip } from '../tools/clips.ts';
import { type RunningServer, startBuiltServer } from '../tools/running-server.ts';
import { temporaryFolder } from '../tools/temporary-folder.ts';
import {
  hostThroughPage,
  playback,
  playOn,
  say,
  seek,
  stats,
  untilEnded,
  untilMembers,
  untilPlaying,
  type Visitor,
  visit,
} from './pages.ts';

interface Scene {
  server: RunningServer;
  browser: Browser;
}

/** Where somebody who comes late is to see it play: the room is not at its end by then, on a busy machine either. */
const PLAYED_S = 80;

const controls = suite<Scene>('what the host decides');

controls.before(async (scene) => {
  scene.server = await startBuiltServer();
  scene.browser = await launchBrowser();
});

controls.after(async ({ browser, server }) => {
  await browser.close();
  await server.stop();
});

controls.after.each(async ({ browser }) => {
  await Promise.all(browser.contexts().map((context) => context.close()));
});

/** A host who has made a room through the page and opened it, controls at hand. */
async function hostInRoom(
  { browser, server }: Scene,
  path: string,
): Promise<{ host: Visitor; link: string }> {
  const host = await visit(browser, server.url);
  const link = await hostThroughPage(host.page, path);
  await host.page.goto(link);
  await openControls(host.page);
  return { host, link };
}

function openControls(page: Page): Promise<void> {
  return page.getByTestId('host-controls').locator('summary').click();
}

/** What stands in it is drawn once it is open. */
function openSwarm(page: Page): Promise<void> {
  return page.getByTestId('swarm').locator('summary').first().click();
}

/** Presses one of the switches; it moves once the server has taken the new rules. */
async function toggle(page: Page, testId: string, isOn: boolean): Promise<void> {
  const box = page.getByTestId(testId);
  await box.click();
  await box.and(page.locator(isOn ? ':checked' : ':not(:checked)')).waitFor();
}

/** Somebody enters the room and takes a name. */
async function enterAs(name: string, browser: Browser, link: string): Promise<Visitor> {
  const visitor = await visit(browser, link);
  const field = visitor.page.getByTestId('name-input');
  await field.fill(name);
  await field.press('Enter');
  return visitor;
}

/** The line in the host's list that is about this person. */
function person(host: Page, name: string): Locator {
  return host.getByTestId('person').filter({ hasText: name });
}

function line(page: Page, text: string): Locator {
  return page.getByTestId('chat-line').filter({ hasText: text });
}

controls('should hide what a muted member writes, tell that member, and undo it', async (scene) => {
  const { host, link } = await hostInRoom(scene, (await lightClip(10)).path);
  const ann = await enterAs('Ann', scene.browser, link);
  const ben = await enterAs('Ben', scene.browser, link);
  for (const { page } of [host, ann, ben]) await untilMembers(page, 2);
  await say(ann.page, 'said before');
  for (const { page } of [host, ben]) await line(page, 'said before').waitFor();

  // Straight from what she said; later from the list of people.
  await line(host.page, 'said before').hover();
  await line(host.page, 'said before').getByTestId('line-mute').click();
  const hint = ann.page.getByTestId('composer-hint').filter({ hasText: /muted you/ });
  await hint.waitFor();
  await say(ann.page, 'said while muted');
  await say(ben.page, 'said by Ben');
  for (const { page } of [host, ann]) await line(page, 'said by Ben').waitFor();
  for (const { page } of [host, ann, ben]) {
    assert.is(await line(page, 'said while muted').count(), 0);
    assert.is(await line(page, 'said before').count(), 1, 'what was said before stays');
  }
  assert.is(await ben.page.getByTestId('composer-hint').innerText(), '', 'Ben is not muted');

  await person(host.page, 'Ann').getByTestId('mute').click();
  await hint.waitFor({ state: 'detached' });
  await say(ann.page, 'said afterwards');
  for (const { page } of [host, ben]) await line(page, 'said afterwards').waitFor();
});

controls(
  'should keep newcomers out of a locked room with a sentence, and let them in after',
  async (scene) => {
    const { host, link } = await hostInRoom(scene, (await lightClip(PLAYED_S)).path);
    const ann = await enterAs('Ann', scene.browser, link);
    for (const { page } of [host, ann]) await untilMembers(page, 1);
    await toggle(host.page, 'lock', true);
    const late = await visit(scene.browser, link);
    const refusal = late.page.locator('[data-testid=error][data-code=ROOM_LOCKED]');
    await refusal.waitFor();
    assert.match(await refusal.innerText(), /the room is locked.*host/is);
    assert.is(await late.page.getByTestId('chat-input').count(), 0, 'nothing can be said from outside');
    await untilMembers(ann.page, 1);
    await toggle(host.page, 'lock', false);
    // Nobody presses anything: the page tries again by itself.
    await untilPlaying(late.page);
    await refusal.waitFor({ state: 'detached' });
    await untilMembers(late.page, 2);
  },
);

controls(
  'should part members from each other in a server-only room, who play on through it',
  async (scene) => {
    const clip = await lightClip(160);
    const { host, link } = await hostInRoom(scene, clip.path);
    const ann = await enterAs('Ann', scene.browser, link);
    const ben = await enterAs('Ben', scene.browser, link);
    const everyone = [host, ann, ben];
    for (const { page } of everyone) await untilMembers(page, 2);

    await toggle(host.page, 'origin-only', true);
    for (const { page } of everyone) await untilMembers(page, 0);
    await openSwarm(ann.page);
    await ann.page.getByTestId('peers-choice').and(ann.page.locator(':disabled')).waitFor();
    await ann.page
      .getByTestId('peers-said')
      .filter({ hasText: /host.*server only/ })
      .waitFor();
    const before = await stats(ann.page);
    assert.ok(before.isOriginConnected);
    await seek(ann.page, clip.durationS - 20);
    await playOn(ann.page, 4);
    await untilEnded(ann.page, 120_000);
    assert.is((await playback(ann.page)).error, null);
    const after = await stats(ann.page);
    assert.is(after.bytesReceived.peers, before.bytesReceived.peers, 'nothing more came from members');
    assert.ok(after.bytesReceived.origin > before.bytesReceived.origin);
    await say(ann.page, 'still talking');
    for (const { page } of [host, ben]) await line(page, 'still talking').waitFor();

    await toggle(host.page, 'origin-only', false);
    for (const { page } of everyone) await untilMembers(page, 2);
  },
);

controls('should remove a member, and let it back in', async (scene) => {
  const { host, link } = await hostInRoom(scene, (await lightClip(PLAYED_S)).path);
  const ann = await enterAs('Ann', scene.browser, link);
  for (const { page } of [host, ann]) await untilMembers(page, 1);
  await person(host.page, 'Ann').getByTestId('remove').click();
  await host.page.getByTestId('remove-only').click();
  const refusal = ann.page.locator('[data-testid=error][data-code=REMOVED]');
  await refusal.waitFor();
  assert.match(await refusal.innerText(), /you were removed.*host/is);
  await untilMembers(host.page, 0);
  await ann.page.getByTestId('retry').click();
  await refusal.waitFor();

  await host.page.getByTestId('removed').getByRole('button').click();
  await host.page.getByTestId('removed').waitFor({ state: 'detached' });
  await ann.page.getByTestId('retry').click();
  await untilPlaying(ann.page);
  await untilMembers(host.page, 1);
});

controls('should keep a removed member out who comes back as somebody new', async (scene) => {
  const { host, link } = await hostInRoom(scene, (await lightClip(10)).path);
  const ann = await enterAs('Ann', scene.browser, link);
  const ben = await enterAs('Ben', scene.browser, link);
  for (const { page } of [host, ann, ben]) await untilMembers(page, 2);
  await person(host.page, 'Ann').getByTestId('remove').click();
  assert.match(await host.page.getByTestId('remove-question').innerText(), /Ann could come back/);
  await host.page.getByTestId('remove-and-lock').click();
  await ann.page.locator('[data-testid=error][data-code=REMOVED]').waitFor();
  await host.page.getByTestId('lock').and(host.page.locator(':checked')).waitFor();
  const again = await visit(scene.browser, link);
  await again.page.locator('[data-testid=error][data-code=ROOM_LOCKED]').waitFor();
  for (const { page } of [host, ben]) await untilMembers(page, 1);
  // Nothing is asked where nobody can come back.
  await person(host.page, 'Ben').getByTestId('remove').click();
  await ben.page.locator('[data-testid=error][data-code=REMOVED]').waitFor();
});

controls('should carry the host’s key to another browser in a file', async (scene) => {
  const { browser, server } = scene;
  const folder = await temporaryFolder();
  try {
    const host = await visit(browser, server.url);
    const link = await hostThroughPage(host.page, (await lightClip(10)).path);
    await host.page.getByTestId('save-key').click();
    const [download] = await Promise.all([
      host.page.waitForEvent('download'),
      host.page.getByTestId('save-key-now').click(),
    ]);
    const keyFile = join(folder.path, 'key.json');
    await download.saveAs(keyFile);

    const other = await visit(browser, server.url);
    assert.is(await other.page.getByTestId('your-room').count(), 0);
    await other.page.getByTestId('import-key').setInputFiles(keyFile);
    const room = other.page.getByTestId('your-room');
    await room.waitFor();
    assert.is(await room.getByTestId('room-open').getAttribute('href'), link);
    const [page] = await Promise.all([
      other.context.waitForEvent('page'),
      room.getByTestId('room-open').click(),
    ]);
    await openControls(page);

    const ann = await enterAs('Ann', browser, link);
    await untilMembers(page, 1);
    await say(page, 'I am here from my phone');
    await line(ann.page, 'from my phone').getByTestId('host-tag').waitFor();
    await openSwarm(ann.page);
    await ann.page.getByTestId('peer-row').getByTestId('host-tag').waitFor();
    await person(page, 'Ann').getByTestId('mute').click();
    await ann.page
      .getByTestId('composer-hint')
      .filter({ hasText: /muted you/ })
      .waitFor();
  } finally {
    await folder.remove();
  }
});

controls('should ask hosts for the server’s password, and say so where it is wrong', async ({ browser }) => {
  const server = await startBuiltServer({ env: { HOST_PASSWORD: 'projector' } });
  try {
    const { page, context } = await visit(browser, server.url);
    const password = page.getByTestId('host-password');
    await password.fill('projectile');
    await page.getByTestId('drop-input').setInputFiles((await lightClip(10)).path);
    const refusal = page.locator('[data-testid=error][data-code=HOSTING_NEEDS_PASSWORD]');
    await refusal.waitFor();
    assert.match(await refusal.innerText(), /password/i);
    await password.fill('projector');
    await page.getByTestId('retry').click();
    await page.locator('[data-testid=hosting][data-step=done]').waitFor();
    const link = await page.getByTestId('room-link').inputValue();
    await page.goto(link);
    await untilPlaying(page);
    await context.close();
  } finally {
    await server.stop();
  }
});

controls.run();
