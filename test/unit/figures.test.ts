import { networkInterfaces } from 'node:os';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import { ask, failedWith } from '../tools/http-server.ts';
import { MadeRoom } from '../tools/made-room.ts';
import { type RunningServer, startServer } from '../tools/running-server.ts';
import { joinOf, memberKey, RawClient } from '../tools/signaling-fixture.ts';

const TOKEN = 'for-the-operator-only';
const crypto = await chooseCrypto();

async function withServer(env: Record<string, string>, body: (server: RunningServer) => Promise<void>) {
  const server = await startServer({ env });
  try {
    await body(server);
  } finally {
    await server.stop();
  }
}

/** The value of one line of /metrics. */
async function figure(server: RunningServer, name: string): Promise<number> {
  const { text } = await ask(`${server.url}/metrics`);
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1) ?? Number.NaN);
}

const figures = suite('the figures of a server');

figures(
  'should count rooms, members, joins, bytes, failures and what viewers say, without naming anybody',
  () =>
    withServer({}, async (server) => {
      const made = await MadeRoom.create(crypto);
      await ask(`${server.url}/api/rooms/${made.room}`, { method: 'PUT', body: await made.record() });
      failedWith(await ask(`${server.url}/api/rooms/${made.room}`), 403, 'TOKEN_WRONG');
      const url = `${server.url.replace('http', 'ws')}/signal`;
      const stranger = await RawClient.open(url);
      stranger.send(joinOf(memberKey(2), made.room, 'x'.repeat(43)));
      await stranger.next('error');
      const member = await RawClient.open(url);
      member.send(joinOf(memberKey(1), made.room, made.token));
      const { id, isOriginHere } = await member.next('welcome');
      if (!isOriginHere) await member.next('originHere');
      member.send({ type: 'report', origin: 1000, peers: 3000, http: 500 });
      member.send({ type: 'report', origin: 1, peers: 2, http: 3 });
      await member.settled();
      assert.is(await figure(server, 'matinee_stored_rooms'), 1);
      assert.is(await figure(server, 'matinee_rooms'), 1);
      assert.is(await figure(server, 'matinee_members'), 1);
      assert.is(await figure(server, 'matinee_joins_total'), 1);
      assert.is(await figure(server, 'matinee_origin_up'), 1);
      assert.is(await figure(server, 'matinee_origin_starts'), 1);
      assert.is(await figure(server, 'matinee_viewer_received_bytes_total{source="peers"}'), 3002);
      assert.is(await figure(server, 'matinee_viewer_received_bytes_total{source="http"}'), 503);
      assert.is(await figure(server, 'matinee_errors_total{by="http",code="TOKEN_WRONG"}'), 1);
      assert.is(await figure(server, 'matinee_errors_total{by="signaling",code="TOKEN_WRONG"}'), 1);
      const room = 'route="/api/rooms/:room"';
      assert.is(await figure(server, `matinee_http_requests_total{${room},method="PUT",status="201"}`), 1);
      assert.ok((await figure(server, `matinee_http_bytes_total{${room},direction="received"}`)) > 100);
      assert.ok((await figure(server, 'nodejs_eventloop_lag_p99_seconds')) >= 0);
      for (const path of ['/metrics', '/status']) {
        const { text } = await ask(server.url + path);
        for (const name of [made.room, made.token, id, '127.0.0.1']) assert.not.ok(text.includes(name), name);
      }
      const { text } = await ask(`${server.url}/status`);
      assert.match(text, /gave each other, as they say: 67 %/);
      assert.match(text, /<h2><span>Members<\/span><b>\d+<\/b><\/h2>/);
      assert.not.match(text, /<script|style=/);
      await member.close();
    }),
);

figures(
  'should be for this machine alone where there is no token, and not for who comes through a proxy on it',
  () =>
    withServer({ HOST: '0.0.0.0' }, async ({ url }) => {
      const port = new URL(url).port;
      for (const path of ['/metrics', '/status', '/status.css']) {
        assert.is((await ask(`http://127.0.0.1:${port}${path}`)).status, 200);
        const headers = { 'x-forwarded-for': '127.0.0.1' };
        failedWith(await ask(`http://127.0.0.1:${port}${path}`, { headers }), 401, 'FIGURES_GUARDED');
      }
      const outward = Object.values(networkInterfaces())
        .flat()
        .find((one) => one && !one.internal && one.family === 'IPv4');
      if (outward) failedWith(await ask(`http://${outward.address}:${port}/metrics`), 401, 'FIGURES_GUARDED');
      assert.is((await ask(`http://127.0.0.1:${port}/healthz`, { headers: { via: '1.1 x' } })).status, 200);
    }),
);

figures('should be for whoever says the token, wherever they are', () =>
  withServer({ METRICS_TOKEN: TOKEN }, async ({ url }) => {
    const asked = async (authorization: string) =>
      await ask(`${url}/metrics`, { headers: { authorization, 'x-forwarded-for': '192.0.2.1' } });
    const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
    assert.is((await asked(`Bearer ${TOKEN}`)).status, 200);
    assert.is((await asked(basic(`anybody:${TOKEN}`))).status, 200);
    for (const wrong of [`Bearer ${TOKEN}x`, basic(`${TOKEN}:`), basic('a:b'), TOKEN]) {
      const answer = await asked(wrong);
      failedWith(answer, 401, 'FIGURES_GUARDED');
      assert.match(answer.headers['www-authenticate'] ?? '', /^Basic realm=/);
    }
  }),
);

figures.run();
