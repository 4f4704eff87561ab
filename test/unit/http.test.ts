import { once } from 'node:events';
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { FastifyInstance } from 'fastify';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { areEqual, type Bytes, toBase64url } from '../../peer/bytes.ts';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import { PIECE_BYTES } from '../../peer/limits.ts';
import { decodeManifestUpdate } from '../../peer/manifest/manifest-writer.ts';
import { buildHttp } from '../../seed-server/http.ts';
import { createLog, shortenIds } from '../../seed-server/log.ts';
import { parseRange } from '../../seed-server/routes/byte-range.ts';
import { asRuns } from '../../seed-server/routes/segments.ts';
import { FileStore } from '../../seed-server/store/file-store.ts';
import { ask } from '../tools/http-server.ts';
import { flipped, MadeRoom } from '../tools/made-room.ts';
import { temporaryFolder } from '../tools/temporary-folder.ts';

const crypto = await chooseCrypto();

interface Bench {
  url: string;
  app: FastifyInstance;
  folder: string;
  made: MadeRoom;
  /** Rooms as onChange named them, in order. */
  changed: string[];
  /** The log's lines. */
  log: string[];
}

interface BenchOptions {
  idleTimeoutMs?: number;
  /** Files of the web app by their path. */
  web?: Record<string, string | Buffer>;
}

/** A real server on a free port, over a store in a temporary folder. */
function withServer(body: (bench: Bench) => Promise<void>, options: BenchOptions = {}): () => Promise<void> {
  return async () => {
    const { path: folder, remove } = await temporaryFolder();
    try {
      await fill(join(folder, 'web'), options.web ?? {});
      const changed: string[] = [];
      const log: string[] = [];
      const app = await buildHttp({
        store: await FileStore.open(crypto, join(folder, 'data')),
        crypto,
        webFolder: join(folder, 'web'),
        log: createLog('trace', { write: (line) => void log.push(line) }),
        onChange: (room) => void changed.push(room),
        ...(options.idleTimeoutMs ? { idleTimeoutMs: options.idleTimeoutMs } : {}),
      });
      try {
        const url = await app.listen({ host: '127.0.0.1', port: 0 });
        await body({ url, app, folder, made: await MadeRoom.create(crypto), changed, log });
      } finally {
        app.server.closeAllConnections();
        await app.close();
      }
    } finally {
      await remove();
    }
  };
}

async function fill(folder: string, files: Record<string, string | Buffer>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}

function put(url: string, body: Bytes | ReadableStream, method = 'PUT'): Promise<Response> {
  const headers = { 'content-type': 'application/octet-stream' };
  // Streams need `duplex`, which the DOM's types do not know yet.
  const init: RequestInit & { duplex: 'half' } = { method, body, headers, duplex: 'half' };
  return fetch(url, init);
}

function get(url: string, token: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, { headers: { ...headers, authorization: `Bearer ${token}` } });
}

async function failedWith(response: Response, status: number, code: string): Promise<void> {
  assert.is(response.status, status);
  const body = (await response.json()) as { code: string; message: string };
  assert.equal(Object.keys(body).sort(), ['code', 'message']);
  assert.is(body.code, code);
  assert.ok(body.message.length > 10);
}

function roomUrl({ url, made }: Bench): string {
  return `${url}/api/rooms/${made.room}`;
}

function videoUrl(bench: Bench): string {
  return `${roomUrl(bench)}/videos/${bench.made.video}`;
}

/** Registers the room and publishes segments of these sizes; resolves with the update. */
async function publish(bench: Bench, ...sizesBytes: number[]): Promise<Bytes> {
  await put(roomUrl(bench), await bench.made.record());
  const update = await bench.made.grow(...sizesBytes);
  assert.is((await put(`${videoUrl(bench)}/manifest`, update)).status, 204);
  return update;
}

function uploadUrl(bench: Bench, segment: number): string {
  return `${videoUrl(bench)}/segments/${segment}`;
}

async function upload(bench: Bench, segment: number): Promise<void> {
  const response = await put(uploadUrl(bench, segment), bench.made.segments[segment] ?? new Uint8Array());
  assert.is(response.status, 204);
}

