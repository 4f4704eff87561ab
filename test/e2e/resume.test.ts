import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { toBase64url } from '../../peer/bytes.ts';
import { parseRoomLink } from '../../peer/room-link.ts';
import { ReadStore } from '../../seed-server/store/read-store.ts';
import { seededRandom } from '../sim/seeded-random.ts';
import { launchBrowser } from '../tools/browser.ts';
import { rootFolder } from '../tools/cache-folder.ts';
import { lightClip } from '../tools/clips.ts';
import { runProgram } from '../tools/run-program.ts';
import { type RunningServer, startBuiltServer } from '../tools/running-server.ts';
import { type SlowLine, slowLine } from '../tools/slow-line.ts';
import { extrasOfStored } from '../tools/stored-film.ts';
import { PATIENCE_MS, untilPlaying, visit } from './pages.ts';

/** Rerun a failure with the same moments. */
const SEED = Number(process.env.MATINEE_SEED ?? 5);
const KILLS = Number(process.env.MATINEE_KILLS ?? 2);
/** The main clip takes some 12 s at this rate. */
const SLOW_BYTES_PER_SEC = 1_500_000;

const resume = suite<{ server: RunningServer; browser: Browser; line: SlowLine; context: BrowserContext }>(
  'a host’s page that comes back',
);

resume.before(async (context) => {
  context.server = await startBuiltServer();
  context.browser = await launchBrowser();
});

resume.after(async ({ browser, server }) => {
  await browser.close();
  await server.stop();
});

resume.before.each(async (context) => {
  context.line = await slowLine(context.server.url, SLOW_BYTES_PER_SEC);
  context.context = await context.browser.newContext();
});

resume.after.each(async ({ line, context }) => {
  await context.close();
  await line.close();
});

async function home(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  await page.goto(url);
  return page;
}

/** Resolves once the page shows that this share (0 to 1) is uploaded. */
async function untilShare(page: Page, share: number): Promise<void> {
  await page.waitForFunction((wanted) => {
    const bar = document.querySelector<HTMLProgressElement>('[data-testid=progress]');
    return bar !== null && bar.value >= wanted;
  }, share);
}

declare global {
  interface Window {
    /** How often a stopped upload came into the list. */
    appearances?: number;
  }
}

/** Runs in the page. */
function countAppearances(): void {
  window.appearances = 0;
  new MutationObserver((changes) => {
    const added = changes
      .flatMap(({ addedNodes }) => [...addedNodes])
      .filter((node) => node instanceof Element);
    const uploads = '[data-testid=unfinished-upload]';
    const came = added.filter((node) => node.matches(uploads) || node.querySelector(uploads));
    window.appearances = (window.appearances ?? 0) + came.length;
  }).observe(document.body, { childList: true, subtree: true });
}

/** Resolves once all is stored; rejects with what the page shows where that takes for ever. */
async function untilDone(page: Page): Promise<void> {
  const done = page.locator('[data-testid=hosting][data-step=done]');
  await done.waitFor({ timeout: 4 * PATIENCE_MS }).catch(async (cause: unknown) => {
    throw new Error(`The upload does not end. The page says:\n${await page.innerText('main')}`, { cause });
  });
}

/** Ends the page and its worker, by turns as a person closes a tab and as a renderer crashes. */
async function kill(page: Page, isCrash: boolean): Promise<void> {
  if (isCrash) {
    const crashed = page.waitForEvent('crash');
    await page.goto('chrome://crash').catch(() => undefined);
    await crashed;
  }
  await page.close({ runBeforeUnload: false });
}

/** The film is stored as one upload makes it, its pictures once. */
async function assertStoredAsMade(dataDir: string, link: string, path: string): Promise<void> {
  assert.equal(await extrasOfStored(dataDir, link, path), ['poster', 'thumbnails'], 'each is there once');
}

resume(
  'should finish after many deaths, each time from where it stopped',
  async ({ server, line, context }) => {
    const clip = await lightClip(90);
    const random = seededRandom(SEED);
    const moments = Array.from({ length: KILLS }, () => random() * 0.95).sort((a, b) => a - b);
    let page = await home(context, line.url);
    await page.getByTestId('drop-input').setInputFiles(clip.path);
    for (const [i, share] of moments.entries()) {
      await untilShare(page, share);
      await kill(page, i % 2 === 1);
      page = await home(context, line.url);
      const again = page.getByTestId('unfinished-upload');
      await again.waitFor();
      assert.is(await again.count(), 1);
      await again.getByTestId('drop-input').setInputFiles(clip.path);
    }
    const link = await page.getByTestId('room-link').inputValue();
    await untilDone(page);
    await page.reload();
    await page.getByTestId('your-room').waitFor();
    assert.is(await page.getByTestId('unfinished').count(), 0);
    await assertStoredAsMade(server.dataDir, link, clip.path);
  },
);

