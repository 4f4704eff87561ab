import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { launchBrowser } from '../tools/browser.ts';
import { type Clip, lightClip } from '../tools/clips.ts';
import { filmWithTexts } from '../tools/film-with-texts.ts';
import { findFfmpeg } from '../tools/media-tools.ts';
import { runProgram } from '../tools/run-program.ts';
import { type RunningServer, startBuiltServer } from '../tools/running-server.ts';
import { temporaryFolder } from '../tools/temporary-folder.ts';
import { stats, untilPlaying, visit } from './pages.ts';

const SRT = `1\r
00:00:01,000 --> 00:00:02,500\r
{\\an8}Guten <i>Morgen</i>, <font color="red">Welt</font>\r
\r
2\r
00:00:02,000 --> 00:00:04,000\r
a < b & <script>alert(1)</script>\r
`;

const VTT = `WEBVTT

NOTE a remark

00:03.000 --> 00:05.000 line:0
Forced line
`;

const extras = suite<{ server: RunningServer; browser: Browser; clip: Clip }>('what goes with a film');

extras.before(async (context) => {
  context.clip = await lightClip(20);
  context.server = await startBuiltServer();
  context.browser = await launchBrowser();
});

extras.after(async ({ browser, server }) => {
  await browser.close();
  await server.stop();
});

/** A file as the browser's file dialog gives it. */
function file(name: string, text: string | Buffer) {
  return { name, mimeType: '', buffer: Buffer.from(text) };
}

/** The text tracks of the media element, with what they would show. */
function tracks(page: Page) {
  return page.evaluate(() => {
    const list = [...(document.querySelector('video')?.textTracks ?? [])];
    return list.map((track) => {
      const { kind, label, language, mode } = track;
      // A track that is not shown keeps its cues to itself.
      if (mode === 'disabled') track.mode = 'hidden';
      const cues = [...(track.cues ?? [])].map((cue) => [
        cue.startTime,
        cue.endTime,
        (cue as VTTCue).getCueAsHTML().textContent,
      ]);
      track.mode = mode;
      return { kind, label, language, mode, cues };
    });
  });
}

extras(
  'should show dropped subtitles to a viewer, encrypted on the way',
  async ({ server, browser, clip }) => {
    const host = await visit(browser, server.url);
    const video = file('film.mp4', await readFile(clip.path));
    const subtitles = [file('film.de.srt', SRT), file('film.English.forced.vtt', VTT)];
    await host.page
      .getByTestId('drop-input')
      .setInputFiles([subtitles[0], video, subtitles[1]].map((f) => f ?? video));
    await host.page.locator('[data-testid=hosting][data-step=done]').waitFor();
    assert.match(await host.page.getByTestId('plan').innerText(), 'Subtitles: German, English (forced)');
    const link = await host.page.getByTestId('room-link').inputValue();

    const viewer = await visit(browser, link);
    await untilPlaying(viewer.page);
    await viewer.page.waitForFunction(() => document.querySelector('video')?.textTracks.length === 2);
    assert.equal(await tracks(viewer.page), [
      {
        kind: 'subtitles',
        label: 'German',
        language: 'de',
        mode: 'disabled',
        cues: [
          [1, 2.5, 'Guten Morgen, Welt'],
          [2, 4, 'a < b & alert(1)'],
        ],
      },
      {
        kind: 'subtitles',
        label: 'English (forced)',
        language: 'en',
        mode: 'showing',
        cues: [[3, 5, 'Forced line']],
      },
    ]);
    assert.is((await stats(viewer.page)).malformedExtras, 0);
    await viewer.page.waitForFunction(() => document.querySelector('video')?.poster.startsWith('blob:'));
    assert.equal(await pictureOf(viewer.page, 'poster'), { isDark: false, isWide: true, width: 640 });
    await viewer.page.waitForFunction(async () => (await window.matinee?.thumbnailAt(0)) ?? null);
    for (const atMs of [0, 12_000, clip.durationS * 1000])
      assert.equal(await pictureOf(viewer.page, atMs), { isDark: false, isWide: true, width: 160 });
    for (const words of ['Morgen', 'Forced', 'alert', 'German'])
      assert.is(await isStored(server.dataDir, words), false, `“${words}” can be read on the server`);
    assert.equal([viewer.errors, host.errors], [[], []]);
    await viewer.context.close();
    await host.context.close();
  },
);

