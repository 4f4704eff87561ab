import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { toBase64url } from '../../peer/bytes.ts';
import { parseRoomLink } from '../../peer/room-link.ts';
import { launchBrowser } from '../tools/browser.ts';
import { generatedClip, lightClip } from '../tools/clips.ts';
import { type RunningServer, startBuiltServer } from '../tools/running-server.ts';
import { type TemporaryFolder, temporaryFolder } from '../tools/temporary-folder.ts';
import { hostFromCommandLine } from './host-cli.ts';
import { hostThroughPage, PATIENCE_MS, untilEnded, untilPlaying, visit } from './pages.ts';

const failures = suite<{ server: RunningServer; browser: Browser; folder: TemporaryFolder }>(
  'what goes wrong',
);

failures.before(async (context) => {
  context.server = await startBuiltServer();
  context.browser = await launchBrowser();
  context.folder = await temporaryFolder();
});

failures.after(async ({ browser, server, folder }) => {
  await browser.close();
  await server.stop();
  await folder.remove();
});

/** The sentence and code that the page shows. */
async function shownError(page: Page): Promise<{ code: string | null; text: string }> {
  const card = page.getByTestId('error');
  await card.waitFor();
  return { code: await card.getAttribute('data-code'), text: await card.innerText() };
}

const ROOM = 'AAAAAAAAAAAAAAAAAAAAAA';
const SECRET = 'A'.repeat(43);

const links: [what: string, path: string, code: string, sentence: RegExp][] = [
  ['a link whose secret is missing', `/r/${ROOM}`, 'LINK_INCOMPLETE', /cut off.*#/is],
  ['a link whose secret is cut off', `/r/${ROOM}#${SECRET.slice(0, 20)}`, 'LINK_INCOMPLETE', /cut off/i],
  ['a link with a wrong room id', `/r/nonsense#${SECRET}`, 'LINK_MALFORMED', /link/i],
  ['a room that does not exist', `/r/${ROOM}#${SECRET}`, 'ROOM_UNKNOWN', /does not exist/i],
];

for (const [what, path, code, sentence] of links) {
  failures(`should say what is wrong with ${what}`, async ({ browser, server }) => {
    const { page, context } = await visit(browser, server.url + path);
    const shown = await shownError(page);
    assert.is(shown.code, code);
    assert.match(shown.text, sentence);
    await context.close();
  });
}

failures('should say so where the secret is another room’s', async ({ browser, server }) => {
  const clip = await lightClip(10);
  const link = await hostFromCommandLine(clip.path, server.url);
  const { page, context } = await visit(browser, link.replace(/#.*/, `#${SECRET}`));
  assert.is((await shownError(page)).code, 'TOKEN_WRONG');
  await context.close();
});

const files: [what: string, name: string, content: string | Uint8Array, code: string, sentence: RegExp][] = [
  ['an empty file', 'empty.mp4', '', 'FILE_EMPTY', /empty/i],
  ['a text', 'notes.txt', 'This is no film. '.repeat(1000), 'FILE_NOT_VIDEO', /video/i],
  [
    'noise with a film’s name',
    'film.mp4',
    new Uint8Array(200_000).map((_, i) => (i * 7919) >> 3),
    'FILE_NOT_VIDEO',
    /video/i,
  ],
];

for (const [what, name, content, code, sentence] of files) {
  failures(
    `should refuse ${what} in a sentence, and take the next file`,
    async ({ browser, server, folder }) => {
      const path = join(folder.path, name);
      await writeFile(path, content);
      const { page, context } = await visit(browser, server.url);
      await page.getByTestId('drop-input').setInputFiles(path);
      const shown = await shownError(page);
      assert.is(shown.code, code);
      assert.match(shown.text, sentence);
      const clip = await lightClip(10);
      assert.match(await hostThroughPage(page, clip.path), /\/r\//);
      await context.close();
    },
  );
}

failures('should say that the server is away at upload, and not hang', async ({ browser }) => {
  const clip = await lightClip(10);
  const server = await startBuiltServer();
  const { page, context } = await visit(browser, server.url);
  await server.stop();
  await page.getByTestId('drop-input').setInputFiles(clip.path);
  const shown = await shownError(page);
  assert.is(shown.code, 'SERVER_UNREACHABLE');
  assert.match(shown.text, /server/i);
  await context.close();
});

failures(
  'should say that the server is away at watch, and go on once it is back',
  async ({ browser, folder }) => {
    const clip = await lightClip(10);
    const dataDir = join(folder.path, 'data');
    const server = await startBuiltServer({ dataDir });
    const port = Number(new URL(server.url).port);
    const link = await hostFromCommandLine(clip.path, server.url);
    const { page, context } = await visit(browser, link);
    await untilPlaying(page);
    await server.stop();
    const problem = page.getByTestId('problem');
    await problem.waitFor();
    assert.match(await problem.innerText(), /server/i);
    const again = await startBuiltServer({ dataDir, port });
    await problem.waitFor({ state: 'detached' });
    await page.waitForFunction(() => window.matinee?.stats().isOriginConnected);
    await page.evaluate(() => void document.querySelector('video')?.play());
    await untilEnded(page, PATIENCE_MS);
    await context.close();
    await again.stop();
  },
);

failures('should take the room away again where the host cancels', async ({ browser, folder }) => {
  const dataDir = join(folder.path, 'cancelled');
  const clip = await generatedClip({ durationS: 320, sizeBytes: 400_000_000 });
  const own = await startBuiltServer({ dataDir });
  const { page, context } = await visit(browser, own.url);
  await page.getByTestId('drop-input').setInputFiles(clip.path);
  const link = page.getByTestId('room-link');
  await link.waitFor();
  const room = parseRoomLink(await link.inputValue());
  assert.equal(await readdir(join(dataDir, 'rooms')), [toBase64url(room.roomId)]);
  await page.getByTestId('cancel').click();
  await page.getByTestId('drop-input').waitFor({ state: 'attached' });
  const giveUpAtMs = performance.now() + PATIENCE_MS;
  while ((await readdir(join(dataDir, 'rooms'))).length > 0) {
    assert.ok(performance.now() < giveUpAtMs, 'the room is still there');
    await page.waitForTimeout(100);
  }
  await context.close();
  await own.stop();
});

failures.run();