async function bytesOf(response: Response): Promise<Bytes> {
  return new Uint8Array(await response.arrayBuffer());
}

const rooms = suite('rooms over HTTP');

rooms(
  'should be registered once, by the record of their host',
  withServer(async (bench) => {
    const { made, changed } = bench;
    const record = await made.record();
    assert.is((await put(roomUrl(bench), record)).status, 201);
    assert.is((await put(roomUrl(bench), record)).status, 200);
    await failedWith(await put(roomUrl(bench), await made.record(2)), 409, 'ROOM_TAKEN');
    assert.equal(changed, [made.room]);
  }),
);

rooms(
  'should refuse records that are no record, or of another room',
  withServer(async (bench) => {
    const other = await MadeRoom.create(crypto);
    await failedWith(await put(roomUrl(bench), new Uint8Array([1, 2])), 400, 'MANIFEST_MALFORMED');
    await failedWith(await put(roomUrl(bench), new Uint8Array()), 400, 'MANIFEST_MALFORMED');
    await failedWith(await put(roomUrl(bench), await other.record()), 403, 'SIGNATURE_WRONG');
    const record = await bench.made.record();
    await failedWith(
      await put(roomUrl(bench), flipped(record, record.byteLength - 1)),
      403,
      'SIGNATURE_WRONG',
    );
    assert.equal(bench.changed, []);
  }),
);

rooms(
  'should tell members, and nobody else, what is in them',
  withServer(async (bench) => {
    const { made } = bench;
    await failedWith(await get(roomUrl(bench), made.token), 404, 'ROOM_UNKNOWN');
    await publish(bench, 10);
    const response = await get(roomUrl(bench), made.token);
    assert.is(response.status, 200);
    assert.equal(await response.json(), { videos: [made.video], rules: 0, isOriginOnly: false });
    assert.is(response.headers.get('cache-control'), 'no-store');
    for (const token of [toBase64url(new Uint8Array(32)), 'short', '', 'x'.repeat(43)]) {
      await failedWith(await get(roomUrl(bench), token), 403, 'TOKEN_WRONG');
    }
    await failedWith(await fetch(roomUrl(bench)), 403, 'TOKEN_WRONG');
    const basic = { headers: { authorization: `Basic ${made.token}` } };
    await failedWith(await fetch(roomUrl(bench), basic), 403, 'TOKEN_WRONG');
  }),
);

rooms(
  'should go with all they hold when their host says so',
  withServer(async (bench) => {
    const { made, folder, changed } = bench;
    await publish(bench, 10);
    await upload(bench, 0);
    const stranger = await MadeRoom.create(crypto);
    await failedWith(await put(roomUrl(bench), await stranger.takeDown(), 'DELETE'), 403, 'SIGNATURE_WRONG');
    await failedWith(await fetch(roomUrl(bench), { method: 'DELETE' }), 400, 'MANIFEST_MALFORMED');
    assert.is((await put(roomUrl(bench), await made.takeDown(), 'DELETE')).status, 204);
    await failedWith(await get(roomUrl(bench), made.token), 404, 'ROOM_UNKNOWN');
    await failedWith(await get(uploadUrl(bench, 0), made.token), 404, 'ROOM_UNKNOWN');
    assert.equal(await readdir(join(folder, 'data', 'rooms')), []);
    assert.is(changed.length, 4);
  }),
);

rooms.run();

const manifests = suite('manifests over HTTP');

manifests(
  'should be given to members as the host signed them',
  withServer(async (bench) => {
    const { made } = bench;
    const update = decodeManifestUpdate(await publish(bench, 10, 20));
    const head = await get(`${videoUrl(bench)}/manifest`, made.token);
    assert.is(head.headers.get('content-type'), 'application/octet-stream');
    assert.ok(areEqual(await bytesOf(head), update.head));
    const [page = new Uint8Array()] = update.pages;
    const hash = toBase64url(await crypto.sha256(page));
    const response = await get(`${videoUrl(bench)}/pages/${hash}`, made.token);
    assert.ok(areEqual(await bytesOf(response), page));
    const noPage = toBase64url(new Uint8Array(32));
    await failedWith(await get(`${videoUrl(bench)}/pages/${noPage}`, made.token), 404, 'NOT_FOUND');
    for (const path of ['manifest', `pages/${hash}`, 'segments']) {
      await failedWith(await fetch(`${videoUrl(bench)}/${path}`), 403, 'TOKEN_WRONG');
    }
  }),
);

