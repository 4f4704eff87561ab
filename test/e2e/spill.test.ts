import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findBrowser } from '../tools/browser.ts';
import { lightClip } from '../tools/clips.ts';
import { type RunningServer, startBuiltServer } from '../tools/running-server.ts';
import { tell } from '../tools/tell.ts';
import { type TemporaryFolder, temporaryFolder } from '../tools/temporary-folder.ts';
import { hostFromCommandLine } from './host-cli.ts';
import { PATIENCE_MS, playback, playOn, seek, stats, untilEnded, untilPlaying } from './pages.ts';

const MEMORY_MB = 2;
const MB = 1e6;

interface Scene {
  server: RunningServer;
  profile: TemporaryFolder;
  /** A browser with a profile on the disk: in a private window the file system would lie in memory. */
  browser: BrowserContext;
  link: string;
}

const spill = suite<Scene>('a viewer whose memory is small');

spill.before(async (scene) => {
  const clip = await lightClip(90);
  scene.server = await startBuiltServer();
  scene.link = await hostFromCommandLine(clip.path, scene.server.url);
  scene.profile = await temporaryFolder();
  scene.browser = await chromium.launchPersistentContext(scene.profile.path, {
    executablePath: await findBrowser(),
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--autoplay-policy=no-user-gesture-required'],
  });
  scene.browser.setDefaultTimeout(PATIENCE_MS);
  await scene.browser.addInitScript((mb) => sessionStorage.setItem('matinee.memoryMb', `${mb}`), MEMORY_MB);
});

spill.after(async ({ server, profile, browser }) => {
  await browser.close();
  await profile.remove();
  await server.stop();
});

spill(
  'should play to the end and once more, from a file of its own that goes with the tab',
  async (scene) => {
    const clip = await lightClip(90);
    const watcher = await openWatcher(scene);
    const page = await scene.browser.newPage();
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    await page.goto(scene.link);
    await untilPlaying(page);
    const mostInMemory = await watchMemory(page);
    await playOn(page, 8);
    await untilEnded(page, 2 * PATIENCE_MS);
    assert.is((await playback(page)).error, null);

    const { heldBytes, diskError, bytesReceived, rejectedPieces } = await stats(page);
    assert.is(diskError, null);
    assert.is(rejectedPieces, 0);
    assert.ok(heldBytes.memory <= MEMORY_MB * MB, `${heldBytes.memory} bytes in memory`);
    assert.ok(heldBytes.disk > clip.sizeBytes / 2, `${heldBytes.disk} bytes on the disk`);
    const heapBytes = await buffersInHeap(scene.browser, page);
    assert.ok(heapBytes < clip.sizeBytes / 2, `the page holds buffers of ${heapBytes} bytes`);
    assert.equal(await pieceFiles(watcher), 1);
    tell(
      `${inMb(clip.sizeBytes)} played with ${MEMORY_MB} MB of memory: at most ${inMb(await mostInMemory())} held there, ` +
        `${inMb(heldBytes.disk)} on the disk; all buffers in the heap at the end ${inMb(heapBytes)}`,
    );

    assert.ok((await firstBufferedS(page)) > 10, 'the player itself has forgotten the beginning');
    await seek(page, 2);
    await playOn(page, 8);
    await page.waitForFunction(() => (document.querySelector('video')?.currentTime ?? 0) > 30);
    const again = await stats(page);
    assert.equal(again.bytesReceived, bytesReceived, 'nothing was fetched again');
    assert.is(again.diskError, null);
    assert.equal(errors, []);

    await page.close();
    await untilNoPieceFile(scene, watcher);
    await watcher.close();
  },
);

spill('should leave nothing for ever when its tab crashes: the next one tidies up', async (scene) => {
  const watcher = await openWatcher(scene);
  const crashing = await scene.browser.newPage();
  await crashing.goto(scene.link);
  await crashing.waitForFunction(() => (window.matinee?.stats().heldBytes.disk ?? 0) > 1e6);
  const hasCrashed = crashing.waitForEvent('crash');
  await crashing.goto('chrome://crash').catch(() => undefined);
  await hasCrashed;
  assert.is(await pieceFiles(watcher), 1, 'a crash removes nothing');
  await crashing.close();
  const next = await scene.browser.newPage();
  await next.goto(scene.link);
  await next.waitForFunction(() => (window.matinee?.stats().heldBytes.disk ?? 0) > 1e6);
  assert.is(await pieceFiles(watcher), 1, 'only its own file is left');
  await next.close();
  await untilNoPieceFile(scene, watcher);
  await watcher.close();
});

spill.run();

/** A page of the same site that opens no room. */
async function openWatcher({ browser, server }: Scene): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(server.url);
  return page;
}

async function pieceFiles(page: Page): Promise<number> {
  return (await pieceFileNames(page)).length;
}

function pieceFileNames(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const folder = await navigator.storage.getDirectory();
    const names: string[] = [];
    for await (const name of folder.keys()) if (name.startsWith('matinee-')) names.push(name);
    return names;
  });
}

/** A tab that closes has a moment to remove its file. Where the machine was too busy for that, the next visit does it. */
async function untilNoPieceFile({ browser, link }: Scene, watcher: Page): Promise<void> {
  const nextVisitMs = performance.now() + 5_000;
  const deadlineMs = performance.now() + PATIENCE_MS;
  const left = await pieceFileNames(watcher);
  let visit: Page | null = null;
  while ((await pieceFileNames(watcher)).some((name) => left.includes(name))) {
    if (performance.now() > deadlineMs) throw new Error('the file of a closed tab is still there');
    if (performance.now() > nextVisitMs && !visit) {
      tell('The tab had no time to remove its file: the next visit is to do it.');
      visit = await browser.newPage();
      await visit.goto(link);
    }
    await watcher.waitForTimeout(50);
  }
  await visit?.close();
}

/** Notes every 20 ms how much is held in memory; the returned function tells the most there was. */
async function watchMemory(page: Page): Promise<() => Promise<number>> {
  const most = await page.evaluateHandle(() => {
    const noted = { bytes: 0 };
    setInterval(() => {
      noted.bytes = Math.max(noted.bytes, window.matinee?.stats().heldBytes.memory ?? 0);
    }, 20);
    return noted;
  });
  return () => most.evaluate(({ bytes }) => bytes);
}

/** Bytes of all array buffers that the page's own thread keeps alive. */
async function buffersInHeap(browser: BrowserContext, page: Page): Promise<number> {
  const line = await browser.newCDPSession(page);
  await line.send('HeapProfiler.collectGarbage');
  const usage = await line.send('Runtime.getHeapUsage');
  await line.detach();
  return usage.backingStorageSize;
}

function firstBufferedS(page: Page): Promise<number> {
  return page.evaluate(() => document.querySelector('video')?.buffered.start(0) ?? 0);
}

function inMb(bytes: number): string {
  return `${(bytes / MB).toFixed(1)} MB`;
}
