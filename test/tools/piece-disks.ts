import { open, rm } from 'node:fs/promises';
import { type Bytes, concat } from '../../peer/bytes.ts';
import type { PieceDisk } from '../../peer/swarm/piece-disk.ts';

/** As large as a small piece, as the page's own file has them. */
export const SLOT_BYTES = 16 * 1024;

/** A real file as a disk; close() removes it. */
export async function fileDisk(path: string, slotCount: number): Promise<PieceDisk> {
  const file = await open(path, 'wx+');
  return {
    slotBytes: SLOT_BYTES,
    slotCount,
    async write(slot, data) {
      await file.write(data, 0, data.byteLength, slot * SLOT_BYTES);
    },
    async read(slot, sizeBytes) {
      const into = new Uint8Array(sizeBytes);
      const { bytesRead } = await file.read(into, 0, sizeBytes, slot * SLOT_BYTES);
      return into.subarray(0, bytesRead);
    },
    async close() {
      await file.close();
      await rm(path);
    },
  };
}

interface Waiting {
  run(): void;
  fail(error: Error): void;
}

/**
 * A disk that does nothing until it is told to, in any order, and as late as it may: a write stores what the
 * buffer holds at its end, a read gives what the slot holds at its end.
 */
export class SlowDisk implements PieceDisk {
  readonly slotBytes: number;
  readonly slotCount: number;
  readonly waiting: Waiting[] = [];
  /** What was written, cut into slots. */
  readonly slots = new Map<number, Bytes>();
  closedCount = 0;

  constructor(slotCount: number, slotBytes = SLOT_BYTES) {
    this.slotBytes = slotBytes;
    this.slotCount = slotCount;
  }

  write(slot: number, data: Bytes): Promise<void> {
    return this.#later(() => {
      for (let i = 0; i * this.slotBytes < data.byteLength; i++)
        this.slots.set(slot + i, data.slice(i * this.slotBytes, (i + 1) * this.slotBytes));
    });
  }

  read(slot: number, sizeBytes: number): Promise<Bytes> {
    return this.#later(() => {
      const count = Math.ceil(sizeBytes / this.slotBytes);
      const parts = Array.from({ length: count }, (_, i) => this.slots.get(slot + i) ?? new Uint8Array());
      return concat(...parts).slice(0, sizeBytes);
    });
  }

  async close(): Promise<void> {
    this.closedCount += 1;
  }

  /** Ends one operation that waits, well or badly; resolves when everybody who waited for it has been told. */
  async end(index: number, isFailing = false): Promise<void> {
    const [operation] = this.waiting.splice(index, 1);
    if (isFailing) operation?.fail(new Error('the disk failed'));
    else operation?.run();
    await settle();
  }

  /** Ends all that waits and all that comes of it. */
  async endAll(): Promise<void> {
    await settle();
    while (this.waiting.length > 0) await this.end(0);
  }

  #later<T>(run: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ run: () => resolve(run()), fail: reject });
    });
  }
}

/** Resolves when all promises that could settle have. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
