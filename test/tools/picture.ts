import { copyFile, mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { hostFromCommandLine } from '../e2e/host-cli.ts';
import { say, seek, untilMembers, visit } from '../e2e/pages.ts';
import { launchBrowser } from './browser.ts';
import { rootFolder } from './cache-folder.ts';
import { mainClip } from './clips.ts';
import { startBuiltServer } from './running-server.ts';
import { tell } from './tell.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** Takes the picture at the top of the README: a real room, three viewers, and what they say. */

const PICTURE = join(rootFolder, 'docs', 'room.jpg');

/** Where the film has something to talk about, seconds. */
const AT_S = 61;

async function enter(browser: Browser, link: string, name: string): Promise<Page> {
  const url = new URL(link);
  url.searchParams.set('peers', 'yes');
  // Slowly, so that it shows the same place however long the picture takes.
  const { page } = await visit(browser, url.href, { rate: 0.1 });
  const field = page.getByTestId('name-input');
  await field.fill(name);
  await field.press('Enter');
  return page;
}

/** The line on this page; an answer, which quotes it, comes after it. */
function line(page: Page, text: string): Locator {
  return page.getByTestId('chat-line').filter({ hasText: text }).first();
}

async function talk(mia: Page, jonas: Page, aylin: Page): Promise<void> {
  await say(jonas, 'popcorn is ready 🍿');
  await line(mia, 'popcorn').waitFor();
  await say(aylin, 'made it! the sound is great');
  await line(mia, 'made it').waitFor();
  await say(mia, 'welcome, both of you');
  await line(jonas, 'welcome').waitFor();
  await seek(jonas, AT_S);
  await jonas.getByTestId('add-moment').click();
  await say(jonas, 'look at that face');
  const atAylin = line(aylin, 'look at that');
  await atAylin.hover();
  await atAylin.getByTestId('reply').click();
  await say(aylin, '@Mia he is about to find the butterfly');
  await line(mia, 'butterfly').waitFor();
  const atMia = line(mia, 'look at that');
  await atMia.hover();
  await atMia.getByTestId('line-actions').getByRole('button', { name: '😂' }).click();
  await mia.mouse.move(0, 0);
}

const { path: clip } = await mainClip();
const folder = await temporaryFolder();
const server = await startBuiltServer();
const browser = await launchBrowser();
try {
  const film = join(folder.path, 'Big Buck Bunny.mp4');
  await copyFile(clip, film);
  const link = await hostFromCommandLine(film, server.url);
  const mia = await enter(browser, link, 'Mia');
  const jonas = await enter(browser, link, 'Jonas');
  const aylin = await enter(browser, link, 'Aylin');
  for (const page of [mia, jonas, aylin]) await untilMembers(page, 2);
  await talk(mia, jonas, aylin);
  for (const page of [mia, aylin]) await seek(page, AT_S);
  for (const [page, nth] of [
    [jonas, 2],
    [aylin, 1],
    [jonas, 5],
  ] as const) {
    await page.getByTestId('cheer').nth(nth).click();
    await mia.getByTestId('floating').last().waitFor();
  }
  await mia.locator('[data-testid=people][data-count="3"]').waitFor();
  await mkdir(join(rootFolder, 'docs'), { recursive: true });
  await mia.screenshot({ path: PICTURE, type: 'jpeg', quality: 82 });
  tell(`${PICTURE}: ${(await stat(PICTURE)).size} bytes`);
} finally {
  await browser.close();
  await server.stop();
  await folder.remove();
}
