import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { WebSocket } from 'ws';
import type { Bytes } from '../../peer/bytes.ts';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import { MAX_SEGMENT_BYTES } from '../../peer/limits.ts';
import { securityHeaders } from '../../seed-server/routes/security-headers.ts';
import { launchBrowser } from '../tools/browser.ts';
import { makeCertificate } from '../tools/certificates.ts';
import { lightClip } from '../tools/clips.ts';
import { ask } from '../tools/http-server.ts';
import { MadeRoom } from '../tools/made-room.ts';
import { findNginx, type Nginx, startNginx } from '../tools/nginx.ts';
import { startBuiltServer } from '../tools/running-server.ts';
import { joinOf, memberKey, RawClient } from '../tools/signaling-fixture.ts';
import { temporaryFolder } from '../tools/temporary-folder.ts';
import { hostThroughPage, say, untilPlaying, visit } from './pages.ts';

const PASSWORD = 'open sesame';

/** Tries of the host password that one address has. */
const TRIES = 5;

const program = await findNginx();
if (program !== null) {
  const behind = suite<{ nginx: Nginx; end: () => Promise<void> }>('a server behind nginx');

  behind.before(async (context) => {
    const { path: folder, remove } = await temporaryFolder();
    // The proxy's address alone is believed: this machine's others are clients here.
    const server = await startBuiltServer({ env: { TRUST_PROXY: '127.0.0.1', HOST_PASSWORD: PASSWORD } });
    const certificate = await makeCertificate(folder, 'nginx');
    context.nginx = await startNginx({ program, folder, certificate, behind: server.url });
    context.end = async () => {
      try {
        await context.nginx.stop();
      } finally {
        await server.stop();
        await remove();
      }
    };
  });

  behind.after(({ end }) => end());

  behind('should host, play and talk, over TLS', async ({ nginx }) => {
    const browser = await launchBrowser({ args: ['--ignore-certificate-errors'] });
    try {
      const host = await visit(browser, nginx.url);
      await host.page.getByTestId('host-password').fill(PASSWORD);
      const link = await hostThroughPage(host.page, (await lightClip(20)).path);
      const [ann, ben] = [await visit(browser, link), await visit(browser, link)];
      for (const { page } of [ann, ben]) await untilPlaying(page);
      await say(ann.page, 'through the proxy');
      await ben.page.getByText('through the proxy').waitFor();
      for (const { errors } of [ann, ben]) assert.equal(errors, []);
    } finally {
      await browser.close();
    }
  });

  behind('should take and give the largest segment, by ranges too, and let members in', async ({ nginx }) => {
    const made = await MadeRoom.create(await chooseCrypto());
    const room = `${nginx.url}/api/rooms/${made.room}`;
    const put = async (url: string, body: Bytes | null, status: number): Promise<void> => {
      const headers = { 'x-host-password': encodeURIComponent(PASSWORD) };
      const answer = await ask(url, { method: 'PUT', headers, body, isInsecure: true });
      assert.is(answer.status, status, answer.text);
    };
    await put(room, await made.record(), 201);
    const video = `${room}/videos/${made.video}`;
    await put(`${video}/manifest`, await made.grow(1000, MAX_SEGMENT_BYTES), 204);
    await put(`${video}/segments/1`, made.segments[1] ?? null, 204);

    const headers = { authorization: `Bearer ${made.token}`, range: 'bytes=5000000-5000999' };
    const part = await ask(`${video}/segments/1`, { headers, isInsecure: true });
    assert.is(part.status, 206);
    assert.is(part.headers['content-range'], `bytes 5000000-5000999/${MAX_SEGMENT_BYTES}`);
    assert.is(part.headers['content-length'], '1000');
    // One that comes twice would read "value, value".
    const wanted = securityHeaders(new URL(nginx.url).host);
    for (const [name, value] of Object.entries(wanted)) assert.is(part.headers[name], value, name);

    const signal = `${nginx.url.replace('https', 'wss')}/signal`;
    const member = await RawClient.over(new WebSocket(signal, { rejectUnauthorized: false }));
    member.send(joinOf(memberKey(1), made.room, made.token));
    await member.next('welcome');
    await member.close();

    const plain = await ask(`${nginx.plainUrl}/r/${made.room}`);
    assert.equal([plain.status, plain.headers.location], [301, `https://localhost/r/${made.room}`]);
  });

  behind('should know whom it talks to, whatever they say of themselves', async ({ nginx }) => {
    const made = await MadeRoom.create(await chooseCrypto());
    const body = await made.record();
    const guess = async (from: string, claimed: string): Promise<number> => {
      const headers = { 'x-host-password': 'a guess', 'x-forwarded-for': claimed };
      const url = `${nginx.url.replace('localhost', '127.0.0.1')}/api/rooms/${made.room}`;
      return (await ask(url, { method: 'PUT', headers, body, from, isInsecure: true })).status;
    };
    for (let i = 1; i <= TRIES; i++) assert.is(await guess('127.0.0.2', `198.51.100.${i}`), 403);
    assert.is(await guess('127.0.0.2', '198.51.100.99'), 429);
    assert.is(await guess('127.0.0.3', '127.0.0.2'), 403, 'another one still may');
    const figures = await ask(`${nginx.url}/metrics`, { isInsecure: true });
    assert.is(figures.status, 401, 'the operator’s figures are nobody’s by way of the proxy');
  });

  behind.run();
}
