import { readdir } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { areEqual, type Bytes, toBase64url } from '../../peer/bytes.ts';
import { systemClock } from '../../peer/clock.ts';
import { deriveRoomKeys } from '../../peer/crypto/keys.ts';
import { MatineeError } from '../../peer/errors.ts';
import { hostCommands } from '../../peer/host/host-commands.ts';
import { type HostedRoom, hostVideo } from '../../peer/host/host-video.ts';
import type { OpenedVideo } from '../../peer/host/package.ts';
import { NO_JOURNAL } from '../../peer/host/upload-journal.ts';
import { PIECE_BYTES } from '../../peer/limits.ts';
import { piecesOf } from '../../peer/manifest/geometry.ts';
import { Manifest } from '../../peer/manifest/manifest.ts';
import { describeSegment } from '../../peer/manifest/page.ts';
import { StorePaths } from '../../seed-server/store/paths.ts';
import { ask, type HttpServer, withHttp } from '../tools/http-server.ts';
import { flipped } from '../tools/made-room.ts';
import { crypto, FixedVideo, hosting, MemoryJournal, present, RandomVideo, sizes } from './host-rig.ts';

/** A body that is sent in parts, so that others come in between; resolves with the status. */
async function putSlowly(url: string, parts: readonly Uint8Array[]): Promise<number> {
  const headers = { 'content-type': 'application/octet-stream' };
  const asked = request(url, { method: 'PUT', headers, agent: false });
  const answered = new Promise<number>((resolve, reject) => {
    asked.once('error', reject);
    asked.once('response', (response) => {
      text(response).then(() => resolve(response.statusCode ?? 0), reject);
    });
  });
  for (const part of parts) await new Promise((resolve) => asked.write(part, resolve));
  asked.end();
  return await answered;
}

function inParts(bytes: Bytes, count = 20): Bytes[] {
  const partBytes = Math.ceil(bytes.byteLength / count);
  return Array.from({ length: count }, (_, i) => bytes.subarray(i * partBytes, (i + 1) * partBytes));
}

/** A room over HTTP with one listed segment that is not stored yet; resolves with its address and its bytes. */
async function withSegment({ url, made }: HttpServer): Promise<{ segmentUrl: string; bytes: Bytes }> {
  const update = await made.grow(10 * PIECE_BYTES);
  const roomUrl = `${url}/api/rooms/${made.room}`;
  await ask(roomUrl, { method: 'PUT', body: await made.record() });
  await ask(`${roomUrl}/videos/${made.video}/manifest`, { method: 'PUT', body: update });
  const segmentUrl = `${roomUrl}/videos/${made.video}/segments/0`;
  return { segmentUrl, bytes: present(made.segments[0]) };
}

async function isStored({ store, made, folder }: HttpServer, bytes: Bytes): Promise<boolean> {
  const size = await store.segmentBytes(made.room, made.video, 0);
  const stored = await store.readSegment(made.room, made.video, 0, 0, (size ?? 1) - 1).toArray();
  assert.equal(
    await readdir(new StorePaths(join(folder, 'data')).temporary),
    [],
    'nothing half-written is left',
  );
  return areEqual(new Uint8Array(Buffer.concat(stored)), bytes);
}

const puts = suite('a segment that comes several times at once');

puts(
  'should be stored once and told so to all, where all send the same',
  withHttp({}, async (server) => {
    const { segmentUrl, bytes } = await withSegment(server);
    const parts = inParts(bytes);
    const statuses = await Promise.all([1, 2, 3, 4].map(() => putSlowly(segmentUrl, parts)));
    assert.equal(statuses, [204, 204, 204, 204]);
    assert.ok(await isStored(server, bytes));
  }),
);

puts(
  'should be the right one, whoever else sends others',
  withHttp({}, async (server) => {
    const { segmentUrl, bytes } = await withSegment(server);
    const wrong = [
      flipped(bytes, 0),
      flipped(bytes, bytes.byteLength - 1),
      bytes.subarray(0, -1),
      new Uint8Array([...bytes, 0]),
      bytes.toReversed(),
    ];
    const all = [...wrong.slice(0, 3), bytes, ...wrong.slice(3)];
    const statuses = await Promise.all(all.map((each) => putSlowly(segmentUrl, inParts(each))));
    assert.is(statuses[3], 204, String(statuses));
    // Who comes once it is stored is not read any more, and told that it is there.
    assert.ok(
      statuses.every((status) => status === 409 || status === 204),
      String(statuses),
    );
    assert.ok(statuses.includes(409), 'they did come at once');
    assert.ok(await isStored(server, bytes));
  }),
);

puts.run();

const hosts = suite('two devices with the same host key');

