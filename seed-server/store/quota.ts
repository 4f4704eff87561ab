import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { MatineeError } from '../../peer/errors.ts';
import { codeOf } from './durable.ts';

/** Bytes that rooms may take; Infinity: no limit. */
export interface QuotaLimits {
  allBytes: number;
  roomBytes: number;
}

/** How many bytes each room, and all together, may take. Counts what is stored and what is on its way. */
export class Quota {
  readonly #limits: QuotaLimits;
  /** By room; those with nothing are left out. */
  #roomBytes: Map<string, number>;
  /** Resolves once what was stored before is counted; null after that. */
  #counting: Promise<void> | null = null;
  /** Tasks that store something right now, by room. */
  readonly #tasks = new Map<string, number>();
  #usedBytes = 0;

  /** @param roomBytes what is stored already, by room; while that is still being counted, whoever changes something waits. */
  constructor(
    limits: QuotaLimits,
    roomBytes: ReadonlyMap<string, number> | Promise<ReadonlyMap<string, number>>,
  ) {
    this.#limits = limits;
    this.#roomBytes = new Map();
    if (!(roomBytes instanceof Promise)) {
      this.#adopt(roomBytes);
      return;
    }
    this.#counting = roomBytes.then((counted) => this.#adopt(counted));
    // Whoever waits for it is told; where nobody does, its owner knows.
    this.#counting.catch(() => {});
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Bytes of one room. */
  roomBytes(room: string): number {
    return this.#roomBytes.get(room) ?? 0;
  }

  /** Whether something is being stored in this room right now. */
  isBusy(room: string): boolean {
    return this.#tasks.has(room);
  }

  /**
   * Runs a task that stores up to `mostBytes` in a room, for which there is room from the start, and resolves to what it
   * kept in the end, which then counts instead; nothing where it rejects.
   * @throws MatineeError STORE_FULL where a quota or the disk has no room; what the task throws.
   */
  async spend(room: string, mostBytes: number, task: () => Promise<number>): Promise<void> {
    if (this.#counting) await this.#counting;
    if (this.roomBytes(room) + mostBytes > this.#limits.roomBytes) throw roomFull(this.#limits.roomBytes);
    if (this.#usedBytes + mostBytes > this.#limits.allBytes) throw storeFull();
    this.#count(room, mostBytes);
    this.#tasks.set(room, (this.#tasks.get(room) ?? 0) + 1);
    let keptBytes = 0;
    try {
      keptBytes = await task();
    } catch (error) {
      throw isDiskFull(error) ? storeFull(error) : error;
    } finally {
      this.#count(room, keptBytes - mostBytes);
      const others = (this.#tasks.get(room) ?? 1) - 1;
      if (others > 0) this.#tasks.set(room, others);
      else this.#tasks.delete(room);
    }
  }

  /** Resolves once what was stored at the start is counted, which is not to change before. */
  async whenCounted(): Promise<void> {
    await this.#counting;
  }

  /** Counts bytes of a room no longer that were removed. */
  release(room: string, bytes: number): void {
    this.#count(room, -bytes);
  }

  #adopt(roomBytes: ReadonlyMap<string, number>): void {
    this.#roomBytes = new Map(roomBytes);
    for (const bytes of roomBytes.values()) this.#usedBytes += bytes;
    this.#counting = null;
  }

  #count(room: string, bytes: number): void {
    this.#usedBytes += bytes;
    const left = this.roomBytes(room) + bytes;
    if (left === 0) this.#roomBytes.delete(room);
    else this.#roomBytes.set(room, left);
  }
}

function isDiskFull(error: unknown): boolean {
  return codeOf(error) === 'ENOSPC' || codeOf(error) === 'EDQUOT';
}

function roomFull(maxBytes: number): MatineeError {
  const gigabytes = Number((maxBytes / 1e9).toPrecision(3));
  return new MatineeError(
    'STORE_FULL',
    `This room is full: this server gives a room ${gigabytes} GB. Ask whoever runs it for more, or share a smaller video.`,
  );
}

/** The error for a store without room, whether by quota or by disk. */
function storeFull(cause?: unknown): MatineeError {
  return new MatineeError(
    'STORE_FULL',
    'The server has no space left for this video. Ask whoever runs it to make room, or share a smaller one.',
    { cause },
  );
}

/** Bytes of all files under a folder; those that vanish meanwhile count nothing. */
export async function folderBytes(path: string): Promise<number> {
  let sumBytes = 0;
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const inner = join(path, entry.name);
    sumBytes += entry.isDirectory() ? await folderBytes(inner) : await fileBytes(inner);
  }
  return sumBytes;
}

/** Bytes of a file; 0 where there is none. */
export async function fileBytes(path: string): Promise<number> {
  try {
    return (await lstat(path)).size;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 0;
    throw error;
  }
}
