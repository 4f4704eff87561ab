import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import { MatineeError } from '../../peer/errors.ts';
import { MAX_SEGMENT_BYTES } from '../../peer/limits.ts';
import { readBody } from '../../seed-server/routes/body.ts';
import { keepPace } from '../../seed-server/routes/body-pace.ts';
import { REQUEST_LIMITS } from '../../seed-server/routes/request-limits.ts';
import { trustedProxies } from '../../signaling/client-address.ts';
import { Rates } from '../../signaling/rate.ts';
import { ask, failedWith, type HttpServer, withHttp } from '../tools/http-server.ts';
import { MadeRoom } from '../tools/made-room.ts';

/** Another address of this machine than 127.0.0.1. */
const OTHER = '127.0.0.2';

const crypto = await chooseCrypto();

function roomUrl({ url, made }: HttpServer): string {
  return `${url}/api/rooms/${made.room}`;
}

async function register(server: HttpServer, headers: Record<string, string> = {}, from?: string) {
  const body = await server.made.record();
  return await ask(roomUrl(server), { method: 'PUT', body, headers, ...(from ? { from } : {}) });
}

const rates = suite('requests from one address');

rates(
  'should be answered TOO_MANY beyond their kind’s limit, and others’ still be served',
  withHttp({ requestLimits: { read: { count: 3, withinMs: 600_000 } } }, async (server) => {
    const health = `${server.url}/api/health`;
    for (let i = 0; i < 3; i++) assert.is((await ask(health)).status, 200);
    const refused = await ask(health);
    failedWith(refused, 429, 'TOO_MANY');
    const seconds = Number(refused.headers['retry-after']);
    assert.ok(seconds > 500 && seconds <= 600);
    assert.is(refused.headers['x-content-type-options'], 'nosniff');
    failedWith(await ask(`${server.url}/nothing`), 429, 'TOO_MANY');
    assert.is((await ask(health, { from: OTHER })).status, 200);
    assert.is((await register(server)).status, 201);
  }),
);

rates(
  'should be answered TOO_MANY beyond what one room’s members may ask together, which strangers do not use up',
  withHttp({ roomReads: new Rates(2, 0.001, 10) }, async (server) => {
    await register(server);
    const rules = `${roomUrl(server)}/rules`;
    const headers = { authorization: `Bearer ${server.made.token}` };
    for (let i = 0; i < 5; i++) failedWith(await ask(rules), 403, 'TOKEN_WRONG');
    failedWith(await ask(rules, { headers }), 404, 'NOT_FOUND');
    failedWith(await ask(rules, { headers, from: OTHER }), 404, 'NOT_FOUND');
    const refused = await ask(rules, { headers });
    failedWith(refused, 429, 'TOO_MANY');
    assert.ok(Number(refused.headers['retry-after']) > 0);
  }),
);

rates(
  'should make 30 rooms and no more',
  withHttp({}, async (server) => {
    for (let i = 0; i < REQUEST_LIMITS.register.count; i++) {
      const made = await MadeRoom.create(crypto);
      assert.is((await register({ ...server, made })).status, 201);
    }
    failedWith(await register(server), 429, 'TOO_MANY');
    assert.is((await register(server, {}, OTHER)).status, 201);
  }),
);

rates(
  'should guess 60 times and no more, while whoever has the right link still gets in from there',
  withHttp({}, async (server) => {
    await register(server);
    const { token } = server.made;
    const wrong = { authorization: `Bearer ${token.split('').reverse().join('')}` };
    const right = { authorization: `Bearer ${token}` };
    for (let i = 0; i < 30; i++)
      failedWith(await ask(roomUrl(server), { headers: wrong }), 403, 'TOKEN_WRONG');
    for (let i = 0; i < 30; i++) {
      failedWith(await ask(`${server.url}/api/rooms/${'A'.repeat(22)}`), 404, 'ROOM_UNKNOWN');
    }
    failedWith(await ask(roomUrl(server), { headers: wrong }), 429, 'TOO_MANY');
    failedWith(await ask(`${server.url}/api/rooms/${'A'.repeat(22)}`), 429, 'TOO_MANY');
    assert.is((await ask(roomUrl(server), { headers: right })).status, 200);
    failedWith(await ask(roomUrl(server), { headers: wrong, from: OTHER }), 403, 'TOKEN_WRONG');
  }),
);

rates('should be enough for 25 viewers that play 20 Mbit/s by pieces of 64 KiB', () => {
  const { count, withinMs } = REQUEST_LIMITS.read;
  assert.ok(count / (withinMs / 1000) >= (25 * 20_000_000) / 8 / 65_536);
});

