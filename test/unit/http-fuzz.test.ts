import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Bytes } from '../../peer/bytes.ts';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import { roomDoor } from '../../seed-server/room-door.ts';
import { attachSignaling } from '../../signaling/server.ts';
import { seededRandom } from '../sim/seeded-random.ts';
import { ask, type HttpServer, withHttp } from '../tools/http-server.ts';
import { tell } from '../tools/tell.ts';

const { MATINEE_FUZZ: wish = '' } = process.env;

/** `MATINEE_FUZZ=100000` for the long form. */
const REQUESTS = Number(wish) || 2000;

/** Connections at once. */
const PARALLEL = 64;

/** Bytes that the process may have grown by in the end, its own share as client included. */
const MAX_GROWTH_BYTES = 150_000_000;

/** Some heads promise a body that never comes: after this the sender says that it is over. Sooner, and nothing is answered. */
const SENDING_MS = 250;

/** A connection that the server keeps is cut after this. */
const PATIENCE_MS = 2000;

const unlimited = { count: 1e9, withinMs: 1000 };

interface Message {
  method: string;
  target: string;
  headers: [string, string][];
  body: Buffer;
}

const fuzz = suite('requests that make no sense');

fuzz(
  `should do no harm: ${REQUESTS} of them`,
  withHttp(
    {
      requestLimits: { read: unlimited, write: unlimited, register: unlimited, wrongToken: unlimited },
      connectionLimits: { perAddress: 1000, inAll: 1000 },
      headersTimeoutMs: 1000,
    },
    async (server) => {
      // As the seed server has it: upgrades, which some of the requests ask for, are signaling's to answer.
      const signaling = attachSignaling({
        server: server.app.server,
        path: '/signal',
        door: roomDoor(server.store, await chooseCrypto()),
        originKey: null,
        iceServers: [],
        random: Math.random,
        log: { warn: () => undefined },
      });
      try {
        const random = seededRandom(Number(process.env.MATINEE_SEED ?? 1));
        const valid = await validMessages(server);
        const statuses = new Map<string, number>();
        await run(server, valid, random, 200, statuses);
        const [beforeBytes, startMs] = [process.memoryUsage().rss, performance.now()];
        await run(server, valid, random, REQUESTS, statuses);
        const grownBytes = process.memoryUsage().rss - beforeBytes;
        const told = JSON.stringify(Object.fromEntries(statuses));
        const spentS = ((performance.now() - startMs) / 1000).toFixed(0);
        if (wish) tell(`${REQUESTS} requests in ${spentS} s: ${told}, ${grownBytes} bytes more`);
        assert.ok(
          [...statuses.keys()].every((status) => status === '503' || !status.startsWith('5')),
          told,
        );
        assert.ok((statuses.get('200') ?? 0) + (statuses.get('204') ?? 0) > 0, told);
        assert.ok((statuses.get('400') ?? 0) > 0, told);
        assert.ok(grownBytes < MAX_GROWTH_BYTES, `${grownBytes} bytes more`);
        assert.is((await ask(`${server.url}/api/health`)).status, 200);
        assert.is(server.app.server.listening, true);
      } finally {
        await signaling.close();
      }
    },
  ),
);

async function run(
  { port }: HttpServer,
  valid: readonly Message[],
  random: () => number,
  count: number,
  statuses: Map<string, number>,
): Promise<void> {
  let left = count;
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      const message = mutated(pick(valid, random), valid, random);
      const answer = await send(port, wireOf(message, random));
      const status = /^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 'cut';
      if (/^5(?!03)/.test(status)) process.stderr.write(`${status}: ${message.method} ${message.target}\n`);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
}

/** One of each kind, in a room that is there. */
async function validMessages({ url, made }: HttpServer): Promise<Message[]> {
  const room = `/api/rooms/${made.room}`;
  const video = `${room}/videos/${made.video}`;
  const record = await made.record();
  const manifest = await made.grow(100, 70_000);
  await ask(`${url}${room}`, { method: 'PUT', body: record });
  await ask(`${url}${video}/manifest`, { method: 'PUT', body: manifest });
  const member: [string, string] = ['Authorization', `Bearer ${made.token}`];
  const get = (target: string, ...headers: [string, string][]): Message => ({
    method: 'GET',
    target,
    headers: [member, ...headers],
    body: Buffer.alloc(0),
  });
  const put = (target: string, body: Bytes | undefined, method = 'PUT'): Message => ({
    method,
    target,
    headers: [['Content-Type', 'application/octet-stream']],
    body: Buffer.from(body ?? []),
  });
  return [
    put(room, record),
    put(`${video}/manifest`, manifest),
    put(`${video}/segments/0`, made.segments[0]),
    put(`${video}/segments/1`, made.segments[1]),
    put(`${room}/rules`, record),
    put(room, record, 'DELETE'),
    get(room),
    get(`${room}/rules`),
    get(`${video}/manifest`),
    get(`${video}/pages/${'A'.repeat(43)}`),
    get(`${video}/segments`),
    get(`${video}/segments/0`, ['Range', 'bytes=0-10']),
    get('/api/health'),
    get('/api/hosting'),
    get('/'),
    get(`/r/${made.room}`),
  ];
}

