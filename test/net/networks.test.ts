import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  PATIENCE_MS,
  playback,
  say,
  stats,
  untilBuffered,
  untilMembers,
  untilOrigin,
  untilPlaying,
  visit,
} from '../e2e/pages.ts';
import { findBrowser, launchBrowser } from '../tools/browser.ts';
import { rootFolder } from '../tools/cache-folder.ts';
import { generatedClip } from '../tools/clips.ts';
import { hasCoturn, startCoturn } from '../tools/coturn.ts';
import { canMakeNetworks, Networks, SERVER_ADDRESS } from '../tools/namespaces.ts';
import { runProgram } from '../tools/run-program.ts';
import { type RunningServer, startBuiltServer } from '../tools/running-server.ts';
import { tell } from '../tools/tell.ts';
import { temporaryFolder } from '../tools/temporary-folder.ts';
import { dryStops, watchForDryStops } from './dry-stops.ts';

const WEB_PORT = 8080;
const TURN_PORT = 3478;
const TURN_SECRET = 'the secret of both';

/** The 5 s, and as much again for a machine that runs two browsers and a server beside. */
const RECOVERY_MS = 10_000;

/** How often somebody moves. */
const MOVES = Number(process.env.MATINEE_MOVES ?? 1);

interface State {
  links: { kind: 'origin' | 'member'; route: 'direct' | 'turn' | 'broker' }[];
  chat: string[];
  fromOriginBytes: number;
  fromPeersBytes: number;
  fromHttpBytes: number;
}

/** A viewer in a home of its own: test/net/member.ts. */
class Viewer {
  readonly #child: ChildProcess;
  #state: State | null = null;
  #onState: () => void = () => {};

  constructor(within: readonly string[], link: string) {
    const [file = '', ...args] = [...within, process.execPath, '--import', 'tsx', 'test/net/member.ts', link];
    this.#child = spawn(file, args, { cwd: rootFolder, stdio: ['pipe', 'pipe', 'inherit'] });
    const { stdout } = this.#child;
    if (!stdout) throw new Error('no stdout');
    createInterface(stdout).on('line', (line) => {
      this.#state = JSON.parse(line) as State;
      this.#onState();
    });
  }

  say(text: string): void {
    this.#child.stdin?.write(`${text}\n`);
  }

