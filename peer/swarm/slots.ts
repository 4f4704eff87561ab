/** Slots that lie together where a piece needs more than one: large pieces have four times the size of small ones. */
export const BLOCK_SLOTS = 4;

export interface SlotParts {
  slotBytes: number;
  slotCount: number;
}

/**
 * Who may write where in a file of slots: a piece that fits gets one slot, a larger one a whole block. A block is cut
 * up for small pieces when it has to be, and whole again when the last of them is gone. Pure bookkeeping.
 */
export class Slots {
  readonly #slotBytes: number;
  readonly #endSlot: number;
  readonly #freeBlocks: number[] = [];
  /** The free slots of each block that is cut up, by the block's first slot. */
  readonly #cut = new Map<number, number[]>();
  /** Those of them that have a free slot. */
  readonly #cutWithRoom = new Set<number>();
  #unusedFrom = 0;

  constructor({ slotBytes, slotCount }: SlotParts) {
    this.#slotBytes = slotBytes;
    this.#endSlot = slotCount - (slotCount % BLOCK_SLOTS);
  }

  /** The first slot of room for so many bytes, at most those of a block; null where there is none. */
  take(sizeBytes: number): number | null {
    return sizeBytes > this.#slotBytes ? this.#takeBlock() : this.#takeSlot();
  }

  /** Gives back what take() gave for so many bytes. */
  giveBack(slot: number, sizeBytes: number): void {
    if (sizeBytes > this.#slotBytes) this.#freeBlocks.push(slot);
    else this.#giveSlotBack(slot);
  }

  #takeBlock(): number | null {
    const freed = this.#freeBlocks.pop();
    if (freed !== undefined) return freed;
    if (this.#unusedFrom >= this.#endSlot) return null;
    const block = this.#unusedFrom;
    this.#unusedFrom += BLOCK_SLOTS;
    return block;
  }

  #takeSlot(): number | null {
    const [block = this.#cutBlock()] = this.#cutWithRoom;
    if (block === null) return null;
    const free = this.#cut.get(block) ?? [];
    const slot = free.pop() ?? null;
    if (free.length === 0) this.#cutWithRoom.delete(block);
    return slot;
  }

  #cutBlock(): number | null {
    const block = this.#takeBlock();
    if (block === null) return null;
    // Taken from the end: a file grows from its start.
    this.#cut.set(
      block,
      Array.from({ length: BLOCK_SLOTS }, (_, i) => block + BLOCK_SLOTS - 1 - i),
    );
    this.#cutWithRoom.add(block);
    return block;
  }

  #giveSlotBack(slot: number): void {
    const block = slot - (slot % BLOCK_SLOTS);
    const free = this.#cut.get(block) ?? [];
    free.push(slot);
    this.#cutWithRoom.add(block);
    if (free.length < BLOCK_SLOTS) return;
    this.#cut.delete(block);
    this.#cutWithRoom.delete(block);
    this.#freeBlocks.push(block);
  }
}
