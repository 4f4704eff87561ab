import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { areEqual, type Bytes, concat, toBase64url, utf8 } from '../../peer/bytes.ts';
import type { Clock } from '../../peer/clock.ts';
import { decryptRange } from '../../peer/crypto/content.ts';
import { deriveVideoKeys } from '../../peer/crypto/keys.ts';
import { MatineeError } from '../../peer/errors.ts';
import type { ExtraSource } from '../../peer/host/extra-layout.ts';
import { identifyFile, mustBeSameFile } from '../../peer/host/file-identity.ts';
import { Giveaway } from '../../peer/host/giveaway.ts';
import { type HostedRoom, type HostOptions, hostVideo } from '../../peer/host/host-video.ts';
import type { KeptUpload } from '../../peer/host/upload-journal.ts';
import { NO_RULES, signRules } from '../../peer/manifest/rules.ts';
import { seededRandom } from '../sim/seeded-random.ts';
import { type HttpServer, withHttp } from '../tools/http-server.ts';
import {
  crypto,
  FixedVideo,
  hosting,
  MemoryJournal,
  present,
  quickClock,
  type RandomVideo,
  rejection,
  sizes,
} from './host-rig.ts';

const SEED = 20261126;
const CRASHES = 10;

/** Every ciphertext that was sent, by video and number: two different ones would show their plaintexts to each other. */
class Sent {
  readonly #bodies = new Map<string, Bytes>();
  count = 0;

  note(url: string, body: Bytes): void {
    const name = /videos\/(.+\/segments\/\d+)$/.exec(url)?.[1];
    if (name === undefined) return;
    this.count += 1;
    const before = this.#bodies.get(name);
    assert.ok(!before || areEqual(before, body), `another content of ${name} under the same key`);
    this.#bodies.set(name, body);
  }
}

/** A page that dies after so many requests: nothing it asked for is answered any more, and nothing it does has an effect. */
class DyingPage {
  readonly #sent: Sent;
  readonly #journal: MemoryJournal;
  #leftCount: number;
  #isDead = false;
  #timers = new Set<() => void>();
  #die = (): void => undefined;
  readonly died = new Promise<void>((resolve) => {
    this.#die = resolve;
  });

  constructor(requestCount: number, sent: Sent, journal: MemoryJournal) {
    this.#leftCount = requestCount;
    this.#sent = sent;
    this.#journal = journal;
  }

  get parts(): Pick<HostOptions, 'fetch' | 'clock' | 'journal'> {
    const clock = quickClock();
    return {
      fetch: (...args) => this.#fetch(...args),
      clock: { ...clock, after: (ms, run) => this.#after(clock, ms, run) },
      journal: {
        begin: (record) => this.#orNever(() => this.#journal.begin(record)),
        list: (first, entries, extras) => this.#orNever(() => this.#journal.list(first, entries, extras)),
        end: () => this.#orNever(() => this.#journal.end()),
      },
    };
  }

  /** Its timers die with it, so that the test need not wait for them. */
  #after(clock: Clock, ms: number, run: () => void): () => void {
    if (this.#isDead) return () => undefined;
    const stop = clock.after(ms, () => {
      this.#timers.delete(cancel);
      run();
    });
    const cancel = (): void => {
      this.#timers.delete(cancel);
      stop();
    };
    this.#timers.add(cancel);
    return cancel;
  }

  async #fetch(...[url, init]: Parameters<typeof fetch>): Promise<Response> {
    if (this.#leftCount-- <= 0) {
      this.#isDead = true;
      for (const cancel of this.#timers) cancel();
      this.#die();
    }
    return await this.#orNever(async () => {
      if (init?.body)
        this.#sent.note(String(url), new Uint8Array(await new Response(init.body).arrayBuffer()));
      return await fetch(url, init);
    });
  }

  async #orNever<T>(task: () => Promise<T>): Promise<T> {
    const never = new Promise<never>(() => undefined);
    if (this.#isDead) return await never;
    const result = await task();
    return this.#isDead ? await never : result;
  }
}

/** An upload that dies with its page after so many requests; resolves with what its journal tells then. */
async function diesAfter(
  requestCount: number,
  video: RandomVideo,
  server: string,
  sent: Sent,
  journal: MemoryJournal,
  extras: ExtraSource = { first: [] },
): Promise<KeptUpload> {
  const page = new DyingPage(requestCount, sent, journal);
  const { options } = hosting(video, server, { ...page.parts, extras, kept: journal.kept });
  void hostVideo(options).catch(assert.unreachable);
  await page.died;
  return present(journal.kept);
}

async function storedBy(server: HttpServer, room: HostedRoom): Promise<Map<number, Buffer>> {
  const [id, video] = [toBase64url(room.roomId), toBase64url(room.videoId)];
  const all = new Map<number, Buffer>();
  for (const number of await server.store.storedSegments(id, video)) {
    const last = present(await server.store.segmentBytes(id, video, number)) - 1;
    const chunks: Buffer[] = [];
    for await (const chunk of server.store.readSegment(id, video, number, 0, last)) chunks.push(chunk);
    all.set(number, Buffer.concat(chunks));
  }
  return all;
}

