import { once } from 'node:events';
import { connect } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { WebSocket } from 'ws';
import { MAX_SIGNAL_CHARS, ORIGIN } from '../../signaling/messages.ts';
import {
  memberKey,
  OTHER_ROOM,
  openSignaling,
  RawClient,
  ROOM,
  refusedWith,
  until,
  withServer,
} from '../tools/signaling-fixture.ts';

const passing = suite('passing signals on');

passing(
  'should deliver between members, unread',
  withServer(async ({ url }) => {
    const a = await RawClient.join(url, memberKey(1));
    const b = await RawClient.join(url, memberKey(2));
    const data = '"\\\u0000 ✓ '.padEnd(MAX_SIGNAL_CHARS, 'x');
    a.client.send({ type: 'signal', to: b.id, data });
    assert.equal(await b.client.next('signal'), { type: 'signal', from: a.id, data });
  }),
);

passing(
  'should name others on request, without those that are known',
  withServer(async ({ url }) => {
    const ids = [];
    for (let i = 0; i < 4; i++) ids.push((await RawClient.join(url, memberKey(i))).id);
    const asks = await RawClient.join(url, memberKey(9));
    const [known = '', ...others] = ids;
    asks.client.send({ type: 'more', known: [known] });
    assert.equal((await asks.client.next('members')).members.sort(), others.sort());
  }),
);

passing(
  'should slow a member down that floods',
  withServer(async ({ url }) => {
    const { client, id } = await RawClient.join(url, memberKey(1));
    for (let i = 0; i < 300; i++) client.send({ type: 'signal', to: id, data: 'x' });
    const heard = [];
    for (;;) {
      const message = await client.next('signal').catch(() => null);
      if (!message) break;
      heard.push(message);
    }
    assert.ok(heard.length < 300, `${heard.length} of 300 went through`);
    assert.is(await client.closed, 1008);
  }),
);

passing(
  'should drop a member that does not read, and nobody else',
  withServer(async ({ url }) => {
    const reads = await RawClient.join(url, memberKey(1));
    const stuck = await RawClient.join(url, memberKey(2));
    stuck.client.socket.pause();
    const origin = await RawClient.serve(url);
    const data = 'x'.repeat(MAX_SIGNAL_CHARS);
    // Beyond what the kernel's buffers of both ends hold.
    for (let i = 0; i < 700; i++) origin.send({ type: 'signal', to: stuck.id, data, room: ROOM });
    assert.is((await origin.next('absent')).id, stuck.id);
    await reads.client.next('originHere');
    await reads.client.settled();
  }),
);

passing.run();

const origin = suite('the origin');

origin(
  'should be in every room and hear of which',
  withServer(async ({ url }) => {
    const served = await RawClient.serve(url);
    for (const room of [ROOM, OTHER_ROOM]) {
      const { client, id, welcome } = await RawClient.join(url, memberKey(1), room);
      assert.is(welcome.isOriginHere, true);
      assert.equal(welcome.members, []);
      client.send({ type: 'signal', to: ORIGIN, data: 'offer' });
      assert.equal(await served.next('signal'), { type: 'signal', from: id, data: 'offer', room });
      served.send({ type: 'signal', to: id, data: 'answer', room });
      assert.equal(await client.next('signal'), { type: 'signal', from: ORIGIN, data: 'answer' });
    }
  }),
);

origin(
  'should learn whom it cannot reach, and in which room',
  withServer(async ({ url }) => {
    const served = await RawClient.serve(url);
    const { id } = await RawClient.join(url, memberKey(1), ROOM);
    served.send({ type: 'signal', to: id, data: 'answer', room: OTHER_ROOM });
    assert.equal(await served.next('absent'), { type: 'absent', id, room: OTHER_ROOM });
  }),
);

origin(
  'should be announced to every member when it comes back',
  withServer(async ({ url }) => {
    const first = await RawClient.serve(url);
    const a = await RawClient.join(url, memberKey(1), ROOM);
    const b = await RawClient.join(url, memberKey(2), OTHER_ROOM);
    await first.close();
    await RawClient.serve(url);
    await a.client.next('originHere');
    await b.client.next('originHere');
  }),
);

origin(
  'should be missed while it is away',
  withServer(async ({ url, signaling }) => {
    const served = await RawClient.serve(url);
    const { client } = await RawClient.join(url, memberKey(1));
    await served.close();
    await until(() => !signaling.counts().isOriginHere);
    client.send({ type: 'signal', to: ORIGIN, data: 'offer' });
    assert.equal(await client.next('absent'), { type: 'absent', id: ORIGIN });
  }),
);

origin(
  'should replace an older one of itself',
  withServer(async ({ url }) => {
    const older = await RawClient.serve(url);
    const newer = await RawClient.serve(url);
    await refusedWith(older, 'TAKEN_OVER');
    const { client, id } = await RawClient.join(url, memberKey(1));
    client.send({ type: 'signal', to: ORIGIN, data: 'offer' });
    assert.is((await newer.next('signal')).from, id);
  }),
);

origin(
  'should not be anybody without its key',
  withServer(async ({ url, signaling }) => {
    const client = await RawClient.openWith(url, { type: 'serve', key: 'x'.repeat(30) });
    await refusedWith(client, 'TOKEN_WRONG');
    assert.is(signaling.counts().isOriginHere, false);
  }),
);

origin(
  'should not be anybody where the server has no key',
  withServer(
    async ({ url }) => {
      const client = await RawClient.openWith(url, { type: 'serve', key: 'null'.repeat(4) });
      await refusedWith(client, 'TOKEN_WRONG');
    },
    { originKey: null },
  ),
);

origin(
  'should say in which room it signals',
  withServer(async ({ url }) => {
    const served = await RawClient.serve(url);
    const { id } = await RawClient.join(url, memberKey(1));
    served.send({ type: 'signal', to: id, data: 'answer' });
    await refusedWith(served, 'REQUEST_MALFORMED');
  }),
);

origin.run();

const life = suite('the life of connections');

life(
  'should cut a connection that answers no ping',
  withServer(
    async ({ url, signaling }) => {
      const { client } = await RawClient.join(url, memberKey(1));
      client.socket.pause();
      await until(() => signaling.counts().members === 0);
      client.socket.resume();
      assert.is(await client.closed, 1006);
    },
    { heartbeatMs: 25 },
  ),
);

life(
  'should keep a connection that answers',
  withServer(
    async ({ url }) => {
      const { client } = await RawClient.join(url, memberKey(1));
      for (let pings = 0; pings < 4; pings++) await once(client.socket, 'ping');
      await client.settled();
    },
    { heartbeatMs: 25 },
  ),
);

life(
  'should answer another path with 404',
  withServer(async ({ url }) => {
    const socket = new WebSocket(url.replace('/signal', '/elsewhere'));
    const [error] = (await once(socket, 'error')) as [Error];
    assert.match(error.message, '404');
  }),
);

life('should say goodbye when the server ends, and cut who does not listen', async () => {
  const server = await openSignaling();
  const listens = await RawClient.join(server.url, memberKey(1));
  const deaf = await RawClient.join(server.url, memberKey(2));
  deaf.client.socket.pause();
  await server.close();
  assert.is(await listens.client.closed, 1001);
  deaf.client.socket.terminate();
});

life(
  'should survive a client that breaks off in the middle of its first line',
  withServer(async ({ url, http }) => {
    const { port } = http.address() as { port: number };
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write('GET /signal HTTP/1.1\r\nUpgrade: websocket\r\n');
    socket.destroy();
    await RawClient.join(url, memberKey(1));
  }),
);

life.run();