manifests(
  'should be taken in the host’s order, in a room that is there, one video a room',
  withServer(async (bench) => {
    const { made, url } = bench;
    const first = await made.grow(10);
    const manifest = `${videoUrl(bench)}/manifest`;
    await failedWith(await put(manifest, first), 404, 'ROOM_UNKNOWN');
    await put(roomUrl(bench), await made.record());
    await failedWith(await get(manifest, made.token), 404, 'NOT_FOUND');
    assert.is((await put(manifest, first)).status, 204);
    assert.is((await put(manifest, await made.grow(10))).status, 204);
    await failedWith(await put(manifest, first), 409, 'MANIFEST_STALE');
    const second = await MadeRoom.create(crypto, made.key);
    const other = `${url}/api/rooms/${made.room}/videos/${second.video}/manifest`;
    await failedWith(await put(other, await second.grow(10)), 409, 'MANIFEST_STALE');
    const stranger = await MadeRoom.create(crypto);
    await failedWith(await put(manifest, await stranger.grow(10)), 403, 'SIGNATURE_WRONG');
  }),
);

manifests.run();

const segments = suite('segments over HTTP');

segments(
  'should be stored, listed in runs, and given back',
  withServer(async (bench) => {
    const { made, changed } = bench;
    await publish(bench, 10, PIECE_BYTES, 3 * PIECE_BYTES + 5, 10, 10);
    for (const segment of [0, 2, 3]) await upload(bench, segment);
    await upload(bench, 2);
    const list = await get(`${videoUrl(bench)}/segments`, made.token);
    assert.equal(await list.json(), {
      stored: [
        [0, 1],
        [2, 2],
      ],
    });
    const whole = await get(uploadUrl(bench, 2), made.token);
    assert.is(whole.status, 200);
    assert.is(whole.headers.get('content-length'), String(3 * PIECE_BYTES + 5));
    assert.ok(areEqual(await bytesOf(whole), made.segments[2] ?? new Uint8Array()));
    await failedWith(await get(uploadUrl(bench, 1), made.token), 404, 'NOT_FOUND');
    await failedWith(await fetch(uploadUrl(bench, 2)), 403, 'TOKEN_WRONG');
    // Room, manifest, and each segment once, though one came twice.
    assert.is(changed.length, 5);
  }),
);

segments(
  'should answer a refusal although more is still being sent',
  withServer(async (bench) => {
    const { made } = bench;
    const sizeBytes = 12 * 1024 * 1024;
    await publish(bench, sizeBytes);
    const wrong = flipped(made.segments[0] ?? new Uint8Array(), 0);
    for (let i = 0; i < 3; i++) {
      await failedWith(await put(uploadUrl(bench, 0), wrong), 409, 'SEGMENT_MISMATCH');
      await failedWith(await put(uploadUrl(bench, 7), wrong), 409, 'SEGMENT_MISMATCH');
    }
    await upload(bench, 0);
  }),
);

segments(
  'should be read to the end although they are refused, for clients that listen only then',
  withServer(
    async (bench) => {
      const sizeBytes = 12 * 1024 * 1024;
      await publish(bench, sizeBytes);
      const { port, pathname } = new URL(uploadUrl(bench, 0));
      const socket = connect(Number(port), '127.0.0.1').pause();
      const head = [
        `PUT ${pathname} HTTP/1.1`,
        'Host: x',
        'Content-Type: application/octet-stream',
        `Content-Length: ${sizeBytes}`,
      ];
      socket.write(`${head.join('\r\n')}\r\n\r\n`);
      await new Promise<void>((resolve, reject) => {
        socket.write(new Uint8Array(sizeBytes), (error) => (error ? reject(error) : resolve()));
      });
      const [answer] = (await once(socket.resume(), 'data')) as [Buffer];
      socket.destroy();
      assert.match(answer.toString(), /^HTTP\/1\.1 409 [\s\S]*SEGMENT_MISMATCH/);
    },
    { idleTimeoutMs: 1000 },
  ),
);

