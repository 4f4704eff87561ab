import { once } from 'node:events';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { WebSocket } from 'ws';
import { clientAddress, trustedProxies } from '../../signaling/client-address.ts';
import { Gate, limitsWith } from '../../signaling/gate.ts';
import { Rates } from '../../signaling/rate.ts';
import { joinOf, memberKey, OTHER_ROOM, RawClient, withServer } from '../tools/signaling-fixture.ts';

/** Resolves with how the server answers an upgrade: 101, or the status of its refusal. */
async function upgrade(url: string, options: { from?: string; forwarded?: string } = {}) {
  const socket = new WebSocket(url, {
    localAddress: options.from ?? '127.0.0.1',
    headers: options.forwarded ? { 'x-forwarded-for': options.forwarded } : {},
  });
  const answer = await Promise.race([
    once(socket, 'open').then(() => ({ status: 101, retryAfter: undefined })),
    once(socket, 'unexpected-response').then(([, response]) => ({
      status: response.statusCode as number,
      retryAfter: response.headers['retry-after'] as string | undefined,
    })),
  ]);
  socket.on('error', () => {});
  return { ...answer, socket };
}

async function statusOf(url: string, options: { from?: string; forwarded?: string } = {}): Promise<number> {
  return (await upgrade(url, options)).status;
}

const connecting = suite('signaling connections');

connecting(
  'should be refused beyond so many from one address, while another connects, and taken again once one has ended',
  withServer(
    async ({ url, signaling }) => {
      const { socket } = await upgrade(url);
      assert.is(await statusOf(url), 101);
      const refused = await upgrade(url);
      assert.equal([refused.status, refused.retryAfter], [429, '5']);
      assert.is(await statusOf(url, { from: '127.0.0.2' }), 101);
      assert.is(signaling.counts().connections, 3);
      socket.terminate();
      while (signaling.counts().connections > 2) await new Promise(setImmediate);
      assert.is(await statusOf(url), 101);
    },
    { limits: { connectionsPerAddress: 2 } },
  ),
);

connecting(
  'should come no faster than so many a second from one address',
  withServer(
    async ({ url }) => {
      for (let i = 0; i < 3; i++) (await upgrade(url)).socket.terminate();
      assert.is(await statusOf(url), 429);
      assert.is(await statusOf(url, { from: '127.0.0.2' }), 101);
    },
    { limits: { burstPerAddress: 3, perSecPerAddress: 0.001 } },
  ),
);

connecting(
  'should be bounded in all',
  withServer(
    async ({ url }) => {
      assert.is(await statusOf(url), 101);
      assert.is(await statusOf(url, { from: '127.0.0.2' }), 429);
    },
    { limits: { connections: 1 } },
  ),
);

connecting(
  'should count for who is behind a trusted proxy',
  withServer(
    async ({ url }) => {
      assert.is(await statusOf(url, { forwarded: '198.51.100.1' }), 101);
      assert.is(await statusOf(url, { forwarded: '198.51.100.1' }), 429);
      assert.is(await statusOf(url, { forwarded: '198.51.100.2' }), 101);
    },
    { limits: { connectionsPerAddress: 1 }, addressOf: clientAddress(trustedProxies(['loopback'])) },
  ),
);

connecting(
  'should not be counted any longer where the handshake failed',
  withServer(
    async ({ url }) => {
      for (let i = 0; i < 5; i++) {
        const headers = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '1' };
        const request = await import('node:http').then(({ get }) =>
          get(url.replace('ws', 'http'), { headers }),
        );
        const [response] = await once(request, 'response');
        assert.is(response.statusCode, 400);
        response.resume();
        await once(response, 'close');
      }
      assert.is(await statusOf(url), 101);
    },
    { limits: { connectionsPerAddress: 2 } },
  ),
);

connecting(
  'should join one room no faster than its limit, where strangers do not count',
  withServer(
    async ({ url }) => {
      for (let i = 0; i < 3; i++) {
        const stranger = await RawClient.openWith(url, joinOf(memberKey(i), undefined, 'x'.repeat(43)));
        assert.is((await stranger.next('error')).code, 'TOKEN_WRONG');
      }
      for (let i = 0; i < 2; i++) await RawClient.join(url, memberKey(i));
      const refused = await RawClient.openWith(url, joinOf(memberKey(2)));
      assert.is((await refused.next('error')).code, 'TOO_MANY');
      assert.is(await refused.closed, 1013);
      await RawClient.join(url, memberKey(2), OTHER_ROOM);
    },
    { limits: { joinBurstPerRoom: 2, joinsPerSecPerRoom: 0.001 } },
  ),
);

connecting.run();

const buckets = suite('buckets');

buckets('should be forgotten beyond their number, the one used longest ago first', () => {
  const rates = new Rates(1, 0.001, 3);
  for (const key of ['a', 'b', 'c']) assert.ok(rates.canTake(key, 0));
  assert.not(rates.canTake('a', 1));
  for (let i = 0; i < 100; i++) rates.canTake(`x${i}`, 2);
  assert.is(rates.size, 3);
  assert.not(rates.canTake('x99', 3));
  assert.ok(rates.canTake('a', 3));
});

buckets('should let nobody leave more than they entered', () => {
  const gate = new Gate(limitsWith({ connections: 2, connectionsPerAddress: 2 }));
  assert.ok(gate.canEnter('a', 0));
  assert.ok(gate.canEnter('a', 0));
  assert.not(gate.canEnter('a', 0));
  assert.not(gate.canEnter('b', 0));
  gate.leave('a');
  assert.ok(gate.canEnter('b', 0));
  assert.not(gate.canEnter('a', 0));
});

buckets.run();
