import type { Page } from 'playwright-core';
import { launchBrowser } from '../tools/browser.ts';
import { generatedClip } from '../tools/clips.ts';
import { startBuiltServer } from '../tools/running-server.ts';
import { median } from './report.ts';

const FILE_BYTES = 1_000_000_000;
/** Half an hour at 4.4 Mbit/s. */
const DURATION_S = 1800;
const ROUNDS = 3;
const GOAL_MS = 3000;
/** Milliseconds between looks: often enough, and no work in each frame of the page that is measured. */
const POLLING = { polling: 20 };

/** Milliseconds from the drop of a 1 GB file to a viewer's first frame, who opens the link as soon as there is one; on loopback. */
export async function measureFirstFrame(): Promise<number[]> {
  const clip = await generatedClip({ durationS: DURATION_S, sizeBytes: FILE_BYTES });
  const server = await startBuiltServer();
  const browser = await launchBrowser();
  const figures: number[] = [];
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const [home, room] = [await newPage(), await newPage()];
      await home.goto(server.url);
      const startMs = performance.now();
      await home.getByTestId('drop-input').setInputFiles(clip.path);
      await room.goto(await linkOf(home));
      await room.waitForFunction(() => (window.matinee?.stats().startupMs ?? null) !== null, null, POLLING);
      figures.push(performance.now() - startMs);
      await Promise.all([home, room].map((page) => page.context().close()));
    }
  } finally {
    await browser.close();
    await server.stop();
  }
  return figures;

  async function newPage(): Promise<Page> {
    const page = await (await browser.newContext()).newPage();
    page.setDefaultTimeout(120_000);
    return page;
  }
}

/** The room's link as soon as the page shows it: a locator looks every half second only. */
async function linkOf(home: Page): Promise<string> {
  const shown = await home.waitForFunction(
    () => document.querySelector<HTMLInputElement>('[data-testid="room-link"]')?.value,
    null,
    POLLING,
  );
  return (await shown.jsonValue()) ?? '';
}

/** The figures as a line for people. */
export function describeFirstFrame(figures: readonly number[]): string {
  const middleMs = median(figures);
  const all = figures.map((ms) => (ms / 1000).toFixed(1)).join(', ');
  const verdict = middleMs <= GOAL_MS ? 'reached' : 'missed';
  return `first frame of a viewer after the drop of 1 GB: ${(middleMs / 1000).toFixed(1)} s, the middle of ${all} (goal ${GOAL_MS / 1000} s: ${verdict})`;
}