segments(
  'should come in pieces of unknown number as well',
  withServer(async (bench) => {
    const { made } = bench;
    await publish(bench, 100_000);
    const bytes = made.segments[0] ?? new Uint8Array();
    assert.is((await put(uploadUrl(bench, 0), new Blob([bytes]).stream())).status, 204);
    const back = await get(uploadUrl(bench, 0), made.token);
    assert.ok(areEqual(await bytesOf(back), bytes));
  }),
);

segments(
  'should leave nothing of an upload that breaks off',
  withServer(async (bench) => {
    const { made, folder } = bench;
    await publish(bench, 300_000);
    const request = httpRequest(uploadUrl(bench, 0), {
      method: 'PUT',
      headers: { 'content-type': 'application/octet-stream', 'content-length': 300_000 },
    });
    const failed = once(request, 'error');
    request.write((made.segments[0] ?? new Uint8Array()).subarray(0, 200_000));
    const temporary = join(folder, 'data', 'temporary');
    while ((await readdir(temporary)).length === 0) await new Promise(setImmediate);
    request.destroy(new Error('the line broke'));
    await failed;
    while ((await readdir(temporary)).length > 0) await new Promise(setImmediate);
    await failedWith(await get(uploadUrl(bench, 0), made.token), 404, 'NOT_FOUND');
    await upload(bench, 0);
  }),
);

segments(
  'should be cut off where the sender falls silent',
  withServer(
    async (bench) => {
      await publish(bench, 300_000);
      const request = httpRequest(uploadUrl(bench, 0), {
        method: 'PUT',
        headers: { 'content-type': 'application/octet-stream', 'content-length': 300_000 },
      });
      request.write(new Uint8Array(10));
      const [error] = (await once(request, 'error')) as [Error];
      assert.match(error.message, /hang up|reset/i);
      assert.equal(
        await readdir(
          join(bench.folder, 'data', 'rooms', bench.made.room, 'videos', bench.made.video, 'segments'),
        ),
        [],
      );
    },
    { idleTimeoutMs: 1000 },
  ),
);

segments.run();

const limits = suite('bodies');

/** Sends only the head of a request that announces a body; resolves with the status. */
async function announce(url: string, contentLength: number): Promise<number> {
  const request = httpRequest(url, {
    method: 'PUT',
    headers: { 'content-type': 'application/octet-stream', 'content-length': contentLength },
  });
  request.flushHeaders();
  const [response] = (await once(request, 'response')) as [{ statusCode: number }];
  request.on('error', () => {});
  request.destroy();
  return response.statusCode;
}

limits(
  'should be refused by their announced size alone',
  withServer(async (bench) => {
    await publish(bench, 10);
    const limit = 4 * 1024 * 1024;
    assert.is(await announce(roomUrl(bench), limit + 1), 413);
    assert.is(await announce(`${videoUrl(bench)}/manifest`, limit + 1), 413);
    assert.is(await announce(uploadUrl(bench, 0), 64 * 1024 * 1024 + 1), 413);
  }),
);

limits(
  'should be refused where they turn out larger',
  withServer(async (bench) => {
    const large = new Uint8Array(4 * 1024 * 1024 + 1);
    const response = await put(roomUrl(bench), new Blob([large]).stream());
    await failedWith(response, 413, 'BODY_TOO_LARGE');
  }),
);

limits(
  'should be bytes',
  withServer(async (bench) => {
    for (const type of ['application/json', 'text/plain', 'multipart/form-data; boundary=x']) {
      const response = await fetch(roomUrl(bench), {
        method: 'PUT',
        body: '{}',
        headers: { 'content-type': type },
      });
      await failedWith(response, 415, 'REQUEST_MALFORMED');
    }
  }),
);

limits.run();

const ranges = suite('ranges');

type Expected = [first: number, last: number] | 'all' | 'outside';

