import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { areEqual, type Bytes, concat, toBase64url } from '../../peer/bytes.ts';
import { systemClock } from '../../peer/clock.ts';
import { decryptRange } from '../../peer/crypto/content.ts';
import { deriveRoomKeys, deriveVideoKeys } from '../../peer/crypto/keys.ts';
import { type HostedRoom, hostVideo } from '../../peer/host/host-video.ts';
import { type OpenedVideo, openVideo } from '../../peer/host/package.ts';
import { Manifest } from '../../peer/manifest/manifest.ts';
import { openFile } from '../../seed-server/host-file.ts';
import { buildHttp } from '../../seed-server/http.ts';
import { createLog } from '../../seed-server/log.ts';
import { FileStore } from '../../seed-server/store/file-store.ts';
import { type TemporaryFolder, temporaryFolder } from '../tools/temporary-folder.ts';
import { crypto, hosting, present, RandomVideo, sizes } from './host-rig.ts';

/** The seed server's HTTP side over a data folder; comes back on the same port with what it had. */
class RealServer {
  readonly #folder: TemporaryFolder;
  #app: FastifyInstance | null = null;
  #port = 0;

  private constructor(folder: TemporaryFolder) {
    this.#folder = folder;
  }

  static async open(): Promise<RealServer> {
    const server = new RealServer(await temporaryFolder());
    await server.start();
    return server;
  }

