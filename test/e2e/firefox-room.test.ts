import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page as ChromiumPage, Locator } from 'playwright-core';
import type { Browser as Firefox, Page } from 'puppeteer-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { launchBrowser } from '../tools/browser.ts';
import { lightClip } from '../tools/clips.ts';
import { launchFirefox } from '../tools/firefox.ts';
import { type RunningServer, startBuiltServer } from '../tools/running-server.ts';
import { temporaryFolder } from '../tools/temporary-folder.ts';
import {
  find,
  firefoxOrSkip,
  hostInFirefox,
  openInFirefox,
  PHONE,
  press,
  renameInFirefox,
  sayInFirefox,
  seekInFirefox,
  tap,
  untilFilm,
  untilGone,
  untilMembersInFirefox,
  untilPlayingInFirefox,
} from './in-firefox.ts';
import {
  hostThroughPage,
  PATIENCE_MS,
  say,
  seek,
  untilMembers,
  untilPlaying,
  type Visitor,
  visit,
} from './pages.ts';

const FILM_S = 40;

/** What each file of subtitles says all the time. */
const SUBTITLES = { 'film.de.srt': 'Guten Morgen', 'film.en.srt': 'Good morning' };

interface Scene {
  server: RunningServer;
  chromium: Browser;
  gecko: Firefox;
  /** A room that Firefox is the host of, by a page of its first context. */
  link: string;
}

const path = await firefoxOrSkip();
const room = suite<Scene>('all that a room has, in Firefox');

room.before(async (scene) => {
  const folder = await temporaryFolder();
  scene.server = await startBuiltServer();
  [scene.chromium, scene.gecko] = await Promise.all([launchBrowser(), launchFirefox(path)]);
  const files = Object.entries(SUBTITLES).map(([name, text]) => ({ path: join(folder.path, name), text }));
  for (const file of files) await writeFile(file.path, `1\n00:00:00,000 --> 00:00:39,000\n${file.text}\n`);
  const { page } = await openInFirefox(scene.gecko, scene.server.url);
  scene.link = await hostInFirefox(page, (await lightClip(FILM_S)).path, ...files.map((file) => file.path));
  await page.close();
  await folder.remove();
});

room.after(async ({ server, chromium, gecko }) => {
  await Promise.all([chromium.close(), gecko.close()]);
  await server.stop();
});

room.after.each(async ({ chromium, gecko }) => {
  await Promise.all(chromium.contexts().map((context) => context.close()));
  for (const page of await gecko.pages()) if (page.url() !== 'about:blank') await page.close();
});

room('should write the chosen subtitles over the picture, and none again', async ({ gecko, link }) => {
  const { page, errors } = await openInFirefox(gecko, link, { isOnOwn: true });
  await untilPlayingInFirefox(page);
  await find(page, '[data-testid=subtitles]');
  await page.waitForFunction(() => document.querySelectorAll('[data-testid=subtitles] option').length === 3);
  const names = await page.$$eval('[data-testid=subtitles] option', (all) =>
    all.map((one) => one.textContent?.trim()),
  );
  assert.equal(names, ['No subtitles', 'German', 'English']);
  await seekInFirefox(page, 7);
  const bare = await pictureOf(page);
  for (const [index, text] of ['Guten Morgen', 'Good morning'].entries()) {
    await page.select('[data-testid=subtitles]', String(index));
    await untilShown(page, text);
    await untilPicture(page, (shown) => shown !== bare);
  }
  await page.select('[data-testid=subtitles]', '-1');
  await untilShown(page, '');
  await untilPicture(page, (shown) => shown === bare);

  // By key, one after the other, and the same ones at the next visit.
  for (const text of ['Guten Morgen', 'Good morning']) {
    await page.keyboard.press('c');
    await untilShown(page, text);
  }
  await page.reload();
  await untilShown(page, 'Good morning');
  assert.equal(errors, []);
});