extras('should show the text tracks of an MKV in the player’s menu', async ({ server, browser, clip }) => {
  const texts = [
    { language: 'eng', srt: SRT.replace('Guten', 'Good') },
    { language: 'ger', srt: SRT },
  ];
  const film = await filmWithTexts(clip, 'film.mkv', texts, ['-c:s', 'srt', '-disposition:s', '0']);
  const host = await visit(browser, server.url);
  await host.page.getByTestId('drop-input').setInputFiles([file('film.mkv', film)]);
  await host.page.locator('[data-testid=hosting][data-step=done]').waitFor();
  assert.match(await host.page.getByTestId('plan').innerText(), 'Subtitles: English, German');
  const viewer = await visit(browser, await host.page.getByTestId('room-link').inputValue());
  await untilPlaying(viewer.page);
  const menu = viewer.page.getByTestId('subtitles');
  await menu.locator('option', { hasText: 'German' }).waitFor({ state: 'attached' });
  assert.equal(await menu.locator('option').allInnerTexts(), ['No subtitles', 'English', 'German']);
  await menu.selectOption({ label: 'German' });
  assert.equal(
    (await tracks(viewer.page)).map(({ mode, cues }) => [mode, cues[0]]),
    [
      ['disabled', [1, 2.5, 'Good Morgen, Welt']],
      ['showing', [1, 2.5, 'Guten Morgen, Welt']],
    ],
  );
  assert.equal([viewer.errors, host.errors], [[], []]);
  await viewer.context.close();
  await host.context.close();
});

extras(
  'should show the cover of what has no pictures, and its title behind it',
  async ({ server, browser }) => {
    const host = await visit(browser, server.url);
    await host.page.getByTestId('drop-input').setInputFiles([file('A fine song.m4a', await songWithCover())]);
    await host.page.locator('[data-testid=hosting][data-step=done]').waitFor();
    const viewer = await visit(browser, await host.page.getByTestId('room-link').inputValue());
    await untilPlaying(viewer.page);
    assert.is(await viewer.page.getByTestId('sound').innerText(), 'A fine song');
    await viewer.page.waitForFunction(() => document.querySelector('video')?.poster.startsWith('blob:'));
    assert.equal(await pictureOf(viewer.page, 'poster'), { isDark: false, isWide: true, width: 600 });
    assert.equal([viewer.errors, host.errors], [[], []]);
    await viewer.context.close();
    await host.context.close();
  },
);

extras(
  'should say what is wrong with subtitles before anything is sent',
  async ({ server, browser, clip }) => {
    const host = await visit(browser, server.url);
    const input = host.page.getByTestId('drop-input');
    await input.setInputFiles([file('film.srt', SRT)]);
    await host.page.locator('[data-testid=error][data-code=FILE_NOT_VIDEO]').waitFor();
    assert.match(await host.page.getByTestId('error').innerText(), 'subtitles without a video');
    await input.setInputFiles([
      file('film.mp4', await readFile(clip.path)),
      file('film.srt', 'a shopping list'),
    ]);
    await host.page.locator('[data-testid=error][data-code=FILE_NOT_SUBTITLES]').waitFor();
    await host.context.close();
  },
);

extras.run();

/** Ten seconds of a tone, with a wide picture for its cover. */
async function songWithCover(): Promise<Buffer> {
  const folder = await temporaryFolder();
  const [cover, song] = [join(folder.path, 'cover.jpg'), join(folder.path, 'song.m4a')];
  const { ffmpeg } = await findFfmpeg();
  const drawn = ['-f', 'lavfi', '-i', 'testsrc2=s=600x300', '-frames:v', '1'];
  await runProgram(ffmpeg, ['-v', 'error', ...drawn, cover]);
  const tone = ['-f', 'lavfi', '-i', 'sine=330:duration=10', '-i', cover, '-map', '0', '-map', '1'];
  const copied = ['-c:a', 'aac', '-c:v', 'copy', '-disposition:v:0', 'attached_pic'];
  await runProgram(ffmpeg, ['-v', 'error', ...tone, ...copied, song]);
  const bytes = await readFile(song);
  await folder.remove();
  return bytes;
}

/** What the poster is like, or the small picture of a place. */
function pictureOf(page: Page, what: 'poster' | number) {
  return page.evaluate(async (wanted) => {
    const video = document.querySelector('video');
    const url = wanted === 'poster' ? video?.poster : (await window.matinee?.thumbnailAt(wanted))?.url;
    const image = new Image();
    image.src = url ?? '';
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext('2d');
    context?.drawImage(image, 0, 0);
    const { data = [] } = context?.getImageData(0, 0, image.width, image.height) ?? {};
    return {
      isDark: data.every((value, i) => i % 4 === 3 || value < 50),
      isWide: image.width > image.height,
      width: image.width,
    };
  }, what);
}

/** Whether a text is in any file of the data folder. */
async function isStored(folder: string, text: string): Promise<boolean> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    if ((await readFile(join(entry.parentPath, entry.name))).includes(text)) return true;
  }
  return false;
}