rates(
  'should count for who is behind a trusted proxy, whatever others claim',
  withHttp(
    {
      requestLimits: { read: { count: 1, withinMs: 60_000 } },
      isTrustedProxy: trustedProxies(['127.0.0.1']),
    },
    async ({ url }) => {
      const read = async (forwarded: string, from = '127.0.0.1') =>
        (await ask(`${url}/api/health`, { from, headers: { 'x-forwarded-for': forwarded } })).status;
      assert.is(await read('198.51.100.1'), 200);
      assert.is(await read('198.51.100.1'), 429);
      assert.is(await read('203.0.113.5, 198.51.100.1'), 429);
      assert.is(await read('198.51.100.2'), 200);
      assert.is(await read('2001:db8:1:2::1'), 200);
      assert.is(await read('2001:db8:1:2:ffff::1'), 429);
      assert.is(await read('198.51.100.3', OTHER), 200);
      assert.is(await read('198.51.100.4', OTHER), 429);
    },
  ),
);

rates.run();

const password = suite('a server with a password for hosting');
const HOST_PASSWORD = 'öpen % sesame';
const hosting = { hostPassword: HOST_PASSWORD, maxRoomBytes: 5e9 };

password(
  'should register rooms of those who say it, and serve everybody else as ever',
  withHttp({ hosting }, async (server) => {
    assert.equal(JSON.parse((await ask(`${server.url}/api/hosting`)).text), {
      needsPassword: true,
      maxRoomBytes: 5e9,
    });
    failedWith(await register(server), 403, 'HOSTING_NEEDS_PASSWORD');
    failedWith(await register(server, { 'x-host-password': '%' }), 403, 'HOSTING_NEEDS_PASSWORD');
    assert.is(await server.store.roomRecord(server.made.room), null);
    const right = { 'x-host-password': encodeURIComponent(HOST_PASSWORD) };
    assert.is((await register(server, right)).status, 201);
    const headers = { authorization: `Bearer ${server.made.token}` };
    assert.is((await ask(roomUrl(server), { headers })).status, 200);
    assert.is((await ask(`${server.url}/api/health`)).status, 200);
  }),
);

password(
  'should let nobody guess it more than five times a minute',
  withHttp({ hosting }, async (server) => {
    for (let i = 0; i < 5; i++) {
      failedWith(await register(server, { 'x-host-password': `guess ${i}` }), 403, 'HOSTING_NEEDS_PASSWORD');
    }
    const right = { 'x-host-password': encodeURIComponent(HOST_PASSWORD) };
    failedWith(await register(server, right), 429, 'TOO_MANY');
    assert.is((await register(server, right, OTHER)).status, 201);
  }),
);

password(
  'should take a bare one of letters as well, for those who ask by hand',
  withHttp({ hosting: { ...hosting, hostPassword: '100%sure' } }, async (server) => {
    assert.is((await register(server, { 'x-host-password': '100%sure' })).status, 201);
  }),
);

password(
  'should say where there is none',
  withHttp({}, async (server) => {
    const answer = await ask(`${server.url}/api/hosting`);
    assert.equal(JSON.parse(answer.text), { needsPassword: false, maxRoomBytes: null });
  }),
);

password.run();

const pace = suite('a body’s pace');

/** Chunks that come so many milliseconds after they are asked for; how the source ended is told by `isClosed`. */
function source(chunks: readonly { afterMs: number; bytes: number }[]) {
  const state = { isClosed: false };
  async function* generate(): AsyncGenerator<Uint8Array> {
    try {
      for (const { afterMs, bytes } of chunks) {
        await new Promise((resolve) => setTimeout(resolve, afterMs));
        yield new Uint8Array(bytes);
      }
    } finally {
      state.isClosed = true;
    }
  }
  return { state, chunks: generate() };
}

async function takeAll(chunks: AsyncIterable<Uint8Array>): Promise<number> {
  let sum = 0;
  for await (const chunk of chunks) sum += chunk.byteLength;
  return sum;
}

function isTooSlow(error: unknown): boolean {
  return error instanceof MatineeError && error.code === 'BODY_TOO_SLOW';
}

async function rejectsAsTooSlow(promise: Promise<unknown>): Promise<void> {
  const error = await promise.then(
    () => null,
    (error: unknown) => error,
  );
  assert.ok(isTooSlow(error), String(error));
}

pace('should be no matter where it is kept', async () => {
  const { chunks, state } = source(Array.from({ length: 20 }, () => ({ afterMs: 5, bytes: 1000 })));
  const limits = { silenceMs: 5000, minBytesPerSec: 10, windowMs: 20 };
  assert.is(await takeAll(keepPace(chunks, limits)), 20_000);
  assert.ok(state.isClosed);
});

pace('should cut a body that trickles, and one that stops', async () => {
  const trickle = source(Array.from({ length: 100 }, () => ({ afterMs: 5, bytes: 1 })));
  const limits = { silenceMs: 5000, minBytesPerSec: 1000, windowMs: 50 };
  await rejectsAsTooSlow(takeAll(keepPace(trickle.chunks, limits)));
  assert.ok(trickle.state.isClosed);
  const stopped = source([
    { afterMs: 0, bytes: 1000 },
    { afterMs: 500, bytes: 1000 },
  ]);
  await rejectsAsTooSlow(takeAll(keepPace(stopped.chunks, { ...limits, silenceMs: 50 })));
});