/** Of ten bytes. */
const RANGES: [header: string, expected: Expected][] = [
  ['bytes=0-0', [0, 0]],
  ['bytes=9-9', [9, 9]],
  ['bytes=2-5', [2, 5]],
  ['bytes=0-9', [0, 9]],
  ['bytes=3-', [3, 9]],
  ['bytes=0-', [0, 9]],
  ['bytes=-1', [9, 9]],
  ['bytes=-10', [0, 9]],
  ['bytes=-500', [0, 9]],
  ['bytes=5-500', [5, 9]],
  ['BYTES=2-5', [2, 5]],
  ['bytes=10-', 'outside'],
  ['bytes=10-10', 'outside'],
  ['bytes=500-600', 'outside'],
  ['bytes=-0', 'outside'],
  ['bytes=5-2', 'all'],
  ['bytes=-', 'all'],
  ['bytes=', 'all'],
  ['bytes=a-b', 'all'],
  ['bytes=1-2,4-5', 'all'],
  ['bytes=99999999999999999999-', 'all'],
  ['pieces=0-1', 'all'],
];

ranges(
  'should be answered as RFC 9110 has it',
  withServer(async (bench) => {
    const { made } = bench;
    await publish(bench, 10);
    await upload(bench, 0);
    const bytes = made.segments[0] ?? new Uint8Array();
    for (const [range, expected] of RANGES) {
      const response = await get(uploadUrl(bench, 0), made.token, { range });
      const body = await bytesOf(response);
      const contentRange = response.headers.get('content-range');
      assert.is(response.headers.get('accept-ranges'), 'bytes', range);
      if (expected === 'all') {
        assert.equal([response.status, contentRange, [...body]], [200, null, [...bytes]], range);
      } else if (expected === 'outside') {
        assert.equal([response.status, contentRange, body.byteLength], [416, 'bytes */10', 0], range);
      } else {
        const [first, last] = expected;
        assert.equal([response.status, contentRange], [206, `bytes ${first}-${last}/10`], range);
        assert.equal([...body], [...bytes.subarray(first, last + 1)], range);
        assert.is(response.headers.get('content-length'), String(last - first + 1), range);
      }
    }
  }),
);

ranges('should be read alike without a server', () => {
  for (const [range, expected] of RANGES) {
    const [first, last] = typeof expected === 'string' ? [] : expected;
    const parsed = { all: null, outside: 'unsatisfiable' }[String(expected)];
    assert.equal(parseRange(range, 10), parsed === undefined ? { first, last } : parsed, range);
  }
  assert.is(parseRange(undefined, 10), null);
});

ranges('should list runs without gaps', () => {
  assert.equal(asRuns([]), []);
  assert.equal(asRuns([0]), [[0, 1]]);
  assert.equal(asRuns([0, 1, 2, 5, 7, 8]), [
    [0, 3],
    [5, 1],
    [7, 2],
  ]);
});

ranges.run();

const addresses = suite('addresses');

/** Sends a path exactly as it is, which fetch would tidy up first. */
async function rawGet(url: string, path: string, token: string): Promise<{ status: number; text: string }> {
  const { port } = new URL(url);
  const request = httpRequest({
    host: '127.0.0.1',
    port,
    path,
    headers: { authorization: `Bearer ${token}` },
  });
  request.end();
  const [response] = await once(request, 'response');
  return { status: response.statusCode, text: (await buffer(response)).toString() };
}