room('should let reactions float over the picture, and count those of a line', async (scene) => {
  const { ann, fox } = await together(scene);
  await ann.page.getByTestId('cheer').nth(1).click();
  await mustFloat(fox.page, '❤️');
  await find(fox.page, '[data-testid=cheered]', '❤️ from Ann');
  await untilGone(fox.page, '[data-testid=floating]');
  const [, , laugh] = await fox.page.$$('[data-testid=cheer]');
  await laugh?.click();
  await mustFloat(fox.page, '😂');
  await ann.page.getByTestId('floating').filter({ hasText: '😂' }).waitFor();
  await ann.page.getByTestId('cheered').filter({ hasText: '😂 from Fox' }).waitFor({ state: 'attached' });

  await say(ann.page, 'it flies');
  const flies = await find(fox.page, '[data-testid=chat-line]', 'it flies');
  await flies.hover();
  await press(fox.page, '[data-testid=line-actions] button', '👏');
  const counted = line(ann.page, 'it flies').getByTestId('reaction');
  await counted.filter({ hasText: /👏\s*1/ }).click();
  await press(fox.page, '[data-testid=reaction]', '2');
  await counted.filter({ hasText: /👏\s*1/ }).waitFor();
  assert.equal([fox.errors, ann.errors], [[], []]);
});

room('should go to the moment of a line from the chat and from the timeline', async (scene) => {
  const { ann, fox } = await together(scene);
  await seek(ann.page, 7);
  await ann.page.getByTestId('add-moment').click();
  await say(ann.page, 'this leap');
  const said = await find(fox.page, '[data-testid=chat-line]', 'this leap');
  const moment = await said.$('[data-testid=moment]');
  assert.is(await moment?.evaluate((button) => button.textContent?.trim()), 'at 0:07');
  await moment?.click();
  await untilFilm(fox.page, ({ currentTime }) => currentTime === 7);

  await seekInFirefox(fox.page, 21);
  await press(fox.page, '[data-testid=add-moment]');
  await find(fox.page, '[data-testid=draft-moment]', 'at 0:21');
  await sayInFirefox(fox.page, 'that fall');
  await line(ann.page, 'that fall').getByTestId('moment').filter({ hasText: 'at 0:21' }).click();
  await ann.page.waitForFunction(() => document.querySelector('video')?.currentTime === 21);

  // Both are marks on the timeline; one leads back, and points at its line.
  await fox.page.waitForSelector('button[aria-label="0:21, Fox: that fall"]');
  await press(fox.page, 'button[aria-label="0:07, Ann: this leap"]');
  await untilFilm(fox.page, ({ currentTime }) => currentTime === 7);
  await find(fox.page, '[data-testid=chat-line].isPointed', 'this leap');
  assert.equal([fox.errors, ann.errors], [[], []]);
});

