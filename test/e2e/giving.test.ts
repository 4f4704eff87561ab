import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { toBase64url } from '../../peer/bytes.ts';
import { parseRoomLink } from '../../peer/room-link.ts';
import { ReadStore } from '../../seed-server/store/read-store.ts';
import { launchBrowser } from '../tools/browser.ts';
import { generatedClip, lightClip } from '../tools/clips.ts';
import { type RunningServer, startBuiltServer } from '../tools/running-server.ts';
import { type SlowLine, slowLine } from '../tools/slow-line.ts';
import { hostThroughPage, PATIENCE_MS, stats, untilMembers, type Visitor, visit } from './pages.ts';

/** The film takes some 20 s at this rate. */
const SLOW_BYTES_PER_SEC = 400_000;

/** Enough for signaling, and little of the film. */
const HARDLY_ANY_BYTES_PER_SEC = 40_000;

const giving = suite<{ server: RunningServer; browser: Browser; line: SlowLine }>('a host’s page that gives');

giving.before(async (context) => {
  context.server = await startBuiltServer();
  context.browser = await launchBrowser();
});

giving.after(async ({ browser, server }) => {
  await browser.close();
  await server.stop();
});

giving.before.each(async (context) => {
  context.line = await slowLine(context.server.url, SLOW_BYTES_PER_SEC);
});

giving.after.each(async ({ line }) => line.close());

function roomOf(link: string): string {
  return toBase64url(parseRoomLink(link).roomId);
}

/** The films that the server has of a room. */
function videosOf({ dataDir }: RunningServer, link: string): Promise<string[]> {
  return new ReadStore(dataDir).listVideos(roomOf(link));
}

/** Bytes that the server has of one film of a room. */
async function storedOf({ dataDir }: RunningServer, link: string, video: string): Promise<number> {
  const [store, room] = [new ReadStore(dataDir), roomOf(link)];
  const folder = store.segmentsFolder(room, video);
  const stored = await store.storedSegments(room, video);
  const files = await Promise.all(stored.map((number) => stat(join(folder, String(number)))));
  return files.reduce((sum, { size }) => sum + size, 0);
}

/** Resolves once a viewer has more than the server has. What is stored is counted after what is held: it only grows. */
async function untilAhead({ page }: Visitor, stored: () => Promise<number>): Promise<void> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const held = await heldBytes(page);
    const storedBytes = await stored();
    if (held > storedBytes) return;
    assert.ok(performance.now() < deadlineMs, `the viewer has ${held} bytes, the server ${storedBytes}`);
    await page.waitForTimeout(100);
  }
}

async function heldBytes(page: Page): Promise<number> {
  const { memory, disk } = (await stats(page)).heldBytes;
  return memory + disk;
}

async function hostSlowly(page: Page): Promise<string> {
  const clip = await lightClip(40);
  await page.getByTestId('drop-input').setInputFiles(clip.path);
  const link = page.getByTestId('room-link');
  await link.waitFor();
  return await link.inputValue();
}

async function untilDone(page: Page): Promise<void> {
  await page.locator('[data-testid=hosting][data-step=done]').waitFor();
}

giving(
  'should bring viewers what the server does not have, be nobody, and be gone at the end',
  async ({ server, browser, line }) => {
    const host = await visit(browser, line.url);
    const link = await hostSlowly(host.page);
    await host.page.getByTestId('giving').waitFor();
    const viewer = await visit(browser, link.replace(line.url, server.url), { rate: 0, isOnOwn: true });
    await viewer.page.waitForFunction(() => (window.matinee?.stats().bytesReceived.peers ?? 0) > 0);
    line.bytesPerSec = HARDLY_ANY_BYTES_PER_SEC;
    const [video = ''] = await videosOf(server, link);
    await untilAhead(viewer, () => storedOf(server, link, video));
    assert.is(await viewer.page.getByTestId('people').getAttribute('data-count'), '1');
    line.bytesPerSec = Number.POSITIVE_INFINITY;
    await untilDone(host.page);
    await untilMembers(viewer.page, 0);
    assert.is((await stats(viewer.page)).rejectedPieces, 0);
    assert.equal([...host.errors, ...viewer.errors], []);
    await viewer.context.close();
    await host.context.close();
  },
);