addresses(
  'should lead nowhere outside the store and the web app',
  withServer(
    async (bench) => {
      const { made, url, folder } = bench;
      await publish(bench, 10);
      await upload(bench, 0);
      await writeFile(join(folder, 'secret'), 'the secret');
      const video = `/api/rooms/${made.room}/videos/${made.video}`;
      const paths = [
        `/api/rooms/${made.room}/videos/..%2f..%2f..%2fsecret/manifest`,
        `${video}/pages/..%2fhead`,
        `${video}/segments/..%2fhead`,
        `${video}/segments/%2e%2e`,
        `${video}/segments/00`,
        `${video}/segments/0%00`,
        `${video}/segments/1e0`,
        `${video}/segments/-0`,
        `/api/rooms/..%2f..%2fsecret`,
        `/api/rooms/${'..%2f'.repeat(8)}etc%2fpasswd`,
        '/../secret',
        '/..%2fsecret',
        '/%2e%2e/secret',
        '/assets/../../secret',
        '/assets/..%2f..%2fsecret',
        '/assets/%5c..%5c..%5csecret',
        '//etc/passwd',
        '/data/rooms',
        `/../data/rooms/${made.room}/record`,
      ];
      for (const path of paths) {
        const { status, text } = await rawGet(url, path, made.token);
        assert.ok(status === 400 || status === 403 || status === 404, `${path}: ${status}`);
        assert.not.match(text, 'secret');
        assert.not.match(text, 'root:');
      }
    },
    { web: { 'index.html': 'home', 'room.html': 'room', 'assets/a.js': 'a' } },
  ),
);

addresses(
  'should be told apart from what is not there',
  withServer(async ({ url }) => {
    await failedWith(await fetch(`${url}/api/nothing`), 404, 'NOT_FOUND');
    await failedWith(await fetch(`${url}/api/rooms/x`), 400, 'REQUEST_MALFORMED');
    assert.equal(await (await fetch(`${url}/api/health`)).json(), { status: 'ok' });
  }),
);

addresses(
  'should survive nonsense',
  withServer(async ({ url }) => {
    const { port } = new URL(url);
    for (const nonsense of [
      '\r\n\r\n',
      'GET / HTTP/9.9\r\n\r\n',
      'PUT /api/rooms/%ff HTTP/1.1\r\nHost: x\r\n\r\n',
    ]) {
      const socket = connect(Number(port), '127.0.0.1');
      socket.end(nonsense);
      await once(socket.resume(), 'close');
    }
    assert.is((await fetch(`${url}/api/health`)).status, 200);
  }),
);

addresses.run();

const pages = suite('the pages');

const SCRIPT = 'console.log("hello");'.repeat(100);
const WEB = {
  'index.html': '<!doctype html><title>home</title>',
  'room.html': '<!doctype html><title>room</title>',
  'icon.svg': '<svg/>',
  'assets/home-abc123.js': SCRIPT,
  'assets/home-abc123.js.br': brotliCompressSync(SCRIPT),
  'assets/home-abc123.js.gz': gzipSync(SCRIPT),
};

/** As it comes over the wire: fetch would decompress it. */
async function rawHeaders(
  url: string,
  accept: string,
): Promise<{ headers: IncomingHttpHeaders; bytes: number }> {
  const request = httpRequest(url, { headers: { 'accept-encoding': accept } });
  request.end();
  const [response] = await once(request, 'response');
  return { headers: response.headers, bytes: (await buffer(response)).byteLength };
}

pages(
  'should be the home page at / and the room’s page under /r/, never kept without asking',
  withServer(
    async ({ url, made }) => {
      for (const [path, title] of [
        ['/', 'home'],
        [`/r/${made.room}`, 'room'],
        ['/r/whatever', 'room'],
      ]) {
        const response = await fetch(`${url}${path}`);
        assert.is(response.status, 200);
        assert.match(response.headers.get('content-type') ?? '', /^text\/html/);
        assert.is(response.headers.get('cache-control'), 'no-cache');
        assert.match(await response.text(), `<title>${title}</title>`);
        assert.is((await fetch(`${url}${path}`, { method: 'HEAD' })).status, 200);
      }
    },
    { web: WEB },
  ),
);

pages(
  'should keep hashed files for ever, and send them compressed as the build made them',
  withServer(
    async ({ url }) => {
      const script = `${url}/assets/home-abc123.js`;
      for (const [accept, encoding, bytes] of [
        ['br, gzip', 'br', WEB['assets/home-abc123.js.br'].byteLength],
        ['gzip', 'gzip', WEB['assets/home-abc123.js.gz'].byteLength],
        ['identity', undefined, SCRIPT.length],
      ] as const) {
        const { headers, bytes: sentBytes } = await rawHeaders(script, accept);
        assert.is(headers['content-encoding'], encoding, accept);
        assert.is(sentBytes, bytes, accept);
        assert.is(headers['cache-control'], 'public, max-age=31536000, immutable', accept);
        assert.match(headers['content-type'] ?? '', /javascript/);
      }
      assert.is(await (await fetch(script)).text(), SCRIPT);
      assert.is((await fetch(`${url}/icon.svg`)).headers.get('cache-control'), 'no-cache');
      assert.is((await fetch(`${url}/assets/gone.js`)).status, 404);
    },
    { web: WEB },
  ),
);

