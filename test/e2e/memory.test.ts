import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { launchBrowser } from '../tools/browser.ts';
import { generatedClip } from '../tools/clips.ts';
import { canMeasureMemory, childrenOf, memoryOfTree, watchMemory } from '../tools/process-memory.ts';
import { startBuiltServer } from '../tools/running-server.ts';
import { tell } from '../tools/tell.ts';
import { hostThroughPage } from './pages.ts';

/** `npm run test:memory` asks for 2 GB; the run with all tests is shorter and holds page and server to the same bound. */
const FILE_BYTES = Number(process.env.MATINEE_MEMORY_BYTES || 400_000_000);
const MAX_GROWTH_BYTES = 300_000_000;
/** The host's, and those that send for it: one, and for a moment some that only wait for their last answers. */
const MAX_WORKERS = 6;
/** 10 Mbit/s: a good film. */
const FILE_BYTES_PER_SEC = 1_250_000;
const MB = 1e6;

const memory = suite('memory');

memory('should not grow with the file that is hosted', async () => {
  if (!canMeasureMemory) {
    tell('SKIPPED: only Linux tells what a tree of processes really holds.');
    return;
  }
  const clip = await generatedClip({
    durationS: Math.round(FILE_BYTES / FILE_BYTES_PER_SEC),
    sizeBytes: FILE_BYTES,
  });
  const server = await startBuiltServer();
  const others = await childrenOf(process.pid);
  const browser = await launchBrowser();
  const browserPid = (await childrenOf(process.pid)).find((pid) => !others.includes(pid)) ?? 0;
  try {
    const page = await (await browser.newContext()).newPage();
    page.setDefaultTimeout(FILE_BYTES / 1000);
    let mostWorkers = 0;
    page.on('worker', () => {
      mostWorkers = Math.max(mostWorkers, page.workers().length);
    });
    await page.goto(server.url);
    const idle = { page: await memoryOfTree(browserPid), server: await memoryOfTree(server.pid) };
    const watched = { page: watchMemory(browserPid), server: watchMemory(server.pid) };
    const startMs = performance.now();
    await hostThroughPage(page, clip.path, FILE_BYTES / 1000);
    const seconds = (performance.now() - startMs) / 1000;
    const growth = {
      page: (await watched.page()) - idle.page,
      server: (await watched.server()) - idle.server,
    };
    const figures = Object.entries(growth).map(([who, bytes]) => `${who} +${Math.round(bytes / MB)} MB`);
    tell(`${Math.round(clip.sizeBytes / MB)} MB hosted in ${seconds.toFixed(0)} s: ${figures.join(', ')}`);
    assert.ok(mostWorkers > 1 && mostWorkers <= MAX_WORKERS, `${mostWorkers} workers at once`);
    assert.is(page.workers().length, 0, 'workers that outlived the upload');
    assert.ok(growth.server < MAX_GROWTH_BYTES, `the server grew by ${growth.server}`);
    assert.ok(growth.page < MAX_GROWTH_BYTES, `the page grew by ${growth.page}`);
  } finally {
    await browser.close();
    await server.stop();
  }
});

memory.run();
