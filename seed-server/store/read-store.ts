import { readdir, readFile } from 'node:fs/promises';
import { type Bytes, toHex } from '../../peer/bytes.ts';
import { codeOf } from './durable.ts';
import { isRoomId, isVideoId, StorePaths, segmentNumber } from './paths.ts';
import { fileBytes } from './quota.ts';

export { SegmentFiles } from './segment-files.ts';

/**
 * What is stored, as any process may read it while another one writes: each file is there whole or not at all.
 * Ids are base64url. Nothing that is read here has been verified since it was written. All methods reject
 * with MatineeError REQUEST_MALFORMED for ids that are none.
 */
export class ReadStore {
  readonly #paths: StorePaths;

  constructor(dataDir: string) {
    this.#paths = new StorePaths(dataDir);
  }

  /** The signed room record, or null where there is no such room. */
  async readRecord(room: string): Promise<Bytes | null> {
    return await readWhole(this.#paths.record(room));
  }

  /** The host's signed rules for its room, or null where it made none. */
  async readRules(room: string): Promise<Bytes | null> {
    return await readWhole(this.#paths.rules(room));
  }

  /** The signed head of a video's manifest, or null where there is none. */
  async readHead(room: string, video: string): Promise<Bytes | null> {
    return await readWhole(this.#paths.head(room, video));
  }

  /**
   * A page of a video's manifest by its hash (32 bytes), or null where it is not there: then the head that
   * named it may have been replaced since, and should be read again.
   */
  async readPage(room: string, video: string, hash: Uint8Array): Promise<Bytes | null> {
    return await readWhole(this.#paths.page(room, video, toHex(hash)));
  }

  /** The ids of all rooms. */
  async listRooms(): Promise<string[]> {
    return (await namesIn(this.#paths.rooms)).filter(isRoomId);
  }

  /** The ids of a room's videos: those that have a manifest. */
  async listVideos(room: string): Promise<string[]> {
    const ids = (await namesIn(this.#paths.videos(room))).filter(isVideoId);
    const sizesBytes = await Promise.all(ids.map((id) => fileBytes(this.#paths.head(room, id))));
    return ids.filter((_, i) => sizesBytes[i] !== 0);
  }

  /** The numbers of the segments that are stored, rising. */
  async storedSegments(room: string, video: string): Promise<number[]> {
    const numbers = (await namesIn(this.#paths.segments(room, video))).map(segmentNumber);
    return numbers.filter((number) => number !== null).sort((a, b) => a - b);
  }

  /** The folder for `SegmentFiles`. */
  segmentsFolder(room: string, video: string): string {
    return this.#paths.segments(room, video);
  }
}

async function readWhole(path: string): Promise<Bytes | null> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';
}