resume('should refuse another file, and go on with the right one', async ({ server, line, context }) => {
  const clip = await lightClip(90);
  const other = await lightClip(10);
  let page = await home(context, line.url);
  await page.getByTestId('drop-input').setInputFiles(clip.path);
  await untilShare(page, 0.2);
  await kill(page, false);
  page = await home(context, line.url);
  const again = page.getByTestId('unfinished-upload').getByTestId('drop-input');
  await again.waitFor({ state: 'attached' });
  await page.evaluate(countAppearances);
  await again.setInputFiles(other.path);
  await page.locator('[data-testid=error][data-code=FILE_OTHER]').waitFor();
  await again.setInputFiles(clip.path);
  line.bytesPerSec = Number.POSITIVE_INFINITY;
  await untilDone(page);
  // Its place in the list came again after the refusal, and did not go and come once more: a file chosen in between was lost.
  assert.is(await page.evaluate(() => window.appearances), 1);
  await assertStoredAsMade(server.dataDir, await page.getByTestId('room-link').inputValue(), clip.path);
});

resume('should go on where the worker before has not let go of it yet', async ({ line, context }) => {
  const clip = await lightClip(90);
  let page = await home(context, line.url);
  await page.getByTestId('drop-input').setInputFiles(clip.path);
  await untilShare(page, 0.1);
  const lock = await page.evaluate(async () => {
    const { held = [] } = await navigator.locks.query();
    return held.find(({ name }) => name?.startsWith('matinee.upload '))?.name ?? '';
  });
  await kill(page, false);
  page = await home(context, line.url);
  const again = page.getByTestId('unfinished-upload').getByTestId('drop-input');
  await again.waitFor({ state: 'attached' });
  // Somebody has it until it is asked for.
  await page.evaluate(
    (wanted) =>
      new Promise<void>((resolve) => {
        void navigator.locks.request(wanted, async () => {
          resolve();
          for (;;) {
            const { pending = [] } = await navigator.locks.query();
            if (pending.some(({ name }) => name === wanted)) return;
            await new Promise(requestAnimationFrame);
          }
        });
      }),
    lock,
  );
  await again.setInputFiles(clip.path);
  line.bytesPerSec = Number.POSITIVE_INFINITY;
  await untilDone(page);
});

resume(
  'should go on by itself after a reload where the browser still opens the file',
  async ({ server, line, context, browser }) => {
    const clip = await lightClip(90);
    const page = await home(context, line.url);
    await choosesFromOwnFolder(page, clip.path);
    await page.locator('label', { has: page.getByTestId('drop-input') }).click();
    await untilShare(page, 0.3);
    const link = await page.getByTestId('room-link').inputValue();
    page.on('dialog', (dialog) => void dialog.accept());
    await page.reload();
    await untilShare(page, 0.3);
    const viewer = await visit(browser, link.replace(line.url, server.url));
    await untilPlaying(viewer.page);
    await untilDone(page);
    assert.is(await page.getByTestId('room-link').inputValue(), link);
    await assertStoredAsMade(server.dataDir, link, clip.path);
    await viewer.context.close();
  },
);

/** An upload of which a part is there, in a page that was closed; resolves with its room's link. */
async function stopOne(context: BrowserContext, line: SlowLine): Promise<string> {
  const page = await home(context, line.url);
  await page.getByTestId('drop-input').setInputFiles((await lightClip(90)).path);
  await untilShare(page, 0.3);
  const link = await page.getByTestId('room-link').inputValue();
  await kill(page, false);
  return link;
}

/** Resolves once the browser keeps nothing of any upload. */
async function untilNothingKept(page: Page): Promise<void> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  while (!(await isNothingKept(page))) {
    assert.ok(performance.now() < deadlineMs, 'something is still kept');
    await page.waitForTimeout(100);
  }
}

function isNothingKept(page: Page): Promise<boolean> {
  return page.evaluate(async () => {
    const opening = indexedDB.open('matinee.uploads');
    await new Promise((resolve) => opening.addEventListener('success', resolve));
    const transaction = opening.result.transaction(['uploads', 'batches']);
    const counts = ['uploads', 'batches'].map((name) => transaction.objectStore(name).count());
    await new Promise((resolve) => transaction.addEventListener('complete', resolve));
    opening.result.close();
    return counts.every(({ result }) => result === 0);
  });
}

