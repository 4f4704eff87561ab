import type { Browser, Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { launchBrowser } from '../tools/browser.ts';
import { lightClip } from '../tools/clips.ts';
import { type RunningServer, startBuiltServer } from '../tools/running-server.ts';
import { mustBeAccessible } from './axe.ts';
import { hostFromCommandLine } from './host-cli.ts';
import { say, untilMembers, visit } from './pages.ts';

interface House {
  browser: Browser;
  server: RunningServer;
}

const pages = suite<House>('the pages, for everybody');

pages.before(async (house) => {
  [house.browser, house.server] = await Promise.all([launchBrowser(), startBuiltServer()]);
});

pages.after(async ({ browser, server }) => {
  await browser.close();
  await server.stop();
});

pages(
  'should be drawn with nothing that axe calls serious, in both languages',
  async ({ browser, server }) => {
    const home = await visit(browser, server.url);
    await home.page.getByText('Drop a video here').waitFor();
    for (const colorScheme of ['light', 'dark'] as const) {
      await home.page.emulateMedia({ colorScheme });
      await mustBeAccessible(home.page, `home, ${colorScheme}`);
    }
    await home.page.getByTestId('language').selectOption('de');
    await home.page.getByText('Leg hier ein Video ab').waitFor();
    assert.is(await home.page.evaluate(() => document.documentElement.lang), 'de');
    await home.page.reload();
    await home.page.getByText('Leg hier ein Video ab').waitFor();
    // What the engine says is English; the page says it in its own language, and adds the engine's words marked as such.
    const text = { name: 'notes.mp4', mimeType: 'video/mp4', buffer: Buffer.from('no video at all') };
    await home.page.getByTestId('drop-input').setInputFiles(text);
    const failure = home.page.getByTestId('error');
    await failure.getByText('Das ist kein Video, das Matinee kennt.').waitFor();
    assert.match(await failure.locator('[lang=en]').innerText(), /not a video that Matinee knows/);
    await mustBeAccessible(home.page, 'home, a failure');

    const clip = await lightClip(10);
    const link = await hostFromCommandLine(clip.path, server.url);
    // The same browser, so the room speaks German from the start; somebody else's speaks English, and fetches no German.
    const requested: string[] = [];
    const ann = await visit(browser, link, { rate: 0 });
    ann.page.on('request', (request) => requested.push(request.url()));
    await home.page.goto(link);
    await home.page.getByRole('button', { name: 'Link kopieren' }).waitFor();
    await untilMembers(ann.page, 1);
    await say(ann.page, 'Hello https://example.org');
    await ann.page.getByTestId('chat-line').first().waitFor();
    await ann.page.getByTestId('people').filter({ hasText: '2 here' }).waitFor();
    await mustBeAccessible(ann.page, 'room');
    await ann.page.getByTestId('people').locator('summary').click();
    await mustBeAccessible(ann.page, 'room, people');
    await ann.page.getByTestId('swarm').locator('summary').first().click();
    await ann.page.getByTestId('swarm-picture').waitFor();
    await ann.page.getByTestId('nerds').locator('summary').click();
    await ann.page.getByTestId('nerd-stats').waitFor();
    await mustBeAccessible(ann.page, 'room, swarm');
    assert.equal(
      requested.filter((url) => url.includes('texts.de')),
      [],
    );

    // The film goes on while the language changes.
    const playing = await home.page.locator('video').elementHandle();
    await home.page.getByTestId('language').selectOption('en');
    await home.page.getByRole('button', { name: 'Copy link' }).waitFor();
    assert.ok(await playing?.evaluate((video) => video.isConnected), 'the same picture');
    assert.equal([...home.errors, ...ann.errors], []);
  },
);

pages('should say who is here, who looks away, and what came from whom', async ({ browser, server }) => {
  const clip = await lightClip(10);
  const link = await hostFromCommandLine(clip.path, server.url);
  // Slowly, so that the film is not over before all is seen.
  const ann = await visit(browser, link, { rate: 0.1 });
  // Alone: the link is offered once more, as a picture too.
  await ann.page.getByTestId('lobby').getByTestId('qr').waitFor();
  await ann.page.waitForFunction(() => (window.matinee?.stats().bufferedS ?? 0) > 5);
  const ben = await visit(browser, link, { rate: 0.1 });
  await ann.page.getByTestId('lobby').waitFor({ state: 'detached' });
  await rename(ben.page, 'Ben');
  await ann.page.getByTestId('people').locator('summary').click();
  const line = ann.page.getByTestId('present').filter({ hasText: 'Ben' });
  await line.and(ann.page.locator('[data-doing=watching]')).waitFor();
  await hide(ben.page);
  await line.filter({ hasText: 'away' }).waitFor();

  await ben.page.getByTestId('swarm').locator('summary').first().click();
  const strip = ben.page.getByTestId('film-strip');
  await ben.page.waitForFunction(() => {
    const { friends = 0, server = 0 } =
      document.querySelector<SVGElement>('[data-testid=film-strip]')?.dataset ?? {};
    return Number(friends) + Number(server) > 0.99;
  });
  const { origin, peers, http } = (await ben.page.evaluate(() => window.matinee?.stats()))?.bytesReceived ?? {
    origin: 0,
    peers: 0,
    http: 0,
  };
  const share = peers / (origin + peers + http);
  assert.ok(Math.abs(Number(await strip.getAttribute('data-friends')) - share) < 0.15, `${share} by bytes`);

  await mustSpareMobileData(browser, link);
  assert.equal([...ann.errors, ...ben.errors], []);
});

pages.run();

/** Chrome on a phone says how it is connected, this one does not: so much of it is made up. */
async function mustSpareMobileData(browser: Browser, link: string): Promise<void> {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.addInitScript(() => {
    Object.defineProperty(navigator, 'connection', {
      value: Object.assign(new EventTarget(), { type: 'cellular' }),
    });
  });
  await page.goto(link);
  await page.getByTestId('swarm').locator('summary').first().click();
  await page.getByTestId('held-back').waitFor();
  const limit = page.getByTestId('upload-limit').locator('option:checked');
  await limit.filter({ hasText: 'Off' }).waitFor({ state: 'attached' });
  await page.getByTestId('spare-mobile-data').uncheck();
  await limit.filter({ hasText: 'No limit' }).waitFor({ state: 'attached' });
  await context.close();
}

async function rename(page: Page, name: string): Promise<void> {
  const field = page.getByTestId('name-input');
  await field.fill(name);
  await field.press('Enter');
}

/** As if another tab were in front: a headless browser shows all of them. */
async function hide(page: Page): Promise<void> {
  await page.evaluate(() => {
    Object.defineProperty(document, 'visibilityState', { value: 'hidden' });
    document.dispatchEvent(new Event('visibilitychange'));
  });
}
