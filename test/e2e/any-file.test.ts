import type { Browser, Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { launchBrowser } from '../tools/browser.ts';
import { lightClip, mediaFile, twoSounds } from '../tools/clips.ts';
import { type RunningServer, startBuiltServer } from '../tools/running-server.ts';
import { hostThroughPage, PATIENCE_MS, playback, seek, untilEnded, untilPlaying, visit } from './pages.ts';

const anyFile = suite<{ server: RunningServer; browser: Browser }>('whatever is dropped');

anyFile.before(async (context) => {
  context.server = await startBuiltServer();
  context.browser = await launchBrowser();
});

anyFile.after(async ({ browser, server }) => {
  await browser.close();
  await server.stop();
});

interface Playing {
  name: string;
  /** What the page says will happen. */
  plan: RegExp;
  durationS: number;
  widthPx: number;
  heightPx: number;
}

const playing: Playing[] = [
  {
    name: 'big-buck-bunny-720p-90s.mp4',
    plan: /Picture copied.*H\.264.*Sound copied.*AAC/s,
    durationS: 90,
    widthPx: 1280,
    heightPx: 720,
  },
  { name: 'iphone-portrait.MOV', plan: /copied.*copied/s, durationS: 2.07, widthPx: 320, heightPx: 568 },
  {
    name: 'big-buck-bunny-30s-vp8-vorbis.webm',
    plan: /copied.*VP8.*copied.*Vorbis/s,
    durationS: 30,
    widthPx: 1280,
    heightPx: 720,
  },
  {
    name: 'sintel-trailer-2-subtitles.mkv',
    plan: /copied.*copied/s,
    durationS: 52.17,
    widthPx: 480,
    heightPx: 204,
  },
  {
    name: 'h264-ac3-srt.mkv',
    plan: /Picture copied.*Sound converted.*AC-3.*Opus/s,
    durationS: 1.08,
    widthPx: 1080,
    heightPx: 720,
  },
  { name: 'rooftop-moov-at-end.mp4', plan: /copied.*copied/s, durationS: 17.06, widthPx: 640, heightPx: 360 },
  { name: 'test-card-no-audio.mp4', plan: /copied.*No sound/s, durationS: 16, widthPx: 640, heightPx: 480 },
  { name: 'c64-h264-aac.ts', plan: /copied.*copied/s, durationS: 8, widthPx: 1280, heightPx: 720 },
  { name: 'truncated-download.mp4', plan: /copied.*copied/s, durationS: 29.12, widthPx: 480, heightPx: 204 },
];

const converted = mediaFile('h264-ac3-srt.mkv');

if (converted !== null)
  anyFile(
    'should be added to an open room, too, where it has to be converted',
    async ({ browser, server }) => {
      const home = await visit(browser, server.url);
      const link = await hostThroughPage(home.page, (await lightClip(10)).path);
      await home.page.goto(link);
      const playlist = home.page.getByTestId('playlist');
      await playlist.getByTestId('drop-input').setInputFiles(converted);
      const start = playlist.getByTestId('plan-start');
      await start.waitFor();
      assert.match(await playlist.getByTestId('plan').innerText(), /Sound converted.*AC-3.*Opus/s);
      assert.is(await home.page.getByTestId('film').count(), 0, 'nothing is sent before');
      await start.click();
      await home.page.getByTestId('film-added').waitFor();
      await home.page.getByTestId('film').nth(1).getByTestId('show-film').click();
      // The film before may be at its end as well.
      await home.page.waitForFunction(() => {
        const video = document.querySelector('video');
        return video?.videoWidth === 1080 && (video.ended || video.error);
      });
      assert.is((await playback(home.page)).error, null);
      assert.equal(home.errors, []);
      await home.context.close();
    },
  );

anyFile(
  'should say of a film that is added all that is said of a first one, and let the host choose its sound',
  async ({ browser, server }) => {
    const home = await visit(browser, server.url);
    const link = await hostThroughPage(home.page, (await lightClip(10)).path);
    await home.page.goto(link);
    const playlist = home.page.getByTestId('playlist');
    const adding = playlist.getByTestId('adding-film');
    await playlist.getByTestId('drop-input').setInputFiles(await twoSounds());
    const sound = adding.getByTestId('plan-sound');
    await sound.waitFor();
    assert.equal(await sound.locator('option').allInnerTexts(), ['1 · English · AAC', '2 · German · Opus']);
    assert.is(await sound.inputValue(), '0', 'the default one first');
    assert.match(await adding.innerText(), /two-sounds.*0:02.*320 × 180.*[kM]B.*H\.264.*copied.*AAC/s);
    assert.ok(await adding.getByTestId('plan-small').isVisible());
    await sound.selectOption('1');
    await adding.getByTestId('plan').getByText('Opus').waitFor();
    await adding.getByTestId('plan-start').click();
    await home.page.getByTestId('film-added').waitFor();
    await home.page.getByTestId('film').nth(1).getByTestId('show-film').click();
    const viewer = await visit(browser, server.url);
    await viewer.page.addInitScript(() => {
      const add = MediaSource.prototype.addSourceBuffer;
      MediaSource.prototype.addSourceBuffer = function (mime) {
        Object.assign(window, { mime });
        return add.call(this, mime);
      };
    });
    await viewer.page.goto(link);
    await untilEnded(viewer.page, PATIENCE_MS);
    const mime = await viewer.page.evaluate(() => (window as { mime?: string }).mime);
    assert.match(mime ?? '', /avc1.*Opus/);
    assert.equal([home.errors, viewer.errors], [[], []]);
    await Promise.all([viewer.context.close(), home.context.close()]);
  },
);

for (const { name, plan, durationS, widthPx, heightPx } of playing) {
  const path = mediaFile(name);
  if (path === null) {
    process.stderr.write(`\n!!! NOT TESTED: ${name} is not in the media folder\n`);
    continue;
  }
  anyFile(`should play ${name} from its start to its end`, async ({ browser, server }) => {
    const host = await visit(browser, server.url);
    const link = await hostThroughPage(host.page, path);
    assert.match(await host.page.getByTestId('plan').innerText(), plan);
    const viewer = await visit(browser, link);
    if (durationS > 3) await untilPlaying(viewer.page);
    // The end is what goes wrong: a film of which the last seconds never come.
    if (durationS > 10) await seek(viewer.page, durationS - 4);
    await untilEnded(viewer.page, PATIENCE_MS);
    const played = await playback(viewer.page);
    assert.is(played.error, null);
    assert.ok(played.isEnded);
    assert.ok(Math.abs(played.duration - durationS) < 0.06, `lasts ${played.duration} s`);
    assert.equal([played.widthPx, await heightOf(viewer.page)], [widthPx, heightPx]);
    assert.equal([host.errors, viewer.errors], [[], []]);
    await Promise.all([viewer.context.close(), host.context.close()]);
  });
}

function heightOf(page: Page): Promise<number | undefined> {
  return page.evaluate(() => document.querySelector('video')?.videoHeight);
}

const refused: [name: string, code: string, sentence: RegExp][] = [
  // Chromium on Linux has no HEVC; where a browser decodes it the file plays.
  ['hevc-1080p-aac.mp4', 'CODEC_UNSUPPORTED', /HEVC.*this browser cannot decode.*Safari.*Chrome or Edge/s],
  ['mpeg4.avi', 'CODEC_UNSUPPORTED', /AVI.*MPEG-4 Part 2.*HandBrake/s],
  ['broken-no-moov.mp4', 'FILE_NOT_VIDEO', /index is missing.*Download it again/s],
];

for (const [name, code, sentence] of refused) {
  const path = mediaFile(name);
  if (path === null) continue;
  anyFile(`should refuse ${name} in a sentence, within a second`, async ({ browser, server }) => {
    const { page, context } = await visit(browser, server.url);
    await page.getByTestId('drop-input').setInputFiles(path);
    const card = page.getByTestId('error');
    await card.waitFor();
    assert.is(await card.getAttribute('data-code'), code);
    assert.match(await card.innerText(), sentence);
    await context.close();
  });
}

anyFile.run();