/** Checks that the server has the whole film, and nothing else, for members to decrypt. */
async function assertWhole(server: HttpServer, room: HostedRoom, video: RandomVideo): Promise<void> {
  const stored = await storedBy(server, room);
  const { contentKey } = await deriveVideoKeys(crypto, room.roomSecret, room.videoId);
  const made = new Map(video.made.map((segment) => [segment.number, concat(...segment.parts)]));
  assert.equal([...stored.keys()], [...made.keys()]);
  for (const [number, data] of made) {
    const ciphertext = new Uint8Array(present(stored.get(number)));
    assert.ok(
      areEqual(await decryptRange(crypto, contentKey, number, 0, ciphertext), data),
      `segment ${number}`,
    );
  }
}

const resume = suite('going on with an upload');

resume(
  'should finish after ten crashes, with the bytes of an upload without any',
  withHttp({}, async (server) => {
    const random = seededRandom(SEED);
    const video = new FixedVideo(sizes(60, 40_000));
    const journal = new MemoryJournal();
    const sent = new Sent();
    for (let crash = 0; crash < CRASHES; crash++)
      await diesAfter(1 + Math.floor(random() * 14), video, server.url, sent, journal);
    const kept = present(journal.kept);
    assert.ok(kept.entries.length < 60, 'it was still under way');
    const giveaway = new Giveaway(crypto);
    const before = await storedBy(server, kept.room);
    const [listed, stored]: [number[], number[]] = [[], []];
    giveaway.listen({
      begun: ({ videoId }) => assert.equal(videoId, kept.room.videoId),
      published: () => undefined,
      listed: (segments) => listed.push(...segments),
      stored: (segment) => stored.push(segment),
    });
    const { options, told } = hosting(video, server.url, {
      ...new DyingPage(999, sent, journal).parts,
      kept,
      giveaway,
    });
    const room = await hostVideo(options);
    assert.is(journal.kept, null);
    assert.is(listed.at(-1), 59);
    assert.not(
      listed.some((number) => before.has(number)),
      'what the server had was not given any more',
    );
    assert.equal(
      stored.sort((a, b) => a - b),
      listed,
    );
    assert.is(told.rooms.length, 1);
    assert.is(told.progress.at(-1)?.uploadedBytes, told.progress.at(-1)?.totalBytes);
    await assertWhole(server, room, video);
    assert.ok(sent.count <= 60 + 3 * CRASHES, `${sent.count} segments were sent for 60`);
    await withHttp({}, async (other) => {
      const unstopped = { ...kept, entries: [], confirmedCount: 0 };
      await hostVideo(hosting(video, other.url, { kept: unstopped }).options);
      assert.equal(await storedBy(server, room), await storedBy(other, room));
    })();
  }),
);

resume(
  'should keep extras through crashes, though they are made otherwise each time',
  withHttp({}, async (server) => {
    const random = seededRandom(SEED);
    const video = new FixedVideo(sizes(20, 40_000));
    const journal = new MemoryJournal();
    const sent = new Sent();
    const subtitles = utf8('subtitles');
    const extras: ExtraSource = {
      first: [subtitles],
      async *make(listed) {
        for (let made = listed.length; made < 5; made++) yield crypto.randomBytes(30_000);
      },
    };
    for (let crash = 0; crash < 5; crash++)
      await diesAfter(1 + Math.floor(random() * 10), video, server.url, sent, journal, extras);
    const before = present(journal.kept);
    assert.ok((before.extras?.size ?? 0) > 1, 'some had been signed');
    const parts = new DyingPage(999, sent, journal).parts;
    const { options, told } = hosting(video, server.url, { ...parts, extras, kept: before });
    const room = await hostVideo(options);
    assert.equal(room.videoId, before.room.videoId, 'it did not begin anew');
    assert.is(told.rooms.length, 1);
    const { contentKey } = await deriveVideoKeys(crypto, room.roomSecret, room.videoId);
    const plain: Bytes[] = [];
    for (const [number, ciphertext] of await storedBy(server, room))
      plain.push(await decryptRange(crypto, contentKey, number, 0, new Uint8Array(ciphertext)));
    const film = [
      ...new Map(video.made.map((segment) => [segment.number, concat(...segment.parts)])).values(),
    ];
    assert.equal(plain[1], subtitles);
    assert.equal(
      plain.filter((each) => film.some((data) => areEqual(data, each))),
      film,
    );
    const others = plain.slice(2).filter((each) => !film.some((data) => areEqual(data, each)));
    assert.is(others.length, 5, 'those made before count, and none is there twice');
    for (const data of before.extras?.values() ?? [])
      assert.ok(
        plain.some((each) => areEqual(each, data)),
        'what was signed is there',
      );
  }),
);

resume(
  'should note what is to be signed before the server gets to know of it',
  withHttp({}, async (server) => {
    const journal = new MemoryJournal();
    const listed: number[] = [];
    const watching: typeof fetch = async (url, init) => {
      if (String(url).endsWith('/manifest')) listed.push(present(journal.kept).entries.length);
      return fetch(url, init);
    };
    const { options } = hosting(new FixedVideo(sizes(9)), server.url, { journal, fetch: watching });
    await hostVideo(options);
    assert.ok((listed[0] ?? 0) >= 2);
    assert.is(listed.at(-1), 9);
  }),
);