resume('should forget after thirty days what nobody went on with', async ({ line, context }) => {
  await stopOne(context, line);
  const later = async (days: number): Promise<Page> => {
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    await page.clock.setFixedTime(Date.now() + days * 24 * 3_600_000);
    await page.goto(line.url);
    return page;
  };
  const soon = await later(29);
  await soon.getByTestId('unfinished-upload').waitFor();
  await soon.close();
  const late = await later(31);
  await untilNothingKept(late);
  assert.is(await late.getByTestId('unfinished').count(), 0);
});

resume('should offer nothing to go on with where the room is gone', async ({ server, line, context }) => {
  const link = await stopOne(context, line);
  const before = await home(context, line.url);
  await before.getByTestId('unfinished-upload').waitFor();
  await before.close();
  const env = { ...process.env, DATA_DIR: server.dataDir };
  await runProgram(
    process.execPath,
    [join(rootFolder, 'seed-server', 'bin.js'), 'rm', toBase64url(parseRoomLink(link).roomId)],
    { env },
  );
  const after = await home(context, line.url);
  await untilNothingKept(after);
  assert.is(await after.getByTestId('unfinished').count(), 0);
});

resume('should keep two uploads at once apart', async ({ server, line, context }) => {
  const clips = [await lightClip(90), await lightClip(60)];
  const pages = await Promise.all(clips.map(() => home(context, line.url)));
  await Promise.all(
    pages.map((page, i) => page.getByTestId('drop-input').setInputFiles(clips[i]?.path ?? '')),
  );
  await Promise.all(pages.map((page) => untilShare(page, 0.1)));
  const third = await home(context, line.url);
  await third.getByTestId('your-room').first().waitFor();
  assert.is(await third.getByTestId('unfinished').count(), 0, 'those under way are no leftovers');
  await Promise.all(pages.map((page) => kill(page, false)));
  await third.getByTestId('unfinished-upload').nth(1).waitFor();
  line.bytesPerSec = Number.POSITIVE_INFINITY;
  for (const clip of clips) {
    const name = (clip.path.split('/').at(-1) ?? '').replace(/\.mp4$/, '');
    const upload = third.getByTestId('unfinished-upload').filter({ hasText: name });
    await upload.getByTestId('drop-input').setInputFiles(clip.path);
    await untilDone(third);
    await assertStoredAsMade(server.dataDir, await third.getByTestId('room-link').inputValue(), clip.path);
    await third.getByTestId('another').click();
  }
});

resume('should stand still while paused, and go on after that', async ({ server, line, context }) => {
  const clip = await lightClip(90);
  const page = await home(context, line.url);
  await page.getByTestId('drop-input').setInputFiles(clip.path);
  await untilShare(page, 0.2);
  await page.getByTestId('pause').click();
  const link = await page.getByTestId('room-link').inputValue();
  const [store, { roomId }] = [new ReadStore(server.dataDir), parseRoomLink(link)];
  const stored = async (): Promise<number> => {
    const room = toBase64url(roomId);
    const [video = ''] = await store.listVideos(room);
    return (await store.storedSegments(room, video)).length;
  };
  let [before, now] = [-1, await stored()];
  // What was under way ends first.
  while (now !== before) {
    await page.waitForTimeout(1500);
    [before, now] = [now, await stored()];
  }
  await page.waitForTimeout(1500);
  assert.is(await stored(), now);
  assert.ok(now < 46, `${now} segments were stored`);
  await page.getByTestId('pause').click();
  await untilDone(page);
  await assertStoredAsMade(server.dataDir, link, clip.path);
});

resume.run();

/**
 * Puts the file into the page's own folder (OPFS) and has the file dialog, which no test can click through, choose it there: its
 * handle is a real one, which is kept and opened again as any other.
 */
async function choosesFromOwnFolder(page: Page, path: string): Promise<void> {
  const input = await page.evaluateHandle(() => {
    const element = document.createElement('input');
    element.type = 'file';
    document.body.append(element);
    return element;
  });
  await input.asElement()?.setInputFiles(path);
  await input.evaluate(async (element) => {
    const [file] = (element as HTMLInputElement).files ?? [];
    if (!file) throw new Error('no file');
    const root = await navigator.storage.getDirectory();
    const handle = await root.getFileHandle('film.mp4', { create: true });
    const writable = await handle.createWritable();
    await writable.write(file);
    await writable.close();
    element.remove();
    const page = window as { showOpenFilePicker?: () => Promise<FileSystemFileHandle[]> };
    page.showOpenFilePicker = () => Promise.resolve([handle]);
  });
}
