import type { Page } from 'playwright-core';
import { hostFromCommandLine } from '../e2e/host-cli.ts';
import { untilPlaying, visit } from '../e2e/pages.ts';
import { launchBrowser } from '../tools/browser.ts';
import { generatedClip } from '../tools/clips.ts';
import { startBuiltServer } from '../tools/running-server.ts';
import { median, type Report } from './report.ts';

const DURATION_S = 120;
const ROUNDS = 4;
const MEASURED_MS = 8_000;

/** One floats 3.4 s, so that three do at any time. */
const CHEER_EVERY_MS = 1_100;

/** Frames that reactions may cost. */
const GOAL = 0.95;

/** Frames a second of a page that a 1080p film fills, with three reactions floating over it, against the same page without; turn by turn. Needs `npm run build`. */
export async function measureReactions(): Promise<Report> {
  const clip = await generatedClip({ durationS: DURATION_S, widthPx: 1920, heightPx: 1080 });
  const server = await startBuiltServer();
  const browser = await launchBrowser();
  try {
    const { page } = await visit(browser, await hostFromCommandLine(clip.path, server.url));
    await page.setViewportSize({ width: 1920, height: 1080 });
    await untilPlaying(page);
    await page.getByTestId('player').waitFor();
    await page.getByTestId('cheer').first().waitFor();
    await page.keyboard.press('f');
    await page.waitForFunction(() => document.querySelector('video')?.clientHeight === 1080);
    const figures: { ours: number; baseline: number }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const baseline = await framesPerSec(page, 0);
      figures.push({ baseline, ours: await framesPerSec(page, CHEER_EVERY_MS) });
      await page.getByTestId('floating').first().waitFor({ state: 'detached' });
    }
    return {
      name: 'a 1080p film with three reactions floating over it, headless and drawn by the processor',
      unit: 'frames/s',
      ours: median(figures.map(({ ours }) => ours)),
      baseline: median(figures.map(({ baseline }) => baseline)),
      baselineName: 'without them',
      goal: GOAL,
    };
  } finally {
    await browser.close();
    await server.stop();
  }
}

/** Frames a second of this page; with a reaction every so many milliseconds, 0: none. */
function framesPerSec(page: Page, cheerEveryMs: number): Promise<number> {
  return page.evaluate(
    async ([everyMs, measuredMs]) => {
      const button = document.querySelector<HTMLElement>('[data-testid=cheer]');
      const timer = everyMs > 0 ? setInterval(() => button?.click(), everyMs) : undefined;
      // Until three of them float.
      await new Promise((resolve) => setTimeout(resolve, 3 * everyMs));
      const startMs = await new Promise<number>(requestAnimationFrame);
      let [nowMs, count] = [startMs, 0];
      for (; nowMs - startMs < measuredMs; count++) nowMs = await new Promise<number>(requestAnimationFrame);
      clearInterval(timer);
      return (count * 1000) / (nowMs - startMs);
    },
    [cheerEveryMs, MEASURED_MS] as const,
  );
}
