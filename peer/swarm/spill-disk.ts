import type { Bytes } from '../bytes.ts';
import type { PieceDisk, Spill } from './piece-disk.ts';
import { Slots } from './slots.ts';

/** Writes under way at once, 2 MiB at most: enough to keep a disk busy, and all that memory may hold beyond its budget. */
export const MAX_WRITES = 32;

export interface SpillDiskParts {
  open: Spill['open'];
  /** There may be room now: the disk opened, or a slot that was still being used came free. */
  onRoom(): void;
  /** The disk failed. Told once; nothing is written any more, what it holds is still read where that works. */
  onError(error: unknown): void;
}

/**
 * A PieceDisk that opens when it is needed, hands its slots out, and never gives them to another piece while they are
 * being read or written. Its failures end here: they are told once, and show as false and null.
 */
export class SpillDisk {
  readonly #parts: SpillDiskParts;
  /** How many reads and writes use a slot now. */
  readonly #users = new Map<number, number>();
  /** Given back, but still used: the bytes they were taken for. */
  readonly #leaving = new Map<number, number>();
  #disk: PieceDisk | null = null;
  #slots: Slots | null = null;
  #hasAsked = false;
  #hasFailed = false;
  #isClosed = false;
  #writes = 0;

  constructor(parts: SpillDiskParts) {
    this.#parts = parts;
  }

  /** Whether a write may begin now, given room for it. */
  get isTaking(): boolean {
    return this.#disk !== null && !this.#hasFailed && this.#writes < MAX_WRITES;
  }

  /** Whether slots that were given back wait for their last use to end. */
  get isFreeing(): boolean {
    return this.#leaving.size > 0;
  }

  /** Opens the disk, the first time only. */
  open(): void {
    if (this.#hasAsked) return;
    this.#hasAsked = true;
    void this.#open();
  }

  /** Where a piece of so many bytes can be written, or null where there is no room. Whoever took it gives it back. */
  take(sizeBytes: number): number | null {
    return this.#slots?.take(sizeBytes) ?? null;
  }

  /** Another piece may be written there, as soon as nobody reads or writes this one any more. */
  giveBack(slot: number, sizeBytes: number): void {
    if (this.#users.has(slot)) this.#leaving.set(slot, sizeBytes);
    else this.#slots?.giveBack(slot, sizeBytes);
  }

  /** Whether it was written. Never rejects. */
  async write(slot: number, data: Bytes): Promise<boolean> {
    this.#writes += 1;
    try {
      await this.#using(slot, (disk) => disk.write(slot, data));
      return true;
    } catch (error) {
      this.#fail(error);
      return false;
    } finally {
      this.#writes -= 1;
    }
  }

  /** The first bytes from a slot on, fewer where it has fewer, or null where they cannot be read. Never rejects. */
  async read(slot: number, sizeBytes: number): Promise<Bytes | null> {
    try {
      return await this.#using(slot, (disk) => disk.read(slot, sizeBytes));
    } catch (error) {
      this.#fail(error);
      return null;
    }
  }

  /** Closes the disk, at once or as soon as it has opened. Never rejects. */
  async close(): Promise<void> {
    this.#isClosed = true;
    try {
      await this.#disk?.close();
    } catch (error) {
      this.#fail(error);
    }
  }

  async #open(): Promise<void> {
    try {
      this.#disk = await this.#parts.open();
      this.#slots = this.#disk && new Slots(this.#disk);
    } catch (error) {
      this.#fail(error);
    }
    if (this.#isClosed) await this.close();
    else this.#parts.onRoom();
  }

  async #using<T>(slot: number, use: (disk: PieceDisk) => Promise<T>): Promise<T> {
    if (!this.#disk) throw new Error('no disk is open');
    this.#users.set(slot, (this.#users.get(slot) ?? 0) + 1);
    try {
      return await use(this.#disk);
    } finally {
      this.#used(slot);
    }
  }

  #used(slot: number): void {
    const others = (this.#users.get(slot) ?? 1) - 1;
    if (others > 0) this.#users.set(slot, others);
    else this.#users.delete(slot);
    const leavingBytes = this.#leaving.get(slot);
    if (others > 0 || leavingBytes === undefined) return;
    this.#leaving.delete(slot);
    this.#slots?.giveBack(slot, leavingBytes);
    this.#parts.onRoom();
  }

  #fail(error: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    // What breaks because we close it is no failure.
    if (!this.#isClosed) this.#parts.onError(error);
  }
}