  get address(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<void> {
    const store = await FileStore.open(crypto, this.#folder.path);
    const log = createLog('silent');
    const onChange = (): void => undefined;
    const app = await buildHttp({ store, crypto, webFolder: this.#folder.path, log, onChange });
    const address = await app.listen({ host: '127.0.0.1', port: this.#port });
    this.#port = Number(new URL(address).port);
    this.#app = app;
  }

  /** Finishes what it is doing: two stores must not write in one folder, and a crash cannot be had in one process. */
  async stop(): Promise<void> {
    await this.#app?.close();
    this.#app = null;
  }

  async remove(): Promise<void> {
    cutConnections(this.#app);
    await this.stop();
    await this.#folder.remove();
  }
}

/** Closing alone would wait a minute for a connection that was opened for a request which then was cancelled. */
function cutConnections(app: FastifyInstance | null): void {
  app?.server.closeAllConnections();
}

/** What a viewer with the link gets over HTTP, and how it decrypts. */
class Reader {
  readonly manifest: Manifest;
  readonly #room: HostedRoom;
  readonly #videoUrl: string;
  #token = '';
  #contentKey: Bytes = new Uint8Array();

  constructor(address: string, room: HostedRoom) {
    this.#room = room;
    this.manifest = new Manifest(crypto, room.roomId);
    this.#videoUrl = `${address}/api/rooms/${toBase64url(room.roomId)}/videos/${toBase64url(room.videoId)}`;
  }

  async open(): Promise<this> {
    const { roomSecret, roomId, videoId } = this.#room;
    this.#token = toBase64url((await deriveRoomKeys(crypto, roomSecret, roomId)).joinToken);
    this.#contentKey = (await deriveVideoKeys(crypto, roomSecret, videoId)).contentKey;
    await this.manifest.adoptHead(await this.get('manifest'));
    for (const page of present(this.manifest.head).pages) {
      await this.manifest.adoptPage(await this.get(`pages/${toBase64url(page.hash)}`));
    }
    return this;
  }

  async get(path: string): Promise<Bytes> {
    const headers = { authorization: `Bearer ${this.#token}` };
    const response = await fetch(`${this.#videoUrl}/${path}`, { headers });
    assert.is(response.status, 200, path);
    return new Uint8Array(await response.arrayBuffer());
  }

  async plaintext(segment: number): Promise<Bytes> {
    return decryptRange(crypto, this.#contentKey, segment, 0, await this.get(`segments/${segment}`));
  }
}

/** Checks that a viewer gets, segment by segment, what the packager makes. */
async function assertSameFilm(reader: Reader, video: OpenedVideo): Promise<number> {
  let count = 0;
  for await (const { number, startMs, parts } of video.segments(new AbortController().signal)) {
    assert.ok(areEqual(await reader.plaintext(number), concat(...parts)), `segment ${number}`);
    assert.is(present(reader.manifest.entry(number)).startMs, startMs);
    count += 1;
  }
  assert.is(present(reader.manifest.head).segmentCount, count);
  assert.ok(present(reader.manifest.head).isDone);
  return count;
}

type Context = { server: RealServer };

const seed = suite<Context>('hosting at the seed server');

seed.before.each(async (context) => {
  context.server = await RealServer.open();
});

seed.after.each(async ({ server }) => server.remove());

for (const name of ['big-buck-bunny-720p-90s.mp4', 'sintel-trailer-2-subtitles.mkv', 'c64-h264-aac.ts']) {
  const path = fileURLToPath(new URL(`../../../shared/media/${name}`, import.meta.url));
  const hasClip = existsSync(path);
  if (!hasClip) process.stderr.write(`SKIPPED: hosting ${name}, which is not there.\n`);
  const run = hasClip ? seed : seed.skip;
  run(`should keep all of ${name} for those who have the link`, async ({ server }) => {
    const file = await openFile(path);
    const video = await openVideo(file.source);
    try {
      const room = await hostVideo(hosting(video, server.address, { clock: systemClock }).options);
      const reader = await new Reader(server.address, room).open();
      assert.ok((await assertSameFilm(reader, video)) > 2);
    } finally {
      video.close();
      await file.close();
    }
  });
}

seed('should finish after the server restarted twice in between', async ({ server }) => {
  const segments = new RandomVideo(sizes(60, 200_000));
  let restartCount = 0;
  let restarting = Promise.resolve();
  const restart = async (): Promise<void> => {
    await server.stop();
    await server.start();
  };
  const { options } = hosting(segments, server.address, {
    onProgress({ uploadedBytes }) {
      if (uploadedBytes < (restartCount + 1) * 3e6 || restartCount === 2) return;
      restartCount += 1;
      restarting = restarting.then(restart);
    },
  });
  const room = await hostVideo(options);
  await restarting;
  assert.is(restartCount, 2);
  const reader = await new Reader(server.address, room).open();
  for (const { number, parts } of segments.made) {
    assert.ok(areEqual(await reader.plaintext(number), concat(...parts)), `segment ${number}`);
  }
});

seed('should let nothing remain of a cancelled upload', async ({ server }) => {
  const abort = new AbortController();
  const rooms: HostedRoom[] = [];
  const { options } = hosting(new RandomVideo(sizes(60)), server.address, {
    signal: abort.signal,
    onRoom(room) {
      rooms.push(room);
      abort.abort();
    },
  });
  await hostVideo(options).then(
    () => assert.unreachable('should have been cancelled'),
    (error: unknown) => assert.match(String(error), 'Nothing of it is kept.'),
  );
  const room = present(rooms[0]);
  const { joinToken } = await deriveRoomKeys(crypto, room.roomSecret, room.roomId);
  const headers = { authorization: `Bearer ${toBase64url(joinToken)}` };
  const answer = await fetch(`${server.address}/api/rooms/${toBase64url(room.roomId)}`, { headers });
  assert.is(answer.status, 404);
});

seed('should stop where the server has no room for it', async () => {
  const folder = await temporaryFolder();
  const store = await FileStore.open(crypto, folder.path, 1_000_000);
  const log = createLog('silent');
  const app = await buildHttp({ store, crypto, webFolder: folder.path, log, onChange: () => undefined });
  try {
    const address = await app.listen({ host: '127.0.0.1', port: 0 });
    const { options } = hosting(new RandomVideo(sizes(30)), address);
    await hostVideo(options).then(
      () => assert.unreachable('should have been refused'),
      (error: unknown) => assert.match(String(error), 'The server has no space left'),
    );
  } finally {
    cutConnections(app);
    await app.close();
    await folder.remove();
  }
});

seed.run();