room('should obey a host in Firefox: muted, locked out, told to wait, removed', async (scene) => {
  const { chromium, gecko, link } = scene;
  const host = await openInFirefox(gecko, link);
  await press(host.page, '[data-testid=host-controls] summary');
  // No names of those who were here before: they stay in the host's list.
  const [ann, ben] = await Promise.all([enterAs('Anna', chromium, link), enterAs('Ben', chromium, link)]);
  for (const { page } of [ann, ben]) await untilMembers(page, 2);
  await say(ann.page, 'said before');
  const before = await find(host.page, '[data-testid=chat-line]', 'said before');

  // Straight from what she said; later from the list of people.
  await before.hover();
  await press(host.page, '[data-testid=line-mute]');
  const hint = ann.page.getByTestId('composer-hint').filter({ hasText: /muted you/ });
  await hint.waitFor();
  await say(ann.page, 'said while muted');
  await say(ben.page, 'said by Ben');
  await find(host.page, '[data-testid=chat-line]', 'said by Ben');
  assert.is(await line(ben.page, 'said while muted').count(), 0);
  await untilGone(host.page, '[data-testid=chat-line]', 'said while muted');
  await order(host.page, 'Unmute Anna');
  await hint.waitFor({ state: 'detached' });
  await say(ann.page, 'said afterwards');
  await find(host.page, '[data-testid=chat-line]', 'said afterwards');

  await turn(host.page, 'lock', true);
  const late = await visit(chromium, link);
  const locked = late.page.locator('[data-testid=error][data-code=ROOM_LOCKED]');
  await locked.waitFor();
  await turn(host.page, 'lock', false);
  await locked.waitFor({ state: 'detached' });
  await untilMembers(late.page, 3);
  await late.context.close();

  await turn(host.page, 'wait-for-all', true);
  await turn(host.page, 'host-control', true);
  await ann.page.getByText('The host plays and pauses for everyone.').waitFor();
  await turn(host.page, 'host-control', false);
  await turn(host.page, 'wait-for-all', false);
  await turn(host.page, 'origin-only', true);
  for (const { page } of [ann, ben]) await untilMembers(page, 0);
  await turn(host.page, 'origin-only', false);
  for (const { page } of [ann, ben]) await untilMembers(page, 2);

  await order(host.page, 'Remove Anna');
  await press(host.page, '[data-testid=remove-only]');
  const removed = ann.page.locator('[data-testid=error][data-code=REMOVED]');
  await removed.waitFor();
  assert.match(await removed.innerText(), /you were removed.*host/is);
  await untilMembersInFirefox(host.page, 1);
  await press(host.page, '[data-testid=removed] button');
  await host.page.waitForSelector('[data-testid=removed]', { hidden: true });
  await ann.page.getByTestId('retry').click();
  await untilPlaying(ann.page);
  await untilMembersInFirefox(host.page, 2);
  assert.equal([host.errors, ann.errors, ben.errors], [[], [], []]);
});

room('should say in Firefox what a host in Chromium did: muted, removed, locked out', async (scene) => {
  const { server, chromium, gecko } = scene;
  const { page: host } = await visit(chromium, server.url);
  const link = await hostThroughPage(host, (await lightClip(80)).path);
  await host.goto(link);
  await host.getByTestId('host-controls').locator('summary').click();
  const fox = await openInFirefox(gecko, link);
  const { page } = fox;
  await renameInFirefox(page, 'Fox');
  await untilPlayingInFirefox(page);
  const person = host.getByTestId('person').filter({ hasText: 'Fox' });
  await person.getByTestId('mute').click();
  await find(page, '[data-testid=composer-hint]', 'muted you');
  await page.waitForSelector('[data-testid=cheer]:disabled');
  await person.getByRole('button', { name: 'Unmute' }).click();
  await page.waitForSelector('[data-testid=cheer]:enabled');

  const refusal = '[data-testid=error][data-code=REMOVED]';
  await person.getByTestId('remove').click();
  await host.getByTestId('remove-only').click();
  await find(page, refusal, 'You were removed');
  await untilMembers(host, 0);
  // Trying again does not help, before the host lets them.
  await Promise.all([page.waitForNavigation(), press(page, '[data-testid=retry]')]);
  await find(page, refusal, 'You were removed');
  await host.getByTestId('removed').getByRole('button').click();
  await host.getByTestId('removed').waitFor({ state: 'detached' });
  await press(page, '[data-testid=retry]');
  await untilPlayingInFirefox(page);
  await page.close();

  await host.getByTestId('lock').click();
  await host.locator('[data-testid=lock]:checked').waitFor();
  const context = await gecko.createBrowserContext();
  const late = await openInFirefox(context, link);
  await find(late.page, '[data-testid=error][data-code=ROOM_LOCKED]', 'The room is locked');
  await host.getByTestId('lock').click();
  await untilPlayingInFirefox(late.page);
  assert.equal([fox.errors, late.errors], [[], []]);
  await context.close();
});