pages(
  'should carry headers that keep strangers’ code and frames out',
  withServer(
    async ({ url }) => {
      for (const path of ['/', '/r/x', '/assets/home-abc123.js', '/api/health', '/nothing', '/api/rooms/x']) {
        const { headers } = await fetch(`${url}${path}`);
        const policy = headers.get('content-security-policy') ?? '';
        assert.match(policy, "default-src 'none'");
        assert.match(policy, "frame-ancestors 'none'");
        assert.not.match(policy, 'unsafe');
        assert.is(headers.get('referrer-policy'), 'no-referrer');
        assert.is(headers.get('x-content-type-options'), 'nosniff');
      }
    },
    { web: WEB },
  ),
);

pages(
  'should connect to nothing but where they come from, whatever that is called',
  withServer(async ({ url }) => {
    const allowed = async (host: string): Promise<string | undefined> => {
      const { headers } = await ask(`${url}/api/health`, { headers: { host } });
      return /connect-src ([^;]*)$/.exec(String(headers['content-security-policy']))?.[1];
    };
    const hosts = ['matinee.example:8443', '192.168.1.5:8080', '[fe80::1]:8080'];
    for (const host of hosts) assert.is(await allowed(host), `'self' ws://${host} wss://${host}`);
    for (const host of ['x; script-src *', '*', '*.example', 'a b', 'x:*', "'unsafe-inline'", 'x/y'])
      assert.is(await allowed(host), "'self'");
  }),
);

pages(
  'should say what to do where they are not built',
  withServer(async ({ url }) => {
    for (const path of ['/', '/r/x']) {
      const response = await fetch(`${url}${path}`);
      assert.is(response.status, 503);
      assert.match(await response.text(), 'npm run build');
    }
  }),
);

pages.run();

const logging = suite('the log');

logging(
  'should say what happened without ids and tokens',
  withServer(async (bench) => {
    const { made, log, folder } = bench;
    await publish(bench, 10);
    await upload(bench, 0);
    await get(uploadUrl(bench, 0), made.token);
    await get(roomUrl(bench), toBase64url(new Uint8Array(32)));
    await fetch(`${bench.url}/elsewhere/${made.room}?token=${made.token}`);
    // A record that cannot be read makes the server fail with an error that names the path.
    const broken = (await MadeRoom.create(crypto)).room;
    const brokenFolder = join(folder, 'data', 'rooms', broken);
    await mkdir(brokenFolder);
    await symlink('record', join(brokenFolder, 'record'));
    await failedWith(await get(`${bench.url}/api/rooms/${broken}`, made.token), 500, 'INTERNAL');
    const text = log.join('');
    for (const secret of [made.room, made.video, made.token, broken]) {
      assert.not.ok(text.includes(secret), `the log has ${secret}`);
    }
    assert.match(text, `"room":"${made.room.slice(0, 4)}"`);
    assert.match(text, '"route":"/api/rooms/:room/videos/:video/segments/:n"');
    assert.match(text, 'ELOOP');
  }),
);

logging('should shorten ids and tokens and nothing else', () => {
  const id = 'abcdefghijklmnopqrst-_';
  const token = `${'t'.repeat(42)}_`;
  assert.is(shortenIds(`open '/data/rooms/${id}/record'`), "open '/data/rooms/abcd…/record'");
  assert.is(shortenIds(`${token} ${id}`), 'tttt… abcd…');
  assert.is(shortenIds(`x${id} ${'a'.repeat(64)} short`), `x${id} ${'a'.repeat(64)} short`);
});

logging.run();
