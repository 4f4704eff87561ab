import type { BrowserContext, ElementHandle, Browser as Firefox, Page } from 'puppeteer-core';
import { findFirefox } from '../tools/firefox.ts';
import { tell } from '../tools/tell.ts';
import { PATIENCE_MS } from './pages.ts';

/** What tests do with pages in Firefox, as pages.ts has it for Chromium's. */

/** Path of the Firefox to test with. Where there is none it says so, loudly, and ends this file: nothing of it can run. */
export async function firefoxOrSkip(): Promise<string> {
  const path = await findFirefox();
  if (path === null) {
    tell(
      'SKIPPED: no Firefox is installed (Debian: apt-get install firefox-esr), nor named by MATINEE_FIREFOX.',
    );
    process.exit(0);
  }
  tell(`Firefox for the tests: ${path}`);
  return path;
}

/** Somebody in Firefox, and what went wrong in their page. */
export interface Fox {
  page: Page;
  errors: string[];
}

const DESKTOP = { width: 1280, height: 800 };

/** The size of a phone. That its screen is touched is for the browser to be told, see launchFirefox. */
export const PHONE = { width: 390, height: 844 };

/**
 * Somebody opens an address in Firefox; in a context of its own it is another person. One page of a browser is in front, and Firefox draws no
 * other: two people who are to be seen at once need two browsers.
 */
export async function openInFirefox(
  gecko: Firefox | BrowserContext,
  url: string,
  way: { size?: typeof PHONE; isOnOwn?: boolean } = {},
): Promise<Fox> {
  const page = await gecko.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  await page.setViewport(way.size ?? DESKTOP);
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  if (way.isOnOwn) {
    await page.evaluateOnNewDocument(() => {
      if (location.protocol.startsWith('http')) sessionStorage.setItem('matinee.onOwn', '1');
    });
  }
  await page.goto(url);
  // A page behind another takes keys, but is told of no focus.
  await page.bringToFront();
  return { page, errors };
}

/** The first element for this selector that is drawn and has this in its text, once there is one. */
export async function find(page: Page, css: string, text = ''): Promise<ElementHandle<HTMLElement>> {
  const found = await page.waitForFunction(
    (selector, words) =>
      [...document.querySelectorAll<HTMLElement>(selector)].find(
        (one) => one.checkVisibility() && one.innerText.includes(words),
      ),
    {},
    css,
    text,
  );
  return found.asElement() as ElementHandle<HTMLElement>;
}

/** Resolves once no element for this selector has this in its text. */
export async function untilGone(page: Page, css: string, text = ''): Promise<void> {
  await page.waitForFunction(
    (selector, words) =>
      ![...document.querySelectorAll<HTMLElement>(selector)].some((one) => one.innerText.includes(words)),
    {},
    css,
    text,
  );
}

/** Clicks the first element for this selector that has this in its text. */
export async function press(page: Page, css: string, text = ''): Promise<void> {
  await (await findStill(page, css, text)).click();
}

/** The same with a finger. */
export async function tap(page: Page, css: string, text = ''): Promise<void> {
  await (await findStill(page, css, text)).tap();
}

/** The same once it no longer moves: what is clicked is the place where it was. */
async function findStill(page: Page, css: string, text: string): Promise<ElementHandle<HTMLElement>> {
  const found = await find(page, css, text);
  await found.evaluate(async (one) => {
    one.scrollIntoView({ block: 'nearest' });
    for (let before = ''; ; ) {
      await new Promise(requestAnimationFrame);
      const { x, y, width, height } = one.getBoundingClientRect();
      const now = [x, y, width, height].join();
      if (now === before) return;
      before = now;
    }
  });
  return found;
}

/** Writes a line in the chat. */
export async function sayInFirefox(page: Page, text: string): Promise<void> {
  await press(page, '[data-testid=chat-input]');
  await page.keyboard.type(text);
  await page.keyboard.press('Enter');
}

/** Takes a name. */
export async function renameInFirefox(page: Page, name: string): Promise<void> {
  await page.locator('[data-testid=name-input]').fill(name);
  await page.keyboard.press('Enter');
}

/** Stands still at a place whose picture is shown. */
export function seekInFirefox(page: Page, toS: number): Promise<void> {
  return page.evaluate(async (atS) => {
    const video = document.querySelector('video');
    if (!video) throw new Error('no video element');
    video.pause();
    const isThere = new Promise((resolve) => video.addEventListener('seeked', resolve, { once: true }));
    video.currentTime = atS;
    await isThere;
  }, toS);
}

/** Until the media element is as it should be; `isSo` runs in the page. */
export async function untilFilm(
  page: Page,
  isSo: (video: HTMLVideoElement, value: number) => boolean,
  value = 0,
): Promise<void> {
  const video = await page.waitForSelector('video');
  await page.waitForFunction(isSo, {}, video as ElementHandle<HTMLVideoElement>, value);
}

/** Until the film plays, with its controls there. */
export async function untilPlayingInFirefox(page: Page): Promise<void> {
  await untilFilm(page, ({ paused, currentTime }) => !paused && currentTime > 0.2);
  await page.waitForSelector('[data-testid=player]');
}

/** Resolves once the page is connected to so many viewers, the origin not counted. */
export async function untilMembersInFirefox(page: Page, count: number): Promise<void> {
  await page.waitForFunction(
    (wanted) => {
      const { connectedPeers = -1, isOriginConnected = false } = window.matinee?.stats() ?? {};
      return connectedPeers - Number(isOriginConnected) === wanted;
    },
    {},
    count,
  );
}

/** Uploads files through the home page; resolves with the link once all of it is stored. */
export async function hostInFirefox(page: Page, ...paths: string[]): Promise<string> {
  const input = await page.waitForSelector('input[data-testid=drop-input]');
  await input?.uploadFile(...paths);
  await page.waitForSelector('[data-testid=hosting][data-step=done]');
  return page.$eval('[data-testid=room-link]', (field) => (field as HTMLInputElement).value);
}