room('should be had by keys, but not by what is typed in the chat', async ({ gecko, link }) => {
  const { page, errors } = await openInFirefox(gecko, link, { isOnOwn: true });
  await untilPlayingInFirefox(page);
  const { keyboard } = page;
  await keyboard.press(' ');
  await untilFilm(page, ({ paused }) => paused);
  await keyboard.press('5');
  await untilAt(page, 20);
  await keyboard.press('ArrowRight');
  await untilAt(page, 25);
  await keyboard.press('ArrowLeft');
  await untilAt(page, 20);
  await keyboard.press('j');
  await untilAt(page, 10);
  await keyboard.press('l');
  await untilAt(page, 20);
  await keyboard.press('ArrowDown');
  await untilFilm(page, ({ volume }) => Math.abs(volume - 0.95) < 0.001);
  await keyboard.press('m');
  await untilFilm(page, ({ muted }) => muted);
  await keyboard.press('>');
  await find(page, 'label', '1.25×');
  await keyboard.press('?');
  await find(page, '[data-testid=keys-help]', 'Full screen');
  await keyboard.press('Escape');
  await page.waitForSelector('[data-testid=keys-help]', { hidden: true });

  await press(page, '[data-testid=chat-input]');
  await keyboard.type('k0m ');
  assert.equal(
    await page.evaluate(() => {
      const { paused = null, muted = null, currentTime = 0 } = document.querySelector('video') ?? {};
      return [paused, muted, Math.round(currentTime), document.querySelector('textarea')?.value];
    }),
    [true, true, 20, 'k0m '],
  );

  // The tab key goes through the controls in order; a list keeps its arrows, and leaves the film its letters.
  await page.focus('[data-testid=seek-bar]');
  const order: (string | undefined)[] = [];
  for (let i = 0; i < 5; i++) {
    await keyboard.press('Tab');
    order.push(await page.evaluate(() => (document.activeElement as HTMLElement).dataset.testid));
  }
  assert.equal(order, ['toggle', 'mute', 'volume', 'subtitles', 'speed']);
  await keyboard.press('ArrowDown');
  await find(page, 'label', '1.5×');
  await keyboard.press('k');
  await untilFilm(page, ({ paused, playbackRate }) => !paused && Math.abs(playbackRate - 1.5) < 0.08);

  // An answer, by the keyboard alone: up to the last line, and through its buttons. The lines come with the first neighbour,
  // which may be later than the film, whose pieces also come by HTTP.
  await page.waitForSelector('[data-testid=chat-line]');
  await page.focus('[data-testid=chat-log]');
  await keyboard.press('ArrowUp');
  await page.waitForSelector('[data-testid=chat-line]:focus');
  await page.waitForSelector('[data-testid=line-actions]');
  await page.focus('[data-testid=reply]');
  await keyboard.press('Enter');
  await page.waitForSelector('[data-testid=replying]');
  assert.is(await page.evaluate(() => document.activeElement?.tagName), 'TEXTAREA');
  await keyboard.press('Escape');
  await page.waitForSelector('[data-testid=replying]', { hidden: true });
  assert.equal(errors, []);
});

