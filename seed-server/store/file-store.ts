import { createReadStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { type Bytes, toBase64url } from '../../peer/bytes.ts';
import type { Crypto } from '../../peer/crypto/crypto.ts';
import { MatineeError } from '../../peer/errors.ts';
import type { SegmentEntry } from '../../peer/manifest/page.ts';
import type { RoomRecord } from '../../peer/manifest/room-record.ts';
import type { ListedVideo, Rules } from '../../peer/manifest/rules.ts';
import type { OperatedRooms } from '../operator.ts';
import { writing } from './disk-failure.ts';
import { codeOf, makeFolders, syncFolder, TemporaryFile } from './durable.ts';
import type { ExpiringRooms } from './expiry.ts';
import { lastUseMs, noteUse } from './last-use.ts';
import { removeLeftovers } from './leftovers.ts';
import { ManifestFiles } from './manifest-files.ts';
import { StorePaths } from './paths.ts';
import { fileBytes, folderBytes, Quota, type QuotaLimits } from './quota.ts';
import { ReadStore } from './read-store.ts';
import { RecordFiles } from './record-files.ts';
import { RulesFiles } from './rules-files.ts';
import { SegmentCheck } from './segment-check.ts';
import { Serial } from './serial.ts';
import { roomUnknown, type Shelf } from './shelf.ts';
import type { Store } from './store.ts';

/** Bytes read ahead from disk for one HTTP answer. */
const READ_AHEAD_BYTES = 256 * 1024;

/**
 * The store in one data folder: rooms/<room>/record, rooms/<room>/rules and rooms/<room>/videos/<video>/{head, pages/<hash>, segments/<n>}.
 * Whatever has such a name is whole, and on disk before its writer is told so. One process writes; others may
 * read by `ReadStore`.
 */
export class FileStore implements Store, ExpiringRooms, OperatedRooms {
  readonly #shelf: Shelf;
  readonly #records: RecordFiles;
  readonly #rules: RulesFiles;
  readonly #manifests: ManifestFiles;
  /** Changes to one room happen one after the other. */
  readonly #serial = new Serial();

  readonly #tidied: Promise<void>;
  #beginTidying: () => void = () => {};
  #isClosed = false;

  private constructor(crypto: Crypto, paths: StorePaths, files: ReadStore, limits: QuotaLimits) {
    const isLimited = Math.min(limits.allBytes, limits.roomBytes) < Number.POSITIVE_INFINITY;
    const begun = new Promise<void>((resolve) => {
      this.#beginTidying = resolve;
    });
    const sizes = begun.then(() => this.#tidy(paths, files, isLimited));
    this.#tidied = sizes.then(() => {});
    this.#shelf = { crypto, paths, files, quota: new Quota(limits, isLimited ? sizes : new Map()) };
    this.#records = new RecordFiles(this.#shelf);
    this.#rules = new RulesFiles(this.#shelf);
    this.#manifests = new ManifestFiles(this.#shelf);
  }

  /**
   * Opens the store of a data folder, which is made where it is missing, and resolves once it is tidy.
   * Rejects with the system's error where the folder cannot be written.
   * @param maxBytes of all rooms together; Infinity: no limit.
   * @param maxRoomBytes of each room; Infinity: no limit.
   */
  static async open(
    crypto: Crypto,
    dataDir: string,
    maxBytes = Number.POSITIVE_INFINITY,
    maxRoomBytes = Number.POSITIVE_INFINITY,
  ): Promise<FileStore> {
    const store = await FileStore.openUntidied(crypto, dataDir, maxBytes, maxRoomBytes);
    await store.tidyUp();
    return store;
  }

  /** The same, resolving at once, however many rooms there are: tidyUp() is still to be called. */
  static async openUntidied(
    crypto: Crypto,
    dataDir: string,
    maxBytes: number,
    maxRoomBytes: number,
  ): Promise<FileStore> {
    const paths = new StorePaths(dataDir);
    await makeFolders(paths.rooms);
    await rm(paths.temporary, { recursive: true, force: true });
    await mkdir(paths.temporary);
    await syncFolder(dataDir);
    const limits = { allBytes: maxBytes, roomBytes: maxRoomBytes };
    return new FileStore(crypto, paths, new ReadStore(dataDir), limits);
  }

  /**
   * Removes what a crash left half-written and, where there are quotas, counts all that is stored; once, however often it is
   * called. Rooms can be read before it resolves; what changes one may have to wait for it.
   */
  tidyUp(): Promise<void> {
    this.#beginTidying();
    return this.#tidied;
  }

  roomRecord(room: string): Promise<RoomRecord | null> {
    return this.#records.find(room);
  }

  putRecord(room: string, envelope: Bytes): Promise<boolean> {
    return this.#change(room, () => this.#records.put(room, envelope));
  }

  removeRoom(room: string, command: Bytes): Promise<void> {
    return this.#change(room, async () => {
      const videos = await this.#shelf.files.listVideos(room);
      await this.#records.remove(room, command);
      this.#forget(room, videos);
    });
  }

  listRooms(): Promise<string[]> {
    return this.#shelf.files.listRooms();
  }

  noteUse(room: string, atMs: number): Promise<void> {
    return this.#serial.run(room, () => noteUse(this.#shelf.paths, room, atMs));
  }

  removeUnused(room: string, sinceMs: number): Promise<boolean> {
    return this.#change(room, async () => {
      const { files, paths, quota } = this.#shelf;
      const videos = await files.listVideos(room);
      if (quota.isBusy(room) || (await lastUseMs(paths, room, videos)) >= sinceMs) return false;
      await this.#records.bury(room);
      this.#forget(room, videos);
      return true;
    });
  }

  async measureRoom(room: string): Promise<{ sizeBytes: number; lastUseMs: number } | null> {
    const { files, paths } = this.#shelf;
    if (!(await files.readRecord(room))) return null;
    const videos = await files.listVideos(room);
    const sizeBytes = await folderBytes(paths.room(room)).catch(ifGone(0));
    return { sizeBytes, lastUseMs: await lastUseMs(paths, room, videos) };
  }

  removeAnyway(room: string): Promise<boolean> {
    return this.#change(room, async () => {
      const { files } = this.#shelf;
      if (!(await files.readRecord(room))) return false;
      const videos = await files.listVideos(room);
      await this.#records.bury(room);
      this.#forget(room, videos);
      return true;
    });
  }

  rules(room: string): Promise<Rules | null> {
    return this.#serial.run(room, () => this.#rules.find(room));
  }

  readRules(room: string): Promise<Bytes | null> {
    return this.#shelf.files.readRules(room);
  }

  putRules(room: string, envelope: Bytes): Promise<boolean> {
    return this.#change(room, async () => {
      await this.#records.mustFind(room);
      const isNew = await this.#rules.put(room, envelope);
      // Also where the very same were there: a crash may have come before the others went.
      await this.#manifests.removeUnlisted(room, idsOf((await this.#rules.find(room))?.videos ?? []));
      return isNew;
    });
  }

  putManifest(room: string, video: string, update: Bytes): Promise<boolean> {
    return this.#change(room, async () => {
      await this.#records.mustFind(room);
      const listed = (await this.#rules.find(room))?.videos ?? [];
      return await this.#manifests.put(room, video, update, idsOf(listed));
    });
  }

  putSegment(
    room: string,
    video: string,
    segment: number,
    body: AsyncIterable<Uint8Array>,
  ): Promise<boolean> {
    return writing(() => this.#storeSegment(room, video, segment, body));
  }

  async #storeSegment(
    room: string,
    video: string,
    segment: number,
    body: AsyncIterable<Uint8Array>,
  ): Promise<boolean> {
    const path = this.#shelf.paths.segment(room, video, segment);
    const entry = await this.#serial.run(room, () => this.#missing(room, video, segment));
    if (!entry) {
      // A crash may have come between its rename and the sync: whoever is told that it is stored can rely on that.
      await syncFolder(dirname(path));
      return false;
    }
    let isNew = false;
    await this.#shelf.quota.spend(room, entry.sizeBytes, async () => {
      const file = await TemporaryFile.create(this.#shelf.paths.temporary);
      try {
        await receive(body, new SegmentCheck(entry), file);
        await file.seal();
        isNew = await this.#serial.run(room, () => keepIfNew(file, path));
      } finally {
        await file.discard();
      }
      return isNew ? entry.sizeBytes : 0;
    });
    return isNew;
  }

  listVideos(room: string): Promise<string[]> {
    return this.#shelf.files.listVideos(room);
  }

  readHead(room: string, video: string): Promise<Bytes | null> {
    return this.#shelf.files.readHead(room, video);
  }

  readPage(room: string, video: string, hash: Uint8Array): Promise<Bytes | null> {
    return this.#shelf.files.readPage(room, video, hash);
  }

  storedSegments(room: string, video: string): Promise<number[]> {
    return this.#shelf.files.storedSegments(room, video);
  }

  async segmentBytes(room: string, video: string, segment: number): Promise<number | null> {
    // No segment is empty: 0 says that it is not there.
    return (await fileBytes(this.#shelf.paths.segment(room, video, segment))) || null;
  }

  readSegment(room: string, video: string, segment: number, first: number, last: number): Readable {
    const path = this.#shelf.paths.segment(room, video, segment);
    return createReadStream(path, { start: first, end: last, highWaterMark: READ_AHEAD_BYTES });
  }

  /** Ends tidying up, which the next one to open the store takes up again. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.tidyUp();
  }

  /** Resolves to the bytes of each room, where they are to be counted. */
  async #tidy(paths: StorePaths, files: ReadStore, isCounting: boolean): Promise<Map<string, number>> {
    const sizes = new Map<string, number>();
    for (const room of await files.listRooms()) {
      if (this.#isClosed) break;
      await this.#serial.run(room, () => removeLeftovers(paths, room));
      if (isCounting) sizes.set(room, await folderBytes(paths.room(room)));
    }
    return sizes;
  }

  #forget(room: string, videos: readonly string[]): void {
    this.#rules.forget(room);
    for (const video of videos) this.#manifests.forget(room, video);
  }

  /** Runs a change to a room, after those before it. @throws MatineeError STORE_READ_ONLY; what the task throws. */
  #change<T>(room: string, task: () => Promise<T>): Promise<T> {
    return this.#serial.run(room, () => writing(task));
  }

  /** The entry of a segment that is to be stored, or null where it is. @throws as putSegment. */
  async #missing(room: string, video: string, segment: number): Promise<SegmentEntry | null> {
    await this.#records.mustFind(room);
    const entry = (await this.#manifests.find(room, video)).entry(segment);
    if (entry) return (await this.segmentBytes(room, video, segment)) === null ? entry : null;
    throw new MatineeError(
      'SEGMENT_MISMATCH',
      `The host's manifest lists no segment ${segment}. Publish the manifest first.`,
    );
  }
}

/** For a folder that was removed while it was looked at. */
function ifGone<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (codeOf(error) === 'ENOENT') return value;
    throw error;
  };
}

function idsOf(videos: readonly ListedVideo[]): string[] {
  return videos.map(({ video }) => toBase64url(video));
}

async function receive(
  body: AsyncIterable<Uint8Array>,
  check: SegmentCheck,
  file: TemporaryFile,
): Promise<void> {
  for await (const chunk of body) {
    check.take(chunk);
    await file.write(chunk);
  }
  check.end();
}

/** Moves a segment to its place; false where another upload of it was quicker. */
async function keepIfNew(file: TemporaryFile, path: string): Promise<boolean> {
  if ((await fileBytes(path)) > 0) return false;
  try {
    await file.keep(path);
    await syncFolder(dirname(path));
    return true;
  } catch (error) {
    // The room was taken down meanwhile.
    throw codeOf(error) === 'ENOENT' ? roomUnknown() : error;
  }
}
