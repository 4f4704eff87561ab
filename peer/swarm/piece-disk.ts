import type { Bytes } from '../bytes.ts';

/**
 * Storage in slots, for pieces that do not fit in memory; forgotten with the visit. A slot holds a small piece; a large
 * one takes several that follow each other, the first of which is named.
 */
export interface PieceDisk {
  /** Bytes of a slot; PIECE_BYTES fit in BLOCK_SLOTS of them. */
  readonly slotBytes: number;
  /** Slots it may use, numbered from 0. */
  readonly slotCount: number;
  /**
   * Puts a piece at a slot; it must not be changed meanwhile. Rejects where the storage refuses. What was there before
   * is lost either way.
   */
  write(slot: number, data: Bytes): Promise<void>;
  /** The first `sizeBytes` from a slot on, fewer where the storage has fewer. Rejects where the storage fails. */
  read(slot: number, sizeBytes: number): Promise<Bytes>;
  /** Gives all of it up, what is stored included. What is under way may reject. Asks at once, before it first waits. */
  close(): Promise<void>;
}

/** When and whereto a viewer's pieces leave its memory. */
export interface Spill {
  /** Bytes that stay in memory once the disk takes the rest. */
  memoryBytes: number;
  /** Opens the disk; called once, when memory is nearly full. Null where there is none here; rejects where it refuses. */
  open(): Promise<PieceDisk | null>;
}
