import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { launchBrowser } from '../tools/browser.ts';
import { generatedClip, lightClip } from '../tools/clips.ts';
import { originLine } from '../tools/origin-line.ts';
import { startBuiltServer } from '../tools/running-server.ts';
import { tell } from '../tools/tell.ts';
import { hostFromCommandLine } from './host-cli.ts';
import { stats, untilPlaying } from './pages.ts';

/** In a crowd on a small uplink these bytes are the start-up time. */
const MAX_BYTES = 120_000;

/** Each costs a request: the page's own, and a few that it shares with others. */
const MAX_SCRIPTS = 6;

/** So much of the film is at hand before anything else is loaded; so long after the first picture, or without one, it is loaded anyway. */
const LEISURE_S = 4;
const WITH_PICTURE_MS = 3_000;
const WITHOUT_PICTURE_MS = 8_000;

const weight = suite('the weight of the room page');

weight('should stay within its budget up to the first frame, and bring nothing of the host’s', async () => {
  const clip = await generatedClip({ durationS: 10 });
  const server = await startBuiltServer();
  const browser = await launchBrowser();
  try {
    const link = await hostFromCommandLine(clip.path, server.url);
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(link);
    await untilPlaying(page);
    const { startupMs } = await stats(page);
    assert.ok(startupMs);
    const loaded = await page.evaluate((beforeMs) => {
      const entries = [
        ...performance.getEntriesByType('navigation'),
        ...performance.getEntriesByType('resource'),
      ];
      return (entries as PerformanceResourceTiming[])
        .filter(({ startTime }) => startTime <= beforeMs)
        .map(({ name, transferSize }) => ({ name, sizeBytes: transferSize }));
    }, startupMs ?? 0);
    const urls = loaded.map(({ name }) => name);
    const receivedBytes = loaded.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    tell(`${receivedBytes} bytes before the first frame`);
    assert.ok(receivedBytes > 30_000, `counted ${receivedBytes}`);
    assert.ok(receivedBytes <= MAX_BYTES, `${receivedBytes} bytes before the first frame`);
    const scripts = urls.filter((url) => new URL(url).pathname.endsWith('.js'));
    assert.ok(scripts.length <= MAX_SCRIPTS, scripts.join(' '));
    assert.equal(
      urls.filter((url) => /host|noble/.test(new URL(url).pathname)),
      [],
    );
  } finally {
    await browser.close();
    await server.stop();
  }
});

weight('should have its socket before the rest of its scripts, and no other one', async () => {
  const clip = await generatedClip({ durationS: 10 });
  const server = await startBuiltServer();
  const browser = await launchBrowser();
  try {
    const link = await hostFromCommandLine(clip.path, server.url);
    const page = await (await browser.newContext()).newPage();
    const sockets: string[] = [];
    page.on('websocket', (socket) => sockets.push(socket.url()));
    const opened = page.waitForEvent('websocket');
    const greeted = opened.then((socket) => socket.waitForEvent('framereceived'));
    // Whatever takes part in a room comes once the server has said hello: a page without that would wait for ever.
    await page.route('**/assets/member-*.js', async (route) => {
      await greeted;
      await route.continue();
    });
    await page.goto(link);
    await untilPlaying(page);
    assert.equal(sockets, [`${server.url.replace('http', 'ws')}/signal`]);
  } finally {
    await browser.close();
    await server.stop();
  }
});

weight(
  'should leave a slow line to the first seconds of the film, before it loads the talk and the controls',
  async () => {
    const clip = await lightClip(20);
    const server = await startBuiltServer({ env: originLine(clip, 1.1) });
    const browser = await launchBrowser();
    try {
      const link = await hostFromCommandLine(clip.path, server.url);
      const page = await (await browser.newContext()).newPage();
      const seen = new Map<string, { nowMs: number; startupMs: number | null; bufferedS: number }>();
      await page.route(/\/(Side|Cheers|PlayerControls)-.*\.js$/, async (route) => {
        const [, part = ''] = /\/(\w+)-[^/]*$/.exec(route.request().url()) ?? [];
        const { startupMs, bufferedS } = await stats(page);
        const nowMs = await page.evaluate(() => performance.now());
        seen.set(part, { nowMs, startupMs, bufferedS });
        await route.continue();
      });
      await page.goto(link);
      await untilPlaying(page);
      await page.getByTestId('player').waitFor();
      await page.getByTestId('chat-log').waitFor();
      assert.equal([...seen.keys()].sort(), ['Cheers', 'PlayerControls', 'Side']);
      for (const [part, { nowMs, startupMs, bufferedS }] of seen) {
        const atLastMs = startupMs === null ? WITHOUT_PICTURE_MS : startupMs + WITH_PICTURE_MS;
        assert.ok(
          bufferedS >= LEISURE_S || nowMs >= atLastMs,
          `${part} came after ${nowMs} ms, the first picture after ${startupMs} ms, with ${bufferedS} s at hand`,
        );
      }
    } finally {
      await browser.close();
      await server.stop();
    }
  },
);

weight.run();