room('should be had by touch on a phone', async ({ link }) => {
  // As Firefox comes: what has sound waits to be asked.
  const gecko = await launchFirefox(path, { isTouched: true, mustAskToPlay: true });
  try {
    const { page, errors } = await openInFirefox(gecko, link, { isOnOwn: true, size: PHONE });
    await page.waitForSelector('[data-testid=play]');
    await tap(page, '[data-testid=play]');
    await untilPlayingInFirefox(page);
    await page.waitForSelector('[data-testid=play]', { hidden: true });
    assert.ok(
      await page.evaluate(() => matchMedia('(pointer: coarse)').matches),
      'Firefox takes it for a phone',
    );

    // Two taps at a side go ten seconds on, and back.
    await seekInFirefox(page, 5);
    await Promise.all([
      find(page, '.stepped', '+10 s'),
      doubleTap(page, 340, (video) => video.currentTime > 14),
    ]);
    await seekInFirefox(page, 25);
    await doubleTap(page, 40, (video) => video.currentTime < 16);
    const sizes = await page.$$eval('[data-testid=player] .control', (all) =>
      all
        .filter((one) => one.checkVisibility())
        .map(({ clientWidth, clientHeight }) => [clientWidth, clientHeight]),
    );
    assert.ok(
      sizes.length >= 4 && sizes.every(([width = 0, height = 0]) => width >= 40 && height >= 40),
      JSON.stringify(sizes),
    );

    // One tap shows the controls of a film that plays; they go by themselves, and the subtitles make way for them.
    await page.select('[data-testid=subtitles]', '0');
    await tap(page, '[data-testid=toggle]');
    await untilFilm(page, ({ paused }) => !paused);
    const below = await cueLine(page, false);
    await page.touchscreen.tap(195, 60);
    const above = await cueLine(page, true);
    assert.ok(above < below && above <= -6, `${above} with the controls, ${below} without`);
    await tap(page, '[data-testid=toggle]');
    await untilFilm(page, ({ paused }) => paused);

    // A finger on the timeline goes there.
    const bar = await page.waitForSelector('[data-testid=seek-bar]');
    const { x = 0, y = 0, width = 0, height = 0 } = (await bar?.boundingBox()) ?? {};
    await page.touchscreen.tap(x + width / 2, y + height / 2);
    await untilAt(page, FILM_S / 2);

    // What can be done with a line of the chat is one tap away, and gone with the next.
    await tap(page, '[data-testid=chat-input]');
    await page.keyboard.type('On my phone');
    await tap(page, '[data-testid=chat-send]');
    const own = '[data-testid=line-text]';
    await tap(page, own, 'On my phone');
    await tap(page, '[data-testid=line-actions] button', '❤️');
    await find(page, '[data-testid=reaction]', '❤️');
    await tap(page, own, 'On my phone');
    await page.waitForSelector('[data-testid=line-actions]', { hidden: true });
    await tap(page, '[data-testid=people] summary');
    await page.waitForSelector('[data-testid=present]');
    const isWide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    assert.not.ok(isWide, 'nothing sticks out');
    assert.equal(errors, []);
  } finally {
    await gecko.close();
  }
});

room.run();

/** Ann in Chromium and Fox in Firefox in the room; both films stand still. */
async function together({ chromium, gecko, link }: Scene) {
  const ann = await visit(chromium, link, { rate: 0, isOnOwn: true });
  const fox = await openInFirefox(gecko, link, { isOnOwn: true });
  await untilPlayingInFirefox(fox.page);
  await seekInFirefox(fox.page, 1);
  await untilMembers(ann.page, 1);
  const field = ann.page.getByTestId('name-input');
  await field.fill('Ann');
  await field.press('Enter');
  await renameInFirefox(fox.page, 'Fox');
  await ann.page.getByTestId('people').locator('summary').click();
  await ann.page.getByTestId('present').filter({ hasText: 'Fox' }).waitFor();
  return { ann, fox };
}

/** Somebody enters the room in Chromium and takes a name. */
async function enterAs(name: string, chromium: Browser, link: string): Promise<Visitor> {
  const visitor = await visit(chromium, link);
  const field = visitor.page.getByTestId('name-input');
  await field.fill(name);
  await field.press('Enter');
  return visitor;
}

function line(page: ChromiumPage, text: string): Locator {
  return page.getByTestId('chat-line').filter({ hasText: text });
}

/**
 * Presses a button of the host's by all that it says. By key: a mouse needs it to stand still, and with each member who comes or goes all
 * below moves.
 */
async function order(host: Page, words: string): Promise<void> {
  const button = await host.waitForSelector(`[data-testid=host-controls] [aria-label="${words}"]:enabled`);
  await button?.press('Enter');
}

