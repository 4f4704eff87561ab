import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { Stats } from '../../web/src/room-session.ts';

/** How long anything in these tests may take that is not a film being played. */
export const PATIENCE_MS = 30_000;

/** A page in a browser context of its own (another person), and what went wrong in it. */
export interface Visitor {
  page: Page;
  context: BrowserContext;
  errors: string[];
}

/** Somebody opens an address. */
export async function visit(browser: Browser, url: string): Promise<Visitor> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  await page.goto(url);
  return { page, context, errors };
}

/** Uploads a file through the home page; resolves with the link once all of it is stored. */
export async function hostThroughPage(page: Page, path: string, withinMs = 4 * PATIENCE_MS): Promise<string> {
  await page.getByTestId('drop-input').setInputFiles(path);
  const link = page.getByTestId('room-link');
  await link.waitFor();
  const href = await link.inputValue();
  await page.locator('[data-testid=hosting][data-step=done]').waitFor({ timeout: withinMs });
  return href;
}

/** What the room page says of itself. */
export function stats(page: Page): Promise<Stats> {
  return page.evaluate(() => {
    if (!window.matinee) throw new Error('this is no room page');
    return window.matinee.stats();
  });
}

/** Resolves once the film is playing: its time advances. */
export async function untilPlaying(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const video = document.querySelector('video');
    return video && !video.paused && video.currentTime > 0.2;
  });
}

/** What the media element says. */
export function playback(page: Page) {
  return page.evaluate(() => {
    const video = document.querySelector('video');
    if (!video) throw new Error('no video element');
    return {
      currentTime: video.currentTime,
      duration: video.duration,
      isEnded: video.ended,
      error: video.error?.message ?? null,
      frames: video.getVideoPlaybackQuality().totalVideoFrames,
      widthPx: video.videoWidth,
    };
  });
}

/** Resolves when the film has been played to its end, or could not be. */
export async function untilEnded(page: Page, withinMs: number): Promise<void> {
  await page.waitForFunction(
    () => {
      const video = document.querySelector('video');
      return video?.ended || video?.error;
    },
    undefined,
    { timeout: withinMs },
  );
}

/** Jumps; resolves when the picture there is shown. */
export async function seek(page: Page, toS: number): Promise<void> {
  await page.evaluate(async (atS) => {
    const video = document.querySelector('video');
    if (!video) throw new Error('no video element');
    const isThere = new Promise((resolve) => video.addEventListener('seeked', resolve, { once: true }));
    video.currentTime = atS;
    await isThere;
  }, toS);
}

/** Waits until `read` gives the same twice, `gapMs` apart: something in the page has come to rest. */
export async function untilSteady(read: () => Promise<number>, page: Page, gapMs: number): Promise<number> {
  for (let before = await read(); ; ) {
    await page.waitForTimeout(gapMs);
    const now = await read();
    if (now === before) return now;
    before = now;
  }
}