const METHODS = [
  'GET',
  'PUT',
  'DELETE',
  'POST',
  'HEAD',
  'OPTIONS',
  'PATCH',
  'TRACE',
  'CONNECT',
  'get',
  'X',
  '',
];
const HEADERS: [string, string][] = [
  ['Content-Length', '-1'],
  ['Content-Length', '99999999999999999999'],
  ['Content-Length', '67108865'],
  ['Transfer-Encoding', 'chunked'],
  ['Transfer-Encoding', 'gzip, chunked'],
  ['Content-Type', 'application/json'],
  ['Content-Type', ';;;'],
  ['Expect', '100-continue'],
  ['Upgrade', 'websocket'],
  ['Connection', 'Upgrade'],
  ['Range', 'bytes=9999999-0,-'],
  ['Range', 'bytes=-0'],
  ['Authorization', 'Bearer '],
  ['Authorization', `Basic ${'A'.repeat(3000)}`],
  ['X-Forwarded-For', ', ,::1, %00'],
  ['X-Host-Password', '%E0%A4%A'],
  ['Cookie', 'a'.repeat(20_000)],
  ['If-None-Match', '*'],
  ['Accept-Encoding', 'br;q=x, gzip, *'],
  ['X\u0000Y', 'z'],
];

/** The message with one to three things in it that are wrong, or none. */
function mutated(message: Message, valid: readonly Message[], random: () => number): Message {
  let next = message;
  for (let i = Math.floor(random() * 4); i > 0; i--) next = mutatedOnce(next, valid, random);
  return next;
}

function mutatedOnce(message: Message, valid: readonly Message[], random: () => number): Message {
  switch (Math.floor(random() * 7)) {
    case 0:
      return { ...message, method: pick(METHODS, random) };
    case 1:
      return { ...message, target: bent(Buffer.from(message.target), random).toString('latin1') };
    case 2:
      return { ...message, headers: [...message.headers, pick(HEADERS, random)] };
    case 3:
      return { ...message, headers: message.headers.slice(1) };
    case 4:
      return { ...message, body: bent(message.body, random) };
    case 5:
      return { ...message, body: pick(valid, random).body };
    default:
      return { ...message, target: pick(valid, random).target };
  }
}

/** Bytes changed, cut, doubled or put in. */
function bent(bytes: Buffer, random: () => number): Buffer {
  const at = Math.floor(random() * (bytes.byteLength + 1));
  const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)];
  const noise = Buffer.from(
    Array.from({ length: 1 + Math.floor(random() * 8) }, () => Math.floor(random() * 256)),
  );
  switch (Math.floor(random() * 4)) {
    case 0:
      return Buffer.concat([head, noise, tail.subarray(noise.byteLength)]);
    case 1:
      return head;
    case 2:
      return Buffer.concat([head, noise, tail]);
    default:
      return Buffer.concat([bytes, tail]);
  }
}

function wireOf({ method, target, headers, body }: Message, random: () => number): Buffer {
  const hasLength = headers.some(([name]) => /^(content-length|transfer-encoding)$/i.test(name));
  const length: [string, string][] = hasLength ? [] : [['Content-Length', String(body.byteLength)]];
  const lines = [['Host', 'x'], ['Connection', 'close'], ...headers, ...length].map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  const wire = Buffer.concat([
    Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1'),
    body,
  ]);
  return random() < 0.05 ? bent(wire, random) : wire;
}

/** All that the server answers until it, or we, have had enough. */
async function send(port: number, wire: Buffer): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => {});
  const over = setTimeout(() => socket.end(), SENDING_MS);
  const patience = setTimeout(() => socket.destroy(), PATIENCE_MS);
  socket.write(wire);
  try {
    return await text(socket.setEncoding('latin1'));
  } catch {
    // Cut by either side: the server lives or the test fails in the end.
    return '';
  } finally {
    clearTimeout(over);
    clearTimeout(patience);
    socket.destroy();
  }
}

function pick<T>(items: readonly T[], random: () => number): T {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
}

fuzz.run();
