import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { Stats } from '../../web/src/room-session.ts';
import { delayChannels } from '../tools/slow-channels.ts';

/** How long anything in these tests may take that is not a film being played: no promise, only when to give up on a busy machine. */
export const PATIENCE_MS = 90_000;

/** A page in a browser context of its own (another person), and what went wrong in it. */
export interface Visitor {
  page: Page;
  context: BrowserContext;
  errors: string[];
}

/** How somebody watches. */
export interface Way {
  /** A film plays so many times as fast as it was made; at 0 it stands still at its beginning. Slowly it needs far less than what comes, so that a busy machine's pauses do not make it wait. */
  rate?: number;
  /** Not where the room is: nobody else's film moves with theirs. */
  isOnOwn?: boolean;
  /** Data channels take so many milliseconds longer, each way. */
  delayMs?: number;
  /** On a phone: its size, and by touch. */
  isPhone?: boolean;
  /** Of the page elsewhere. */
  size?: { width: number; height: number };
}

const DESKTOP = { width: 1280, height: 800 };
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

/** Somebody opens an address. */
export async function visit(browser: Browser, url: string, way: Way = {}): Promise<Visitor> {
  const { rate = 1, isOnOwn = false, delayMs = 0, isPhone = false, size = DESKTOP } = way;
  const context = await browser.newContext(isPhone ? PHONE : { viewport: size });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  if (isOnOwn) await page.addInitScript(() => sessionStorage.setItem('matinee.onOwn', '1'));
  if (delayMs > 0) await page.addInitScript(delayChannels, delayMs);
  if (rate !== 1) await page.addInitScript(playAt, rate);
  await page.goto(url);
  return { page, context, errors };
}

/** Runs in the page: holds the film to that speed from its start on. */
function playAt(rate: number): void {
  document.addEventListener(
    'play',
    ({ target }) => {
      if (!(target instanceof HTMLVideoElement)) return;
      if (rate === 0) target.pause();
      else target.playbackRate = rate;
    },
    { capture: true, once: true },
  );
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

/** Writes a line in the chat. */
export async function say(page: Page, text: string): Promise<void> {
  const input = page.getByTestId('chat-input');
  await input.fill(text);
  await input.press('Enter');
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

/** Resolves once the player has so many seconds of film ahead of the playhead. */
export async function untilBuffered(page: Page, seconds: number): Promise<void> {
  await page.waitForFunction((wanted) => (window.matinee?.stats().bufferedS ?? 0) >= wanted, seconds);
}

/** Resolves once the page is connected to so many viewers, the origin not counted. */
export async function untilMembers(page: Page, count: number): Promise<void> {
  await page.waitForFunction((wanted) => {
    const { connectedPeers = -1, isOriginConnected = false } = window.matinee?.stats() ?? {};
    return connectedPeers - Number(isOriginConnected) === wanted;
  }, count);
}

/** Resolves once the page is connected to the origin, or is no longer. */
export async function untilOrigin(page: Page, isConnected: boolean): Promise<void> {
  await page.waitForFunction((wanted) => window.matinee?.stats().isOriginConnected === wanted, isConnected);
}

/** Errors of a page, without what the browser itself tells of connections that a dead server refused. */
export function beyondLostConnections(errors: readonly string[]): string[] {
  return errors.filter((error) => !/WebSocket|ERR_CONNECTION/.test(error));
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

/** Plays on, several times as fast as the film was made: for tests of what is fetched, not of when. */
export async function playOn(page: Page, rate: number): Promise<void> {
  await page.evaluate(async (wanted) => {
    const video = document.querySelector('video');
    if (!video) throw new Error('no video element');
    video.playbackRate = wanted;
    await video.play();
  }, rate);
}
