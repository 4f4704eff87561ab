import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { build } from 'vite';
import { launchBrowser } from '../tools/browser.ts';
import { generatedClip } from '../tools/clips.ts';
import { mbPerS, PACKAGED_CLIP, remuxAndEncrypt } from './package-copy.ts';
import { median, type Report } from './report.ts';

const ROUNDS = 3;

/**
 * The same as in Node, in a worker of Chromium's: what the home page's worker does with a dropped file but for its pictures and the
 * upload, by the same functions. Whoever drops the file is Playwright.
 */
export async function benchPackagingInBrowser(): Promise<Report> {
  const clip = await generatedClip(PACKAGED_CLIP);
  const server = await serve(await bundleWorker());
  const browser = await launchBrowser();
  const [ours, theirs]: [number[], number[]] = [[], []];
  try {
    const page = await browser.newPage();
    await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
    for (let round = 0; round < ROUNDS; round += 1) {
      ours.push(clip.sizeBytes / 1e3 / (await packageMs(page, clip.path)));
      theirs.push(await mbPerS(clip.sizeBytes, () => remuxAndEncrypt(clip.path)));
    }
  } finally {
    await browser.close();
    server.close();
  }
  return {
    name: 'packaging, copied, in Chromium',
    unit: 'MB/s',
    ours: median(ours),
    baseline: median(theirs),
    baselineName: 'ffmpeg -c copy | openssl enc',
    goal: 0.5,
  };
}

/** Milliseconds in a worker that is new, as that of each upload is. */
async function packageMs(page: Page, path: string): Promise<number> {
  const input = page.locator('input');
  await input.setInputFiles(path);
  return await input.evaluate(
    (element) =>
      new Promise<number>((resolve, reject) => {
        const worker = new Worker('/worker.js', { type: 'module' });
        worker.onmessage = ({ data }) => {
          worker.terminate();
          resolve(data);
        };
        worker.onerror = ({ message }) => reject(new Error(message));
        worker.postMessage((element as HTMLInputElement).files?.[0]);
      }),
  );
}

/** The scripts of the worker by their paths, bundled as the home page's are. */
async function bundleWorker(): Promise<Map<string, string>> {
  const result = await build({
    configFile: false,
    logLevel: 'warn',
    build: {
      write: false,
      modulePreload: false,
      rolldownOptions: {
        input: fileURLToPath(new URL('./package-in-browser.worker.ts', import.meta.url)),
        output: { entryFileNames: 'worker.js' },
      },
    },
  });
  if (!('output' in result)) throw new Error('The bundler gave no files.');
  return new Map(
    result.output.flatMap((file) => (file.type === 'chunk' ? [[`/${file.fileName}`, file.code]] : [])),
  );
}

/** On localhost, where browsers give Web Crypto. */
async function serve(scripts: ReadonlyMap<string, string>): Promise<Server> {
  const server = createServer(({ url = '/' }, response) => {
    const script = scripts.get(url);
    response.setHeader('content-type', script === undefined ? 'text/html' : 'text/javascript');
    response.end(script ?? '<!doctype html><title>Packaging</title><input type="file">');
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  return server;
}
