import type { Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { launchBrowser } from '../tools/browser.ts';
import { lightClip } from '../tools/clips.ts';
import { originLine } from '../tools/origin-line.ts';
import { startBuiltServer } from '../tools/running-server.ts';
import { hostFromCommandLine } from './host-cli.ts';
import { PATIENCE_MS, playback, untilPlaying } from './pages.ts';

declare global {
  interface Window {
    /** Set by watchBuffer: how often a jump met half a segment in the parser, and the buffer busy. */
    caughtCount?: number;
    /** Whether bytes of a segment are missing that has begun. */
    isHalfIn?: () => boolean;
  }
}

const PLACES_S = [50, 100, 25, 125, 75, 145];

const jumps = suite('a jump while the player gives up what was played');

jumps('should go on at its place, whatever of a segment was in the parser', async () => {
  const clip = await lightClip(160);
  // Hardly faster than it plays: nearly always a part of a segment is missing.
  const server = await startBuiltServer({ env: originLine(clip, 1.3) });
  const browser = await launchBrowser();
  try {
    const link = await hostFromCommandLine(clip.path, server.url);
    const page = await browser.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    await page.addInitScript(watchBuffer);
    await page.goto(link);
    await untilPlaying(page);
    // Each meets the player in another state: reading pieces, or waiting for them.
    for (const placeS of PLACES_S) {
      await page.waitForFunction(() => document.querySelector('video')?.error || window.isHalfIn?.());
      await jump(page, placeS);
    }
    const caughtCount = await page.evaluate(() => window.caughtCount ?? 0);
    assert.ok(caughtCount > PLACES_S.length / 2, `it came to it ${caughtCount} times`);
    await page.waitForFunction((atS) => {
      const video = document.querySelector('video');
      return video?.error || (video?.currentTime ?? 0) > atS + 3;
    }, PLACES_S.at(-1) ?? 0);
    assert.is((await playback(page)).error, null);
  } finally {
    await browser.close();
    await server.stop();
  }
});

jumps.run();

function jump(page: Page, toS: number): Promise<void> {
  return page.evaluate(async (atS) => {
    const video = document.querySelector('video');
    if (!video) throw new Error('no video element');
    const hasBegun = new Promise((resolve) => video.addEventListener('seeking', resolve, { once: true }));
    video.currentTime = atS;
    await hasBegun;
  }, toS);
}

/**
 * Runs in the page before its scripts: when a jump begins while half a segment is in the parser, the buffer is given something
 * to forget, as the player does by itself now and then, just before the player hears of the jump.
 */
function watchBuffer(): void {
  const { addSourceBuffer } = MediaSource.prototype;
  MediaSource.prototype.addSourceBuffer = function (this: MediaSource, mime: string): SourceBuffer {
    const buffer = addSourceBuffer.call(this, mime);
    const { appendBuffer } = buffer;
    let [leftBytes, isAfterMoof] = [0, false];
    buffer.appendBuffer = (data: BufferSource) => {
      const bytes = ArrayBuffer.isView(data)
        ? new DataView(data.buffer, data.byteOffset, data.byteLength)
        : new DataView(data);
      for (let at = 0; at < bytes.byteLength; ) {
        if (leftBytes === 0) {
          leftBytes = bytes.getUint32(at);
          isAfterMoof = bytes.getUint32(at + 4) === 0x6d6f6f66;
        }
        const takenBytes = Math.min(leftBytes, bytes.byteLength - at);
        leftBytes -= takenBytes;
        at += takenBytes;
      }
      appendBuffer.call(buffer, data);
    };
    const { abort } = buffer;
    buffer.abort = () => {
      leftBytes = 0;
      isAfterMoof = false;
      abort.call(buffer);
    };
    window.isHalfIn = () => (leftBytes > 0 || isAfterMoof) && !buffer.updating;
    document.addEventListener(
      'seeking',
      () => {
        if (!window.isHalfIn?.()) return;
        buffer.remove(0, 0.001);
        window.caughtCount = (window.caughtCount ?? 0) + 1;
      },
      true,
    );
    return buffer;
  };
}
