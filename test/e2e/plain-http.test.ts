import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { launchBrowser } from '../tools/browser.ts';
import { lightClip } from '../tools/clips.ts';
import { startBuiltServer } from '../tools/running-server.ts';
import { hostThroughPage, say, stats, untilMembers, untilPlaying, visit } from './pages.ts';

/** A machine on a network at home: a name that browsers trust no more than any other. */
const NAME = 'cinema.lan';

/** What the browser says of a header that only counts where the address is trusted. */
const IGNORED = /^The Cross-Origin-Opener-Policy header has been ignored/;

const plain = suite('a server on plain http, at a name of the local network');

plain('should host, play, pass pieces on and talk all the same, without Web Crypto', async () => {
  const server = await startBuiltServer();
  const browser = await launchBrowser({ args: [`--host-resolver-rules=MAP ${NAME} 127.0.0.1`] });
  try {
    const url = new URL(server.url);
    url.hostname = NAME;
    const host = await visit(browser, url.href);
    const isSecure = await host.page.evaluate(() => isSecureContext || crypto.subtle !== undefined);
    assert.is(isSecure, false, 'else this would test nothing');
    const link = await hostThroughPage(host.page, (await lightClip(20)).path);
    assert.is(new URL(link).hostname, NAME);
    const [ann, ben] = [await visit(browser, link), await visit(browser, link)];
    for (const { page } of [ann, ben]) await untilPlaying(page);
    await untilMembers(ann.page, 1);
    await say(ann.page, 'no lock in the address bar');
    await ben.page.getByTestId('chat-line').filter({ hasText: 'no lock' }).waitFor();
    const { connection, rejectedPieces } = await stats(ben.page);
    assert.equal([connection, rejectedPieces], ['direct', 0]);
    for (const { errors } of [host, ann, ben])
      assert.equal(
        errors.filter((error) => !IGNORED.test(error)),
        [],
      );
  } finally {
    await browser.close();
    await server.stop();
  }
});

plain.run();
