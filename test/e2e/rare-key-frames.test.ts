import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { launchBrowser } from '../tools/browser.ts';
import { rareKeyFrames } from '../tools/clips.ts';
import { findFirefox, launchFirefox } from '../tools/firefox.ts';
import { originLine } from '../tools/origin-line.ts';
import { startBuiltServer } from '../tools/running-server.ts';
import { tell } from '../tools/tell.ts';
import { hostFromCommandLine } from './host-cli.ts';

/** A segment lasts as long as there is no key frame. */
const SEGMENT_S = 10;

const films = suite('a film with few key frames');

declare global {
  interface Window {
    /** Seconds of the film that the player had when the first picture was there. */
    hadS?: number;
  }
}

/** Runs in the page, before its own scripts. */
function noteFirstPicture(): void {
  // Such events do not bubble.
  addEventListener(
    'loadeddata',
    ({ target }) => {
      if (target instanceof HTMLVideoElement) window.hadS ??= target.buffered.end(0);
    },
    { capture: true },
  );
}

function isNoted(): number | undefined {
  return window.hadS;
}

films('should begin before its first segment is here, in each browser', async () => {
  const clip = await rareKeyFrames();
  // Of ten seconds a half would take five.
  const server = await startBuiltServer({ env: originLine(clip, 1.2) });
  const browser = await launchBrowser();
  const firefox = await findFirefox();
  const gecko = firefox === null ? null : await launchFirefox(firefox);
  if (!gecko) tell('NOT TESTED in Firefox: none is installed (Debian: apt-get install firefox-esr)');
  try {
    const link = await hostFromCommandLine(clip.path, server.url);
    const page = await browser.newPage();
    await page.addInitScript(noteFirstPicture);
    await page.goto(link);
    const inChromium = await (await page.waitForFunction(isNoted)).jsonValue();
    await page.close();
    assert.ok(inChromium && inChromium < SEGMENT_S / 2, `${inChromium} s`);
    tell(`the first picture in Chromium with ${inChromium} s of the film`);
    if (!gecko) return;
    const fox = await gecko.newPage();
    await fox.evaluateOnNewDocument(noteFirstPicture);
    await fox.goto(link);
    const inFirefox = await (await fox.waitForFunction(isNoted)).jsonValue();
    assert.ok(inFirefox && inFirefox < SEGMENT_S / 2, `${inFirefox} s`);
    tell(`the first picture in Firefox with ${inFirefox} s of the film`);
  } finally {
    await Promise.all([browser.close(), gecko?.close()]);
    await server.stop();
  }
});

films.run();