giving('should give nothing where the host said no, here or in a room', async ({ server, browser, line }) => {
  const host = await visit(browser, `${line.url}/?peers=no`);
  const link = await hostSlowly(host.page);
  const choice = host.page.getByTestId('giving-choice');
  assert.not(await choice.isChecked());
  const viewer = await visit(browser, link.replace(line.url, server.url), { rate: 0, isOnOwn: true });
  await viewer.page.waitForFunction(() => window.matinee?.stats().isOriginConnected);
  // Then yes, and no again.
  await choice.check();
  await untilMembers(viewer.page, 1);
  assert.is(await host.page.evaluate(() => localStorage.getItem('matinee.peers')), 'yes');
  await choice.uncheck();
  await untilMembers(viewer.page, 0);
  assert.is(await host.page.evaluate(() => localStorage.getItem('matinee.peers')), 'no');
  line.bytesPerSec = Number.POSITIVE_INFINITY;
  await untilDone(host.page);
  assert.is(await host.page.getByTestId('giving').count(), 0);
  assert.equal([...host.errors, ...viewer.errors], []);
  await viewer.context.close();
  await host.context.close();
});

giving(
  'should give from the room’s page what is added there, once the room watches it',
  async ({ server, browser, line }) => {
    const first = await generatedClip({ durationS: 10, widthPx: 320, heightPx: 180 });
    line.bytesPerSec = Number.POSITIVE_INFINITY;
    const home = await visit(browser, line.url);
    const link = await hostThroughPage(home.page, first.path);
    const host = await home.context.newPage();
    host.setDefaultTimeout(PATIENCE_MS);
    await host.goto(link);
    const viewer = await visit(browser, link.replace(line.url, server.url), { rate: 0, isOnOwn: true });
    await untilMembers(viewer.page, 1);
    const [before = ''] = await videosOf(server, link);

    line.bytesPerSec = SLOW_BYTES_PER_SEC;
    const added = await lightClip(40);
    await host.getByTestId('playlist').getByTestId('drop-input').setInputFiles(added.path);
    await host.getByTestId('film').nth(1).waitFor();
    await host.waitForFunction(() =>
      /[1-9]/.test(
        document.querySelector('[data-testid=adding-film]')?.textContent?.match(/\d+\s*%/)?.[0] ?? '',
      ),
    );
    assert.is(await host.getByTestId('giving').count(), 0, 'nobody watches it');
    assert.is((await stats(viewer.page)).connectedPeers, 2, 'the host and the origin');

    await host.getByTestId('film').nth(1).getByTestId('show-film').click();
    await untilMembers(viewer.page, 2);
    line.bytesPerSec = HARDLY_ANY_BYTES_PER_SEC;
    const video = (await videosOf(server, link)).find((id) => id !== before) ?? '';
    await untilAhead(viewer, () => storedOf(server, link, video));
    assert.is(await viewer.page.getByTestId('people').getAttribute('data-count'), '2');

    const choice = host.getByTestId('giving-choice');
    await choice.uncheck();
    await untilMembers(viewer.page, 1);
    await choice.check();
    await untilMembers(viewer.page, 2);
    await host.getByTestId('film').nth(0).getByTestId('show-film').click();
    await untilMembers(viewer.page, 1);
    await host.getByTestId('film').nth(1).getByTestId('show-film').click();
    await untilMembers(viewer.page, 2);
    // Through the server only, and whatever the switch says nothing is given.
    await host.getByTestId('swarm').click();
    await host.getByTestId('peers-choice').selectOption('no');
    await untilMembers(viewer.page, 0);
    assert.ok(await choice.isDisabled());
    await host.getByTestId('peers-choice').selectOption('yes');
    await untilMembers(viewer.page, 2);

    line.bytesPerSec = Number.POSITIVE_INFINITY;
    await host.getByTestId('film-added').waitFor({ timeout: 4 * PATIENCE_MS });
    await untilMembers(viewer.page, 1);
    assert.is((await stats(viewer.page)).rejectedPieces, 0);
    assert.equal([...home.errors, ...viewer.errors], []);
    await viewer.context.close();
    await home.context.close();
  },
);

