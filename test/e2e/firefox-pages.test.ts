import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser as Firefox } from 'puppeteer-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { lightClip } from '../tools/clips.ts';
import { launchFirefox } from '../tools/firefox.ts';
import { type RunningServer, startBuiltServer } from '../tools/running-server.ts';
import { type TemporaryFolder, temporaryFolder } from '../tools/temporary-folder.ts';
import { mustBeAccessible } from './axe.ts';
import { hostFromCommandLine } from './host-cli.ts';
import {
  find,
  firefoxOrSkip,
  hostInFirefox,
  openInFirefox,
  PHONE,
  press,
  sayInFirefox,
  seekInFirefox,
  untilFilm,
  untilPlayingInFirefox,
} from './in-firefox.ts';

interface Scene {
  server: RunningServer;
  gecko: Firefox;
  folder: TemporaryFolder;
}

const path = await firefoxOrSkip();
const pages = suite<Scene>('every page, in Firefox');

pages.before(async (scene) => {
  scene.folder = await temporaryFolder();
  [scene.server, scene.gecko] = await Promise.all([startBuiltServer(), launchFirefox(path)]);
});

pages.after(async ({ server, gecko, folder }) => {
  await gecko.close();
  await server.stop();
  await folder.remove();
});

pages.after.each(async ({ gecko }) => {
  for (const page of await gecko.pages()) if (page.url() !== 'about:blank') await page.close();
});

for (const isDark of [false, true]) {
  const scheme = isDark ? 'dark' : 'light';
  pages(`should have a home with nothing that axe calls serious, ${scheme}`, async ({ server, folder }) => {
    const gecko = await launchFirefox(path, { isDark });
    try {
      const { page, errors } = await openInFirefox(gecko, server.url);
      assert.is(await page.evaluate(() => matchMedia('(prefers-color-scheme: dark)').matches), isDark);
      await find(page, 'main', 'Drop a video here');
      await press(page, 'summary', 'Options');
      await mustBeAccessible(page, `home, ${scheme}`);
      const notes = join(folder.path, 'notes.mp4');
      await writeFile(notes, 'no video at all');
      const input = await page.waitForSelector('input[data-testid=drop-input]');
      await input?.uploadFile(notes);
      await find(page, '[data-testid=error]', 'not a video');
      await mustBeAccessible(page, `home, a failure, ${scheme}`);
      await page.reload();
      await hostInFirefox(page, (await lightClip(10)).path);
      await mustBeAccessible(page, `home, a room, ${scheme}`);
      assert.equal(errors, []);
    } finally {
      await gecko.close();
    }
  });
}

pages('should have a room and more with nothing that axe calls serious', async ({ gecko, server }) => {
  const { page, errors } = await openInFirefox(gecko, server.url);
  await page.goto(await hostInFirefox(page, (await lightClip(10)).path));
  await untilPlayingInFirefox(page);
  await seekInFirefox(page, 3);
  await press(page, '[data-testid=add-moment]');
  await sayInFirefox(page, 'Hello https://example.org');
  await page.waitForSelector('[data-testid=time-mark]');
  await mustBeAccessible(page, 'room');
  await press(page, '[data-testid=host-controls] summary');
  await press(page, '[data-testid=people] summary');
  await mustBeAccessible(page, 'room, people and host');
  await page.setViewport(PHONE);
  // The switch of the language comes into the open panel, and moves what is below.
  await page.waitForSelector('[data-testid=people] select');
  await press(page, '[data-testid=swarm] summary');
  await page.waitForSelector('[data-testid=swarm][open]');
  await press(page, '[data-testid=nerds] summary');
  await page.waitForSelector('[data-testid=nerd-stats]');
  await mustBeAccessible(page, 'room, swarm, on a phone');
  await page.goto(`${server.url}/status`);
  await mustBeAccessible(page, 'status');
  // It loads itself anew for those who want it.
  await Promise.all([page.waitForNavigation(), press(page, 'a', 'every 15 s')]);
  await page.waitForSelector('meta[http-equiv=refresh]');
  await Promise.all([page.waitForNavigation(), press(page, 'a', 'Leave it')]);
  assert.is(await page.$('meta[http-equiv=refresh]'), null);
  assert.equal(errors, []);
});

