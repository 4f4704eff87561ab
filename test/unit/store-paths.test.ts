import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join, resolve, sep } from 'node:path';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MatineeError } from '../../peer/errors.ts';
import { StorePaths } from '../../seed-server/store/paths.ts';
import { ask, withHttp } from '../tools/http-server.ts';

/** Bits of which paths that lead elsewhere are made, in every spelling. */
const PIECES = [
  '.',
  '..',
  '../',
  '..\\',
  '/',
  '\\',
  '%2e',
  '%2E%2e',
  '%2f',
  '%5c',
  '%252e%252e%252f',
  '%00',
  '\0',
  '%c0%ae',
  '\u2024\u2024',
  '\u2215',
  '\uff0e\uff0e\uff0f',
  '\u0000',
  '\ud800',
  '~',
  'C:',
  'file:',
  'record',
  'head',
  'secret',
  'AAAA',
  'con',
  ' ',
];
const evil = fc.oneof(
  fc.array(fc.constantFrom(...PIECES), { maxLength: 8 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ maxLength: 24 }).map((text) => text.padEnd(22, 'A')),
  fc
    .array(fc.constantFrom(...'AZaz09-_.%/\\'), { minLength: 22, maxLength: 22 })
    .map((parts) => parts.join('')),
);
const GOOD_ID = 'A'.repeat(22);

const paths = suite('paths in the store');

paths('should never lead out of their folder, whatever ids are made of', () => {
  const folder = resolve('/data-folder');
  const store = new StorePaths(folder);
  fc.assert(
    fc.property(evil, evil, evil, fc.double(), (room, video, hash, segment) => {
      const makers = [
        () => store.room(room),
        () => store.record(room),
        () => store.rules(room),
        () => store.head(room, video),
        () => store.head(GOOD_ID, video),
        () => store.page(GOOD_ID, GOOD_ID, hash),
        () => store.segment(GOOD_ID, video, segment),
        () => store.segment(GOOD_ID, GOOD_ID, segment),
      ];
      for (const make of makers) staysInside(folder, make);
    }),
    { numRuns: 5000 },
  );
});

/** Either refused, or a path under the rooms' folder as it stands, without a detour. */
function staysInside(folder: string, make: () => string): void {
  try {
    const path = make();
    assert.is(resolve(path), path);
    assert.ok(path.startsWith(join(folder, 'rooms') + sep), path);
  } catch (error) {
    if (error instanceof MatineeError) assert.is(error.code, 'REQUEST_MALFORMED');
    else throw error;
  }
}

paths(
  'should reach nothing outside over HTTP, and write nothing there',
  withHttp(
    {
      requestLimits: {
        read: { count: 1e6, withinMs: 1000 },
        write: { count: 1e6, withinMs: 1000 },
        register: { count: 1e6, withinMs: 1000 },
        wrongToken: { count: 1e6, withinMs: 1000 },
      },
    },
    async ({ url, port, folder, made }) => {
      await ask(`${url}/api/rooms/${made.room}`, { method: 'PUT', body: await made.record() });
      await writeFile(join(folder, 'secret'), 'the operator’s own');
      await mkdir(join(folder, 'elsewhere'));
      const before = (await readdir(folder, { recursive: true })).sort();
      const shapes: ((a: string) => string)[] = [
        (a) => `/api/rooms/${a}`,
        (a) => `/api/rooms/${made.room}/videos/${a}/manifest`,
        (a) => `/api/rooms/${made.room}/videos/${GOOD_ID}/pages/${a}`,
        (a) => `/api/rooms/${made.room}/videos/${GOOD_ID}/segments/${a}`,
        (a) => `/${a}`,
        (a) => `/assets/${a}`,
        (a) => `/r/${a}`,
      ];
      const method = fc.constantFrom('GET', 'PUT', 'DELETE');
      await fc.assert(
        fc.asyncProperty(
          method,
          fc.constantFrom(...shapes),
          evil,
          fc.boolean(),
          async (verb, shape, part, isEncoded) => {
            const target = shape(isEncoded ? encodeURIComponent(wellFormed(part)) : part);
            const answer = await askRaw(port, verb, target, made.token);
            assert.not.match(answer, 'the operator’s own');
            assert.not.match(answer, /^HTTP\/1\.1 5(?!03)/);
          },
        ),
        { numRuns: 300 },
      );
      assert.equal((await readdir(folder, { recursive: true })).sort(), before);
      assert.is(await readFile(join(folder, 'secret'), 'utf8'), 'the operator’s own');
    },
  ),
);

/** Asks for exactly this target, which no client library would send; line breaks aside, which would end it. */
async function askRaw(port: number, method: string, target: string, token: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  const line = `${method} ${target.replace(/[\r\n]/g, '')} HTTP/1.1`;
  socket.write(
    `${line}\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
  );
  return await text(socket).catch(() => '');
}

/** Without halves of surrogate pairs, which cannot be encoded. */
function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}

paths.run();