  /** Resolves once it is so; rejects with the last state where that takes too long. */
  async until(isSo: (state: State) => boolean, withinMs = 2 * PATIENCE_MS): Promise<State> {
    const atMs = performance.now() + withinMs;
    for (;;) {
      if (this.#state && isSo(this.#state)) return this.#state;
      const leftMs = atMs - performance.now();
      if (leftMs <= 0) throw new Error(`it never was so: ${JSON.stringify(this.#state)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#onState = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  close(): void {
    this.#child.stdin?.end();
  }
}

interface Bench {
  networks: Networks;
  server: RunningServer;
  link: string;
  folder: string;
  viewers: Viewer[];
}

/** A server on a small internet with a film on it, as it is without a configuration, or with coturn beside it. */
async function withNetworks(
  { hasTurn, durationS = 20 }: { hasTurn: boolean; durationS?: number },
  body: (bench: Bench) => Promise<void>,
): Promise<void> {
  const networks = await Networks.open();
  const { path: folder, remove } = await temporaryFolder();
  const endings: (() => Promise<unknown>)[] = [remove, () => networks.close()];
  const viewers: Viewer[] = [];
  try {
    if (hasTurn) {
      const at = { address: SERVER_ADDRESS, port: TURN_PORT, within: networks.server };
      const coturn = await startCoturn({ ...at, secret: TURN_SECRET });
      endings.unshift(() => coturn.stop());
    }
    const turn = { TURN_URLS: `turn:${SERVER_ADDRESS}:${TURN_PORT}`, TURN_SECRET };
    // Unset, the server's own STUN is on where no TURN server is named.
    const env = { HOST: SERVER_ADDRESS, STUN_PORT: '', ...(hasTurn && turn) };
    const server = await startBuiltServer({ env, port: WEB_PORT, within: networks.server });
    endings.unshift(() => server.stop());
    const clip = await generatedClip({ durationS });
    const [file = '', ...args] = [...networks.server, 'npm', 'run', '-s', 'host', '--', clip.path];
    const output = await runProgram(file, [...args, '--server', server.url], { cwd: rootFolder });
    const link = output.trim().split('\n').at(-1) ?? '';
    await body({ networks, server, link, folder, viewers });
  } finally {
    for (const viewer of viewers) viewer.close();
    for (const end of endings) await end();
  }
}

/** Bytes of the film that a page has received, from wherever. */
async function receivedBytes(page: Page): Promise<number> {
  const { origin, peers, http } = (await stats(page)).bytesReceived;
  return origin + peers + http;
}

/** Runs in the page: whether it has received more of the film than that. */
function moreThan(bytes: number): boolean {
  const { origin = 0, peers = 0, http = 0 } = window.matinee?.stats().bytesReceived ?? {};
  return origin + peers + http > bytes;
}

const isLinked = (route: string) => (state: State) =>
  state.links.some((link) => link.kind === 'member' && link.route === route);

if ((await canMakeNetworks()) && (await hasCoturn())) {
  const behind = suite('viewers behind routers');

  behind('should connect directly, each behind a NAT of its own, by the server’s own STUN', () =>
    withNetworks({ hasTurn: false }, async ({ networks, link, viewers }) => {
      for (let i = 0; i < 2; i++) viewers.push(new Viewer((await networks.home({})).within, link));
      for (const viewer of viewers) {
        const state = await viewer.until(isLinked('direct'));
        assert.ok(state.links.every(({ route }) => route === 'direct'));
      }
    }),
  );

  behind('should connect by TURN where both are symmetric, with a password of the signaling server', () =>
    withNetworks({ hasTurn: true }, async ({ networks, link, viewers }) => {
      for (let i = 0; i < 2; i++)
        viewers.push(new Viewer((await networks.home({ isSymmetric: true })).within, link));
      for (const viewer of viewers) await viewer.until(isLinked('turn'));
      viewers[0]?.say('Through the relay');
      await viewers[1]?.until(({ chat }) => chat.includes('Through the relay'));
    }),
  );

  behind(
    'should get the film by HTTP and the chat through signaling, in a browser, where only the web is let through',
    () =>
      withNetworks({ hasTurn: true }, async ({ networks, link, folder, viewers }) => {
        const home = await networks.home({ onlyTcpPort: WEB_PORT });
        const executablePath = await networks.launcher(folder, home.within, await findBrowser());
        const browser = await launchBrowser({ executablePath });
        try {
          const other = new Viewer((await networks.home({})).within, link);
          viewers.push(other);
          const { page, errors } = await visit(browser, link);
          await untilPlaying(page);
          const { bytesReceived, connection } = await stats(page);
          assert.equal([bytesReceived.origin, bytesReceived.peers, connection], [0, 0, 'server']);
          assert.ok(bytesReceived.http > 0);
          await page.getByTestId('swarm').locator('summary').first().click();
          const way = page.getByTestId('connection');
          assert.is(await way.getAttribute('data-way'), 'server');
          assert.match((await way.textContent()) ?? '', /through the server alone \(HTTP\)/);
          await other.until(({ links }) => links.length > 0);
          other.say('Hello from outside');
          await page.getByText('Hello from outside').waitFor();
          await page.getByTestId('chat-input').fill('Hello from within');
          await page.getByTestId('chat-input').press('Enter');
          await other.until(({ chat }) => chat.includes('Hello from within'));
          await page.waitForFunction(() => document.querySelector('video')?.ended, undefined, {
            timeout: 60_000,
          });
          assert.is((await stats(page)).rejectedPieces, 0);
          // On plain http browsers say that they ignore this header.
          assert.equal(
            errors.filter((error) => !error.includes('Cross-Origin-Opener-Policy')),
            [],
          );
        } finally {
          await browser.close();
        }
      }),
  );

  behind('should carry on within 5 s of a move to another network, where they were in the film', () =>
    withNetworks({ hasTurn: false, durationS: 180 }, async ({ networks, link, folder, viewers }) => {
      const home = await networks.home({});
      const executablePath = await networks.launcher(folder, home.within, await findBrowser());
      const browser = await launchBrowser({ executablePath });
      try {
        const other = new Viewer((await networks.home({})).within, link);
        viewers.push(other);
        const { page } = await visit(browser, link);
        await untilPlaying(page);
        for (let move = 1; move <= MOVES; move++) {
          await untilOrigin(page, true);
          await untilMembers(page, 1);
          await untilBuffered(page, 10);
          await watchForDryStops(page);
          const { currentTime } = await playback(page);
          await networks.move(home);
          const movedMs = performance.now();
          const took = async (what: Promise<unknown>): Promise<number> => {
            await what;
            return Math.round(performance.now() - movedMs);
          };
          const before = await receivedBytes(page);
          other.say(`Are you there? ${move}`);
          await say(page, `Here I am. ${move}`);
          const [hearsMs, isHeardMs, filmMs] = await Promise.all([
            took(page.getByText(`Are you there? ${move}`).waitFor()),
            took(other.until(({ chat }) => chat.includes(`Here I am. ${move}`))),
            took(page.waitForFunction(moreThan, before)),
          ]);
          tell(
            `After a move to another network: heard in ${isHeardMs} ms, hears in ${hearsMs} ms, film in ${filmMs} ms.`,
          );
          assert.is(await dryStops(page), 0, 'nobody saw it');
          assert.ok((await playback(page)).currentTime > currentTime, 'the place was not lost');
          assert.is(await page.getByText(`Are you there? ${move}`).count(), 1);
          assert.ok(Math.max(hearsMs, isHeardMs, filmMs) < RECOVERY_MS);
        }
      } finally {
        await browser.close();
      }
    }),
  );

  behind.run();
}