/** Presses one of the host's switches; it moves once the server has taken the new rules. */
async function turn(host: Page, testId: string, isOn: boolean): Promise<void> {
  const box = await host.waitForSelector(`[data-testid=${testId}]:enabled`);
  await box?.press(' ');
  await host.waitForSelector(`[data-testid=${testId}]${isOn ? ':checked' : ':not(:checked)'}:enabled`);
}

function untilAt(page: Page, placeS: number): Promise<void> {
  return untilFilm(page, ({ currentTime }, toS) => Math.abs(currentTime - toS) < 2, placeS);
}

/** Taps twice, and again where the machine took too long between the taps: they then showed the controls, and hid them. */
async function doubleTap(
  page: Page,
  x: number,
  isThere: (video: HTMLVideoElement) => boolean,
): Promise<void> {
  const video = await page.waitForSelector('video');
  const untilMs = performance.now() + PATIENCE_MS;
  do {
    assert.ok(performance.now() < untilMs, `two taps never did it: ${isThere}`);
    for (let i = 0; i < 2; i++) await page.touchscreen.tap(x, 60);
  } while (!(await video?.evaluate(isThere)));
}

/** Until this is all that the media element writes; '': nothing. */
async function untilShown(page: Page, text: string): Promise<void> {
  await page.waitForFunction(
    (wanted) => {
      const tracks = [...(document.querySelector('video')?.textTracks ?? [])];
      const shown = tracks.filter(({ mode }) => mode === 'showing');
      return shown.map(({ activeCues }) => (activeCues?.[0] as VTTCue | undefined)?.text).join() === wanted;
    },
    {},
    text,
  );
}

/** What is to be seen of the film that stands still, the controls at its lower edge left out. */
async function pictureOf(page: Page): Promise<string> {
  await page.waitForSelector('.stepped', { hidden: true });
  const box = await (await page.waitForSelector('video'))?.boundingBox();
  if (!box) throw new Error('the film is not to be seen');
  const { x, y, width, height } = box;
  return page.screenshot({ encoding: 'base64', clip: { x, y, width, height: 0.85 * height } });
}

/** Until the film that stands still is to be seen so: what a browser writes over it is in no page's reach. */
async function untilPicture(page: Page, isSo: (picture: string) => boolean): Promise<void> {
  const untilMs = performance.now() + PATIENCE_MS;
  while (!isSo(await pictureOf(page)))
    assert.ok(performance.now() < untilMs, `the picture never was so: ${isSo}`);
}

/** An emoji is to be seen over the picture. */
async function mustFloat(page: Page, emoji: string): Promise<void> {
  await page.waitForFunction(
    (wanted) => {
      const floating = [...document.querySelectorAll<HTMLElement>('[data-testid=floating]')];
      const one = floating.find(({ innerText }) => innerText.includes(wanted))?.getBoundingClientRect();
      const film = document.querySelector('video')?.getBoundingClientRect();
      if (!one || !film || one.width === 0) return false;
      const isBeside = one.left >= film.left && one.right <= film.right;
      return isBeside && one.top >= film.top && one.bottom <= film.bottom;
    },
    {},
    emoji,
  );
}

/** Where the subtitles begin, in lines from the lower edge, as soon as the controls are shown, or are not. */
async function cueLine(page: Page, areControlsShown: boolean): Promise<number> {
  const found = await page.waitForFunction(
    (wanted) => {
      const controls = document.querySelector<HTMLElement>('[data-testid=player]');
      const tracks = [...(document.querySelector('video')?.textTracks ?? [])];
      const cue = tracks.find(({ mode }) => mode === 'showing')?.activeCues?.[0];
      return controls?.dataset.shown === wanted && cue ? { line: (cue as VTTCue).line } : null;
    },
    {},
    String(areControlsShown),
  );
  return Number((await found.jsonValue())?.line);
}