giving(
  'should give from the home page that goes on with an added film only while the room watches it',
  async ({ server, browser, line }) => {
    line.bytesPerSec = Number.POSITIVE_INFINITY;
    const home = await visit(browser, line.url);
    const link = await hostThroughPage(home.page, (await lightClip(10)).path);
    const title = await home.page.getByTestId('your-room').innerText();
    const viewer = await visit(browser, link.replace(line.url, server.url), { rate: 0, isOnOwn: true });
    line.bytesPerSec = SLOW_BYTES_PER_SEC;
    const added = await lightClip(40);
    const host = await home.context.newPage();
    host.setDefaultTimeout(PATIENCE_MS);
    await host.goto(link);
    await host.getByTestId('playlist').getByTestId('drop-input').setInputFiles(added.path);
    await host.getByTestId('film').nth(1).waitFor();
    await host.close({ runBeforeUnload: false });
    await untilMembers(viewer.page, 0);

    await home.page.goto(line.url);
    await home.page.getByTestId('unfinished-upload').getByTestId('drop-input').setInputFiles(added.path);
    const choice = home.page.getByTestId('giving-choice');
    await choice.and(home.page.locator(':disabled')).waitFor();
    assert.match(await home.page.getByTestId('giving').innerText(), /another film/);
    assert.is((await stats(viewer.page)).connectedPeers, 1, 'the origin alone');

    const again = await home.context.newPage();
    again.setDefaultTimeout(PATIENCE_MS);
    await again.goto(link);
    await untilMembers(viewer.page, 1);
    await again.getByTestId('film').nth(1).getByTestId('show-film').click();
    await untilMembers(viewer.page, 2);
    await choice.and(home.page.locator(':enabled')).waitFor();
    await again.getByTestId('film').nth(0).getByTestId('show-film').click();
    await untilMembers(viewer.page, 1);
    assert.is(await again.getByTestId('unfinished').count(), 0, 'it is under way');

    line.bytesPerSec = Number.POSITIVE_INFINITY;
    await untilDone(home.page);
    assert.is(await home.page.getByTestId('your-room').innerText(), title, 'the room is what it was');
    assert.equal(viewer.errors, []);
    await viewer.context.close();
    await home.context.close();
  },
);

giving('should give in a room that was locked before, too', async ({ server, browser, line }) => {
  const home = await visit(browser, `${line.url}/?peers=no`);
  const link = await hostSlowly(home.page);
  const host = await home.context.newPage();
  host.setDefaultTimeout(PATIENCE_MS);
  await host.goto(link);
  const viewer = await visit(browser, link.replace(line.url, server.url), { rate: 0, isOnOwn: true });
  await untilMembers(viewer.page, 1);
  await host.getByTestId('host-controls').locator('summary').click();
  await host.getByTestId('lock').check();
  await host.getByTestId('lock').and(host.locator(':checked:enabled')).waitFor();
  // Its page has a key that nobody knew when the room was locked.
  await home.page.getByTestId('giving-choice').check();
  await untilMembers(viewer.page, 2);
  await viewer.page.waitForFunction(() => (window.matinee?.stats().bytesReceived.peers ?? 0) > 0);
  line.bytesPerSec = Number.POSITIVE_INFINITY;
  await untilDone(home.page);
  await untilMembers(viewer.page, 1);
  assert.equal(viewer.errors, []);
  await viewer.context.close();
  await home.context.close();
});

giving.run();
