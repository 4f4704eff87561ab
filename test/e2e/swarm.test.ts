import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { launchBrowser } from '../tools/browser.ts';
import { lightClip, mainClip } from '../tools/clips.ts';
import { originLine } from '../tools/origin-line.ts';
import { type RunningServer, startBuiltServer } from '../tools/running-server.ts';
import { hostFromCommandLine } from './host-cli.ts';
import {
  beyondLostConnections,
  PATIENCE_MS,
  playback,
  playOn,
  seek,
  stats,
  untilBuffered,
  untilEnded,
  untilOrigin,
  untilPlaying,
  visit,
} from './pages.ts';

/** The made clips have a key frame this often, and a segment begins at each. */
const SEGMENT_S = 2;

const swarm = suite<{ browser: Browser }>('swarm in real browsers');

swarm.before(async (context) => {
  context.browser = await launchBrowser();
});

swarm.after(({ browser }) => browser.close());

// How smoothly a crowd plays over a narrow origin is judged on the simulator's clock, where no machine is busy; here is
// judged what makes it possible at all.
swarm(
  'should carry two viewers over an origin that sends less than twice the bitrate',
  async ({ browser }) => {
    const clip = await lightClip(40);
    const server = await startBuiltServer({ env: originLine(clip, 1.7) });
    try {
      const link = await hostFromCommandLine(clip.path, server.url);
      const first = await visit(browser, link);
      await untilPlaying(first.page);
      const second = await visit(browser, link);
      await untilPlaying(second.page);
      for (const { page } of [first, second]) {
        await untilEnded(page, clip.durationS * 1000 + 2 * PATIENCE_MS);
        const { isEnded, error } = await playback(page);
        assert.equal([isEnded, error], [true, null]);
      }
      const both = await Promise.all(
        [first, second].map(async ({ page }) => (await stats(page)).bytesReceived),
      );
      const originBytes = both.reduce((sum, { origin }) => sum + origin, 0);
      assert.ok(originBytes < 1.35 * clip.sizeBytes, `the origin sent ${originBytes} of ${clip.sizeBytes}`);
      for (const viewer of [first, second]) {
        assert.equal(viewer.errors, []);
        await viewer.context.close();
      }
    } finally {
      await server.stop();
    }
  },
);

swarm(
  'should finish from each other when the seed server dies and each lacks what the other holds',
  async ({ browser }) => {
    const clip = await lightClip(160);
    const server = await startBuiltServer();
    try {
      const link = await hostFromCommandLine(clip.path, server.url);
      const sizes = await segmentSizes(server);
      const totalBytes = sum(sizes);
      const stands = { rate: 0, isOnOwn: true };
      const [ann, ben] = await Promise.all([visit(browser, link, stands), visit(browser, link, stands)]);
      const pages = [ann.page, ben.page];
      for (const page of pages)
        await page.waitForFunction(() => window.matinee?.stats().connectedPeers === 2);

      // A viewer fetches a minute ahead and keeps it. Ann stays in the first two minutes and holds those, whole.
      const inFirstMinutes = (minutes: number): number =>
        sum(sizes.slice(0, 1 + (minutes * 60 + 2) / SEGMENT_S));
      await untilHolding(ann.page, inFirstMinutes(1));
      await seek(ann.page, 61);
      await untilHolding(ann.page, inFirstMinutes(2));
      // Ben holds no more than the first minute and the last forty seconds; of those his player has all.
      await seek(ben.page, 120.5);
      await untilBuffered(ben.page, 39);
      assert.is(await heldBytes(ann.page), inFirstMinutes(2), 'Ann has nothing of the end');
      const benBytes = await heldBytes(ben.page);
      assert.ok(benBytes < 0.7 * totalBytes, `Ben has ${benBytes} of ${totalBytes}, nothing of the middle`);

      await server.kill('SIGKILL');
      for (const page of pages) await untilOrigin(page, false);
      const before = await Promise.all(pages.map(stats));
      await seek(ben.page, 58);
      for (const page of pages) await playOn(page, 8);
      for (const [i, page] of pages.entries()) {
        await untilEnded(page, 2 * PATIENCE_MS);
        assert.is((await playback(page)).error, null);
        const { bytesReceived } = await stats(page);
        assert.is(bytesReceived.origin, before[i]?.bytesReceived.origin, 'nothing came from the dead origin');
        const gained = bytesReceived.peers - (before[i]?.bytesReceived.peers ?? 0);
        assert.ok(gained > 0.2 * totalBytes, `only ${gained} of ${totalBytes} came from the other`);
      }
      for (const { context, errors } of [ann, ben]) {
        assert.equal(beyondLostConnections(errors), []);
        await context.close();
      }
    } finally {
      await server.stop().catch(() => undefined);
    }
  },
);

swarm(
  'should outlive the origin process: HTTP and signaling stay, viewers reconnect',
  async ({ browser }) => {
    const clip = await mainClip();
    const server = await startBuiltServer({ env: { LOG_LEVEL: 'info' } });
    try {
      const link = await hostFromCommandLine(clip.path, server.url);
      const viewer = await visit(browser, link);
      await untilPlaying(viewer.page);
      const pid = Number(/"originPid":(\d+)/.exec(server.log())?.[1]);
      assert.ok(pid > 0, `no pid of the origin process in the log: ${server.log()}`);
      process.kill(pid, 'SIGKILL');
      await untilOrigin(viewer.page, false);
      assert.ok((await fetch(`${server.url}/api/health`)).ok);
      await untilOrigin(viewer.page, true);
      const { origin } = (await stats(viewer.page)).bytesReceived;
      await seek(viewer.page, clip.durationS - 5);
      await untilEnded(viewer.page, PATIENCE_MS);
      assert.ok((await stats(viewer.page)).bytesReceived.origin > origin, 'the new origin process serves');
      await viewer.context.close();
    } finally {
      await server.stop();
    }
  },
);

swarm.run();

/** Sizes of the segments of the only room of a server, as they lie in its store; the init segment first. */
async function segmentSizes({ dataDir }: RunningServer): Promise<number[]> {
  const files = await readdir(dataDir, { recursive: true });
  const folder = files.find((name) => basename(name) === 'segments') ?? '';
  const names = files.filter((name) => dirname(name) === folder).sort((a, b) => +basename(a) - +basename(b));
  return Promise.all(names.map(async (name) => (await stat(join(dataDir, name))).size));
}

/** Bytes of pieces that the page keeps. */
async function heldBytes(page: Page): Promise<number> {
  const { memory, disk } = (await stats(page)).heldBytes;
  return memory + disk;
}

async function untilHolding(page: Page, bytes: number): Promise<void> {
  await page.waitForFunction((wanted) => {
    const { memory = 0, disk = 0 } = window.matinee?.stats().heldBytes ?? {};
    return memory + disk >= wanted;
  }, bytes);
}

function sum(bytes: readonly number[]): number {
  return bytes.reduce((total, each) => total + each, 0);
}
