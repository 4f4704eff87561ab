import type { Page } from 'playwright-core';

declare global {
  interface Window {
    dryStops?: number;
  }
}

/**
 * Has a page count from now on how often its film stands still with nothing to play. A busy machine makes a film stand still
 * too, with all of it there: that is not counted.
 */
export async function watchForDryStops(page: Page): Promise<void> {
  await page.evaluate(() => {
    window.dryStops = 0;
    const video = document.querySelector('video');
    video?.addEventListener('waiting', () => {
      const { buffered, currentTime } = video;
      const ends = Array.from({ length: buffered.length }, (_, i) => [buffered.start(i), buffered.end(i)]);
      const hasMore = ends.some(([start = 0, end = 0]) => start <= currentTime && end > currentTime + 0.5);
      if (!hasMore) window.dryStops = (window.dryStops ?? 0) + 1;
    });
  });
}

/** How often it did, of a page that was told to count. */
export async function dryStops(page: Page): Promise<number> {
  return page.evaluate(() => {
    if (window.dryStops === undefined) throw new Error('nobody told this page to count');
    return window.dryStops;
  });
}
