import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import { seededRandom } from '../sim/seeded-random.ts';
import { LedgerUpload, NoAnswer } from '../tools/ledger-upload.ts';
import { type RunningServer, startServer } from '../tools/running-server.ts';
import { tell } from '../tools/tell.ts';
import { temporaryFolder } from '../tools/temporary-folder.ts';

/**
 * What `kill -9` can show: a killed process loses nothing that it handed to the system, so this says that the order
 * of writes, renames and answers is right, and nothing of power cuts. For those the store relies on: fsync of a
 * file, then rename, then fsync of its folder, then the answer (seed-server/store/durable.ts).
 */
const KILLS = Number(process.env.MATINEE_KILLS || 10);
const SEED = Number(process.env.MATINEE_SEED || 1);

const MIN_LIFE_MS = 5;
const MAX_LIFE_MS = 1500;

/** Rooms uploaded at once. */
const LANES = 2;
const ROOM_SEGMENTS = 60;

/** Finished rooms that are kept, to see that they stay as they are. */
const MAX_FINISHED = 3;

/** Every file that may lie under `rooms`. */
const STORED_FILE =
  /^[\w-]{22}\/(record|rules|videos\/[\w-]{22}\/(head|pages\/[0-9a-f]{64}|segments\/(0|[1-9]\d*)))$/;

const crypto = await chooseCrypto();

/** Rooms on their way to a server that is killed again and again, and what has been seen of them. */
class Siege {
  readonly #dataDir: string;
  readonly #random = seededRandom(SEED);
  readonly #unfinished: LedgerUpload[] = [];
  readonly #finished: LedgerUpload[] = [];
  /** Told to be taken down, and not yet looked at in another life. */
  readonly #gone: LedgerUpload[] = [];
  readonly #cutOff = new Set<LedgerUpload>();
  segmentChecks = 0;
  acknowledgedSegments = 0;
  leftoverCount = 0;
  resumedRooms = 0;
  finishedRooms = 0;
  goneRooms = 0;

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
  }

  /** One life of the server, from its start to its violent end. */
  async killOnce(): Promise<void> {
    const server = await this.#startChecked();
    const lanes = Array.from({ length: LANES }, () => this.#uploadForEver(server.url));
    const ends = Promise.allSettled(lanes);
    await Promise.race([wait(MIN_LIFE_MS + this.#random() * (MAX_LIFE_MS - MIN_LIFE_MS)), ...lanes]).catch(
      () => {},
    );
    await server.kill('SIGKILL');
    for (const end of await ends) {
      if (end.status === 'rejected' && !(end.reason instanceof NoAnswer)) throw end.reason;
    }
    for (const upload of this.#unfinished) this.#cutOff.add(upload);
    this.leftoverCount += (await readdir(join(this.#dataDir, 'temporary'))).length;
  }

  /** A last life, in which all that was begun is finished and looked at. */
  async finish(): Promise<void> {
    const server = await this.#startChecked();
    try {
      for (const upload of this.#unfinished.splice(0)) await this.#finishOne(upload, server.url);
      await this.#check(server.url);
    } finally {
      await server.kill('SIGTERM');
    }
  }

  async #startChecked(): Promise<RunningServer> {
    const server = await startServer({ dataDir: this.#dataDir, env: { LOG_LEVEL: 'info' } });
    try {
      await server.said('the data folder is tidy');
      await this.#checkFolder();
      await this.#check(server.url);
      return server;
    } catch (error) {
      await server.kill('SIGKILL');
      throw error;
    }
  }

  async #check(url: string): Promise<void> {
    for (const upload of [...this.#unfinished, ...this.#finished, ...this.#gone]) {
      this.segmentChecks += (await upload.check(url)).acknowledgedSegments;
    }
    for (const upload of this.#gone.splice(0)) {
      if (upload.isTakenDown) this.goneRooms += 1;
      else this.#finished.push(upload);
    }
  }

  /** Nothing lies about that was not finished. */
  async #checkFolder(): Promise<void> {
    assert.equal(await readdir(join(this.#dataDir, 'temporary')), []);
    assert.is((await readdir(join(this.#dataDir, 'lock'))).length, 1, 'locks of the dead lie about');
    const rooms = join(this.#dataDir, 'rooms');
    const files = (await readdir(rooms, { recursive: true, withFileTypes: true }))
      .filter((entry) => !entry.isDirectory())
      .map((entry) => relative(rooms, join(entry.parentPath, entry.name)).replaceAll('\\', '/'));
    for (const file of files) assert.match(file, STORED_FILE);
    const stored = new Set(files);
    for (const room of await readdir(rooms)) assert.ok(stored.has(`${room}/record`), 'a room has no record');
  }

  /** Until the server does not answer. */
  async #uploadForEver(url: string): Promise<void> {
    for (;;) {
      await this.#takeDownOldest(url);
      const upload = this.#unfinished.shift() ?? (await this.#newUpload());
      try {
        await this.#finishOne(upload, url);
      } catch (error) {
        this.#unfinished.push(upload);
        throw error;
      }
    }
  }

  #newUpload(): Promise<LedgerUpload> {
    return LedgerUpload.create(crypto, ROOM_SEGMENTS, this.#random);
  }

  async #finishOne(upload: LedgerUpload, url: string): Promise<void> {
    const before = upload.acknowledged.size;
    try {
      await upload.run(url);
    } finally {
      this.acknowledgedSegments += upload.acknowledged.size - before;
    }
    this.finishedRooms += 1;
    if (this.#cutOff.delete(upload)) this.resumedRooms += 1;
    this.#finished.push(upload);
  }

  async #takeDownOldest(url: string): Promise<void> {
    const oldest = this.#finished.length > MAX_FINISHED ? this.#finished.shift() : undefined;
    if (!oldest) return;
    this.#gone.push(oldest);
    await oldest.takeDown(url);
  }
}

const killed = suite('a server that is killed');

killed(`should lose nothing that it acknowledged, ${KILLS} times over`, async () => {
  const folder = await temporaryFolder();
  const startedMs = performance.now();
  try {
    const siege = new Siege(folder.path);
    for (let kill = 1; kill <= KILLS; kill++) await siege.killOnce();
    await siege.finish();
    const { acknowledgedSegments, segmentChecks, resumedRooms, finishedRooms, goneRooms, leftoverCount } =
      siege;
    tell(
      `${KILLS} kills in ${Math.round((performance.now() - startedMs) / 1000)} s (seed ${SEED}): ` +
        `${acknowledgedSegments} segments acknowledged, ${segmentChecks} times read back whole; ` +
        `${finishedRooms} uploads finished, ${resumedRooms} of them after kills; ${goneRooms} rooms stayed gone; ` +
        `${leftoverCount} half-written files were left and cleaned.`,
    );
    assert.ok(resumedRooms > 0, 'no upload was cut off');
    // Else the kills did not hit what they are for.
    if (KILLS >= 50) assert.ok(leftoverCount > 0, 'no kill hit a file on its way');
  } finally {
    await folder.remove();
  }
});

killed.run();