pace('should not count the time that we take ourselves', async () => {
  const { chunks } = source(Array.from({ length: 5 }, () => ({ afterMs: 0, bytes: 10 })));
  let count = 0;
  for await (const _ of keepPace(chunks, { silenceMs: 40, minBytesPerSec: 1000, windowMs: 60 })) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    count += 1;
  }
  assert.is(count, 5);
});

/** Opens a bare connection and says this first. */
async function dial(port: number, first: string, from = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from });
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(first);
  return socket;
}

pace('should be looked at on a real connection', async () => {
  const outcomes: unknown[] = [];
  const server = createServer((request, response) => {
    readBody(request, { maxBytes: 1000, pace: { silenceMs: 100, minBytesPerSec: 1, windowMs: 1000 } })
      .then((body) => outcomes.push(body.byteLength))
      .catch((error: unknown) => outcomes.push(isTooSlow(error)))
      .finally(() => response.end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const stopping = await dial(port, 'PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab');
  await once(stopping, 'data');
  stopping.destroy();
  const whole = await dial(port, 'PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcde');
  await once(whole, 'data');
  whole.destroy();
  server.closeAllConnections();
  server.close();
  assert.equal(outcomes, [true, 5]);
});

pace(
  'should be expected of heads as well',
  withHttp({ headersTimeoutMs: 200 }, async ({ port }) => {
    const half = await dial(port, 'GET /api/health HTTP/1.1\r\nHost: ');
    assert.match(await text(half), /^HTTP\/1\.1 408 /);
    const silent = await dial(port, '');
    assert.match(await text(silent), /^(HTTP\/1\.1 408 |$)/);
  }),
);

pace(
  'should not be waited for in any number: what is held of those of one address is bounded, and others’ are still taken',
  withHttp({}, async ({ port, made }) => {
    const size = 4 * 1024 * 1024;
    const head = `PUT /api/rooms/${made.room}/videos/${made.video}/manifest HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\nContent-Length: ${size}\r\n\r\n`;
    const refusals: string[] = [];
    const all = await Promise.all(Array.from({ length: 20 }, () => dial(port, head)));
    await new Promise<void>((resolve) => {
      for (const socket of all) {
        socket.once('data', (answer) => {
          refusals.push(String(answer));
          if (refusals.length === 12) resolve();
        });
        // All but the last byte, which could be waited for for an hour.
        socket.write(Buffer.alloc(size - 1));
      }
    });
    const other = await dial(port, head, OTHER);
    other.write(Buffer.alloc(size));
    assert.match(String((await once(other, 'data'))[0]), /^HTTP\/1\.1 404 /);
    assert.is(refusals.length, 12);
    for (const refusal of refusals) assert.match(refusal, /^HTTP\/1\.1 429 [\s\S]*retry-after: \d/i);
    for (const socket of [...all, other]) socket.destroy();
  }),
);

pace(
  'should not go on for ever where nobody reads it',
  withHttp({}, async ({ port }) => {
    const socket = await dial(
      port,
      'GET /api/health HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    const [answer] = await once(socket, 'data');
    assert.match(String(answer), /^HTTP\/1\.1 200 /);
    const chunk = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(1 << 20), Buffer.from('\r\n')]);
    let goOn = () => {};
    for (const event of ['drain', 'close']) socket.on(event, () => goOn());
    let sentBytes = 0;
    while (!socket.destroyed && sentBytes < 2 * MAX_SEGMENT_BYTES) {
      sentBytes += chunk.byteLength;
      if (socket.write(chunk)) continue;
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
    }
    assert.ok(socket.destroyed, `${sentBytes} bytes`);
  }),
);

pace.run();

const connections = suite('connections from one address');

connections(
  'should be cut beyond their number, and others’ not, until some have ended',
  withHttp({ connectionLimits: { perAddress: 2, inAll: 100 } }, async ({ port }) => {
    const [first] = await Promise.all([dial(port, ''), dial(port, '')]);
    assert.is(await text(await dial(port, '')), '');
    const other = await dial(port, 'GET /api/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', OTHER);
    assert.match(await text(other), /^HTTP\/1\.1 200 /);
    first?.end();
    if (first) await once(first.resume(), 'close');
    const again = await dial(port, 'GET /api/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    assert.match(await text(again), /^HTTP\/1\.1 200 /);
  }),
);

connections(
  'should be bounded in all',
  withHttp({ connectionLimits: { perAddress: 2, inAll: 2 } }, async ({ port }) => {
    await Promise.all([dial(port, ''), dial(port, '', OTHER)]);
    assert.is(await text(await dial(port, '', '127.0.0.3')), '');
  }),
);

connections.run();