pages('should speak the language that is chosen, from then on', async ({ gecko, server }) => {
  const { page, errors } = await openInFirefox(gecko, server.url);
  await find(page, 'main', 'Drop a video here');
  await page.select('[data-testid=language]', 'de');
  await find(page, 'main', 'Leg hier ein Video ab');
  assert.is(await page.evaluate(() => document.documentElement.lang), 'de');
  await page.reload();
  await find(page, 'main', 'Leg hier ein Video ab');
  const link = await hostFromCommandLine((await lightClip(20)).path, server.url);
  await page.goto(link);
  await find(page, 'button', 'Link kopieren');
  await find(page, '[data-testid=people] h2', 'Leute');
  await untilPlayingInFirefox(page);

  // The film goes on while the language changes.
  await page.evaluate(() => Object.assign(document.querySelector('video') ?? {}, { isSame: true }));
  await page.select('[data-testid=language]', 'en');
  await find(page, 'button', 'Copy link');
  await find(page, '[data-testid=people] h2', 'People');
  assert.is(await page.evaluate(() => document.documentElement.lang), 'en');
  await untilFilm(page, (video) => 'isSame' in video && !video.paused);
  await page.reload();
  await find(page, 'button', 'Copy link');
  assert.equal(errors, []);
});

const ROOM = 'AAAAAAAAAAAAAAAAAAAAAA';
const SECRET = 'A'.repeat(43);

pages('should say what is wrong with a link', async ({ gecko, server }) => {
  const { page, errors } = await openInFirefox(gecko, server.url);
  for (const [address, code, sentence] of [
    [`/r/${ROOM}`, 'LINK_INCOMPLETE', 'cut off'],
    [`/r/nonsense#${SECRET}`, 'LINK_MALFORMED', 'link'],
    [`/r/${ROOM}#${SECRET}`, 'ROOM_UNKNOWN', 'does not exist'],
  ] as const) {
    // From one link of a room to another no page would be loaded.
    await page.goto('about:blank');
    await page.goto(server.url + address);
    await find(page, `[data-testid=error][data-code=${code}]`, sentence);
  }
  assert.equal(errors, []);
});

pages('should ask for the room’s password, and open with it', async ({ gecko, server }) => {
  const context = await gecko.createBrowserContext();
  const { page, errors } = await openInFirefox(context, server.url);
  await press(page, 'summary', 'Options');
  await page.locator('[data-testid=room-password]').fill('popcorn');
  const link = await hostInFirefox(page, (await lightClip(10)).path);
  await context.close();

  const guest = await openInFirefox(gecko, link);
  await guest.page.waitForSelector('[data-testid=password-form]');
  assert.is(await guest.page.evaluate(() => document.activeElement?.id), 'password');
  await mustBeAccessible(guest.page, 'room, password');
  await guest.page.keyboard.type('peanuts');
  await guest.page.keyboard.press('Enter');
  await find(guest.page, '[data-testid=password-wrong]', 'not the password');
  await guest.page.locator('[data-testid=password-input]').fill('popcorn');
  await guest.page.keyboard.press('Enter');
  await untilPlayingInFirefox(guest.page);
  assert.equal([errors, guest.errors], [[], []]);
});

pages('should say that the server is away, and go on once it is back', async ({ gecko, folder }) => {
  const dataDir = join(folder.path, 'data');
  const server = await startBuiltServer({ dataDir });
  const port = Number(new URL(server.url).port);
  const link = await hostFromCommandLine((await lightClip(40)).path, server.url);
  const { page, errors } = await openInFirefox(gecko, link);
  await untilPlayingInFirefox(page);
  await server.stop();
  await find(page, '[data-testid=problem]', 'server');
  await mustBeAccessible(page, 'room, without its server');
  const again = await startBuiltServer({ dataDir, port });
  try {
    await page.waitForSelector('[data-testid=problem]', { hidden: true });
    await page.waitForFunction(() => window.matinee?.stats().isOriginConnected);
    // Firefox itself tells of connections that a dead server refused.
    assert.equal(
      errors.filter((error) => !error.includes('ws://')),
      [],
    );
  } finally {
    await page.close();
    await again.stop();
  }
});

pages.run();