/** What a member reads of a video over HTTP, every piece checked; how many segments there are of how many listed. */
async function readBack(url: string, room: HostedRoom): Promise<{ isDone: boolean; count: number }> {
  const { joinToken } = await deriveRoomKeys(crypto, room.roomSecret, room.roomId);
  const headers = { authorization: `Bearer ${toBase64url(joinToken)}` };
  const base = `${url}/api/rooms/${toBase64url(room.roomId)}/videos/${toBase64url(room.videoId)}`;
  const get = async (path: string): Promise<Bytes> => {
    const response = await fetch(`${base}/${path}`, { headers });
    assert.is(response.status, 200, path);
    return new Uint8Array(await response.arrayBuffer());
  };
  const manifest = new Manifest(crypto, room.roomId);
  await manifest.adoptHead(await get('manifest'));
  for (const { hash } of present(manifest.head).pages)
    await manifest.adoptPage(await get(`pages/${toBase64url(hash)}`));
  const { segmentCount, isDone } = present(manifest.head);
  for (let n = 0; n < segmentCount; n++) {
    const { pieceHashes } = await describeSegment(crypto, 0, 0, piecesOf([await get(`segments/${n}`)]));
    assert.ok(areEqual(pieceHashes, present(manifest.entry(n)).pieceHashes), `segment ${n}`);
  }
  return { isDone, count: segmentCount };
}

/** Resolves with the code with which it fails, or null. */
async function outcome(promise: Promise<unknown>): Promise<string | null> {
  return await promise.then(
    () => null,
    (error: unknown) => (error instanceof MatineeError ? error.code : String(error)),
  );
}

/** An upload that was cut off after some segments: what its journal holds. */
async function cutOff(url: string, video: OpenedVideo, afterSegments: number): Promise<MemoryJournal> {
  const journal = new MemoryJournal();
  let isCut = false;
  let storedCount = 0;
  const cutting: typeof fetch = async (input, init) => {
    if (isCut) throw new TypeError('the line is cut');
    const response = await fetch(input, init);
    if (String(input).includes('/segments/') && ++storedCount === afterSegments) isCut = true;
    return response;
  };
  const { options } = hosting(video, url, { journal, fetch: cutting });
  assert.is(await outcome(hostVideo(options)), 'SERVER_UNREACHABLE');
  return journal;
}

hosts(
  'should both get their films into the room, added at once',
  withHttp({}, async ({ url }) => {
    const room = await hostVideo(hosting(new RandomVideo(sizes(6)), url).options);
    const into = { room, present: null };
    const added = await Promise.all(
      [9, 12].map((count) =>
        hostVideo(hosting(new RandomVideo(sizes(count)), url, { into, clock: systemClock }).options),
      ),
    );
    assert.equal(await Promise.all(added.map((each) => readBack(url, each))), [
      { isDone: true, count: 9 },
      { isDone: true, count: 12 },
    ]);
    const { joinToken } = await deriveRoomKeys(crypto, room.roomSecret, room.roomId);
    const io = { crypto, clock: systemClock, fetch, server: url };
    const { videos } = await hostCommands({ ...io, ...room, joinToken }).read();
    for (const { videoId } of added) assert.ok(videos.some(({ video }) => areEqual(video, videoId)));
  }),
);

hosts(
  'should end with the whole film where both go on with the same upload',
  withHttp({}, async ({ url }) => {
    const video = new FixedVideo(sizes(40));
    const { kept } = await cutOff(url, video, 5);
    const goOn = () => outcome(hostVideo(hosting(video, url, { kept, journal: NO_JOURNAL }).options));
    const outcomes = await Promise.all([goOn(), goOn()]);
    assert.ok(outcomes.includes(null), `one of them ends it: ${outcomes}`);
    // The other may be told that it lags behind; then nothing of what the first one did is undone.
    assert.ok(
      outcomes.every((each) => each === null || each === 'MANIFEST_STALE'),
      String(outcomes),
    );
    assert.equal(await readBack(url, present(kept).room), { isDone: true, count: 40 });
  }),
);

hosts(
  'should not mix two films under one video id: who comes second is refused',
  withHttp({}, async ({ url }) => {
    const signed = new FixedVideo(sizes(5));
    const { kept } = await cutOff(url, signed, 1);
    const entries = present(kept).entries.length;
    // The same beginning, which was signed; what follows differs.
    const ending = (): OpenedVideo => new Ending(signed, entries, sizes(30));
    const goOn = () => outcome(hostVideo(hosting(ending(), url, { kept, journal: NO_JOURNAL }).options));
    const outcomes = await Promise.all([goOn(), goOn()]);
    assert.equal(
      outcomes.toSorted((a) => (a === null ? -1 : 1)),
      [null, 'MANIFEST_STALE'],
    );
    assert.equal(await readBack(url, present(kept).room), { isDone: true, count: 30 });
  }),
);

/** A video that begins as another one does and goes on with segments of its own. */
class Ending extends RandomVideo {
  readonly #beginning: FixedVideo;
  readonly #count: number;

  constructor(beginning: FixedVideo, count: number, sizesBytes: readonly number[]) {
    super(sizesBytes);
    this.#beginning = beginning;
    this.#count = count;
  }

  override async *segments(signal: AbortSignal) {
    for await (const segment of this.#beginning.segments(signal)) {
      if (segment.number < this.#count) yield segment;
    }
    for await (const segment of super.segments(signal)) if (segment.number >= this.#count) yield segment;
  }
}

hosts.run();