resume(
  'should begin anew under another key where the film is packaged otherwise than before',
  withHttp({}, async (server) => {
    for (const second of [new FixedVideo(sizes(20, 30_000)), new FixedVideo(sizes(4, 30_000))]) {
      const journal = new MemoryJournal();
      const sent = new Sent();
      const kept = await diesAfter(9, new FixedVideo(sizes(20, 30_000)), server.url, sent, journal);
      const { parts } = new DyingPage(999, sent, journal);
      const room = await hostVideo(hosting(second, server.url, { ...parts, kept }).options);
      assert.equal(room.link, kept.room.link);
      assert.not.ok(areEqual(room.videoId, kept.room.videoId));
      await assertWhole(server, room, second);
      assert.equal(await server.store.listVideos(toBase64url(room.roomId)), [toBase64url(room.videoId)]);
    }
  }),
);

resume(
  'should keep what is uploaded while the server is away, and take it down when cancelled',
  withHttp({}, async (server) => {
    const journal = new MemoryJournal();
    const video = new FixedVideo(sizes(20));
    let leftCount = 8;
    const cut: typeof fetch = (...args) =>
      leftCount-- > 0 ? fetch(...args) : Promise.reject(new Error('cut'));
    const error = await rejection(hostVideo(hosting(video, server.url, { journal, fetch: cut }).options));
    assert.is(error instanceof MatineeError && error.code, 'SERVER_UNREACHABLE');
    const kept: KeptUpload = present(journal.kept);
    const cancel = new AbortController();
    const { options } = hosting(video, server.url, {
      journal,
      kept,
      signal: cancel.signal,
      onProgress: ({ phase, uploadedBytes }) =>
        phase === 'uploading' && uploadedBytes > 1e6 && cancel.abort(),
    });
    const cancelled = await rejection(hostVideo(options));
    assert.is(cancelled instanceof MatineeError && cancelled.code, 'ABORTED');
    assert.is(await server.store.roomRecord(toBase64url(kept.room.roomId)), null);
    assert.is(journal.kept, null);
  }),
);

resume(
  'should finish in a room that the host has locked meanwhile',
  withHttp({}, async (server) => {
    const journal = new MemoryJournal();
    const video = new FixedVideo(sizes(20));
    const kept = await diesAfter(9, video, server.url, new Sent(), journal);
    const { roomId, hostKey } = kept.room;
    const lock = await signRules(crypto, hostKey, { ...NO_RULES, number: 1, lockedTo: [new Uint8Array(16)] });
    await server.store.putRules(toBase64url(roomId), lock);
    await assertWhole(server, await hostVideo(hosting(video, server.url, { journal, kept }).options), video);
  }),
);

resume(
  'should say so where the room is gone meanwhile',
  withHttp({}, async (server) => {
    const journal = new MemoryJournal();
    const video = new FixedVideo(sizes(20));
    const kept = await diesAfter(9, video, server.url, new Sent(), journal);
    await withHttp({}, async (empty) => {
      const error = await rejection(hostVideo(hosting(video, empty.url, { journal, kept }).options));
      assert.is(error instanceof MatineeError && error.code, 'ROOM_UNKNOWN');
      assert.is(journal.kept, null);
    })();
  }),
);

resume.run();

const identity = suite('recognising a file');

function fileOf(bytes: Uint8Array, name = 'film.mp4') {
  return {
    name,
    sizeBytes: bytes.byteLength,
    read: async (start: number, end: number) => bytes.slice(start, end),
  };
}

identity('should know a file again, also under another name, and no other', async () => {
  for (const sizeBytes of [1, 1000, 524_288, 524_289, 5_000_000]) {
    const bytes = new Uint8Array(sizeBytes);
    crypto.randomBytes(Math.min(sizeBytes, 60_000)).forEach((byte, at) => {
      bytes[at] = byte;
    });
    const before = await identifyFile(crypto, fileOf(bytes));
    mustBeSameFile(before, await identifyFile(crypto, fileOf(bytes, 'copy.mp4')));
    const longer = new Uint8Array(sizeBytes + 1);
    longer.set(bytes);
    const others = [longer, changedAt(bytes, 0), changedAt(bytes, sizeBytes - 1)];
    for (const other of others) {
      const now = await identifyFile(crypto, fileOf(other));
      assert.throws(() => mustBeSameFile(before, now), /Choose “film.mp4” as it was then/);
    }
  }
});

identity('should read little of a large file', async () => {
  let readBytes = 0;
  const read = async (start: number, end: number): Promise<Uint8Array> => {
    readBytes += end - start;
    return new Uint8Array(end - start);
  };
  await identifyFile(crypto, { name: 'large.mkv', sizeBytes: 20e9, read });
  assert.ok(readBytes <= 600_000, `${readBytes}`);
});

function changedAt(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

identity.run();
