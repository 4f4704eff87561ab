import type { Bytes } from '../bytes.ts';
import type { Spill } from './piece-disk.ts';
import type { PieceIndex, PieceSource } from './piece-store.ts';
import { SpillDisk } from './spill-disk.ts';

/** Where what is held lies, bytes. */
export interface HeldBytes {
  /** What is on its way to the disk included. */
  memory: number;
  disk: number;
}

export interface HeldPiecesParts {
  /** Bytes kept in memory where no disk takes the rest, and in no case more (but for the segment that is just coming). */
  memoryBytes: number;
  /** Null: nothing leaves memory but by being given up. */
  spill: Spill | null;
  /** How dispensable a segment is now: 0 where the playhead is, more the farther it is from being played. */
  weightOf(segment: number): number;
  /** Whether these bytes are this piece: what comes back from a disk is believed no more than what comes from a peer. */
  isRight(segment: number, piece: number, data: Bytes): Promise<boolean>;
  /** These segments were given up, or lost with the disk. */
  onDrop(segments: number[]): void;
  /** The disk failed; told once. What is held goes on in memory alone. */
  onError(error: unknown): void;
}

/** One piece. In memory alone (loose): data, no slot. On its way to the disk: both. On the disk: a slot, no data. */
interface Held {
  readonly sizeBytes: number;
  data: Bytes | null;
  slot: number | null;
  isGone: boolean;
}

interface HeldSegment {
  readonly pieces: Map<number, Held>;
  /** Those in memory alone. */
  readonly loose: Set<number>;
}

interface LoosePiece {
  segment: number;
  piece: number;
  held: Held;
  data: Bytes;
}

/** At this part of its budget in memory the disk is opened, so that it is there when it is needed. */
const OPEN_DISK_AT = 0.75;

/**
 * What a viewer holds: the list of it in memory, the bytes in memory or on a disk. What is farthest from being
 * played goes to the disk first; where that is full, or there is none, whole segments are given up, the farthest
 * first, never the init segment nor the one that is just coming.
 */
export class HeldPieces implements PieceSource, PieceIndex {
  readonly #parts: HeldPiecesParts;
  readonly #disk: SpillDisk | null;
  readonly #segments = new Map<number, HeldSegment>();
  /** Segments with loose pieces. */
  readonly #loose = new Set<number>();
  #looseBytes = 0;
  #writingBytes = 0;
  #diskBytes = 0;
  #coming = 0;
  #isClosed = false;

  constructor(parts: HeldPiecesParts) {
    this.#parts = parts;
    const { spill, onError } = parts;
    this.#disk =
      spill && new SpillDisk({ open: () => spill.open(), onRoom: () => this.#makeRoom(), onError });
  }

  get heldBytes(): HeldBytes {
    return { memory: this.#looseBytes + this.#writingBytes, disk: this.#diskBytes };
  }

  get segments(): Iterable<number> {
    return this.#segments.keys();
  }

  piecesOf(segment: number): Iterable<number> {
    return this.#segments.get(segment)?.pieces.keys() ?? [];
  }

  countOf(segment: number): number {
    return this.#segments.get(segment)?.pieces.size ?? 0;
  }

  has(segment: number, piece: number): boolean {
    return this.#find(segment, piece) !== null;
  }

  pieceBytes(segment: number, piece: number): number {
    return this.#find(segment, piece)?.sizeBytes ?? 0;
  }

  /** Keeps a verified piece, which must not be changed any more. What has to go for it is told by onDrop before this returns. */
  put(segment: number, piece: number, data: Bytes): void {
    if (this.#isClosed || this.has(segment, piece)) return;
    const its = this.#segments.get(segment) ?? { pieces: new Map(), loose: new Set() };
    this.#segments.set(segment, its);
    const held = { sizeBytes: data.byteLength, data, slot: null, isGone: false };
    its.pieces.set(piece, held);
    this.#addLoose(segment, piece, held);
    this.#coming = segment;
    this.#makeRoom();
  }

  /**
   * The ciphertext of a piece, not to be changed; null where it is not here. What cannot be read back as it was
   * is gone, and its segment with it.
   */
  async load(segment: number, piece: number): Promise<Bytes | null> {
    const held = this.#find(segment, piece);
    if (!held || held.data) return held?.data ?? null;
    const data = await this.#readBack(segment, piece, held);
    if (this.#isClosed) return null;
    if (!data && !held.isGone) this.#lose(segment);
    return data;
  }

  async read(segment: number, piece: number, into: Uint8Array): Promise<boolean> {
    const data = await this.load(segment, piece);
    if (data) into.set(data);
    return data !== null;
  }

  /** Forgets everything and closes the disk. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const segment of [...this.#segments.keys()]) this.#forget(segment);
    await this.#disk?.close();
  }

  #find(segment: number, piece: number): Held | null {
    return this.#segments.get(segment)?.pieces.get(piece) ?? null;
  }

  async #readBack(segment: number, piece: number, held: Held): Promise<Bytes | null> {
    if (held.slot === null || !this.#disk) return null;
    const data = await this.#disk.read(held.slot, held.sizeBytes);
    return data && (await this.#parts.isRight(segment, piece, data)) ? data : null;
  }

  #addLoose(segment: number, piece: number, held: Held): void {
    this.#segments.get(segment)?.loose.add(piece);
    this.#loose.add(segment);
    this.#looseBytes += held.sizeBytes;
  }

  #takeLoose(segment: number, piece: number, held: Held): void {
    const loose = this.#segments.get(segment)?.loose;
    loose?.delete(piece);
    if (loose?.size === 0) this.#loose.delete(segment);
    this.#looseBytes -= held.sizeBytes;
  }

  /** Brings memory back into its budget, by the disk where it can, else by giving up. */
  #makeRoom(): void {
    const dropped: number[] = [];
    const { memoryBytes, spill } = this.#parts;
    if (spill) {
      if (this.#looseBytes > spill.memoryBytes * OPEN_DISK_AT) this.#disk?.open();
      while (this.#looseBytes > spill.memoryBytes && this.#spillOne(dropped)) {
        // each round brings one piece on its way, or makes slots free
      }
    }
    // While the disk opens, and where it is slow or failed, this is what bounds memory.
    const boundBytes = Math.max(memoryBytes, spill?.memoryBytes ?? 0);
    while (this.#looseBytes > boundBytes && this.#giveUp(this.#loose, dropped)) {
      // each round gives up one segment
    }
    if (dropped.length > 0) this.#parts.onDrop(dropped);
  }

  /** One step towards a smaller memory by means of the disk; false where none can be made now. */
  #spillOne(dropped: number[]): boolean {
    const disk = this.#disk;
    const piece = disk?.isTaking ? this.#farthestLoose() : null;
    if (!disk || !piece) return false;
    const slot = disk.take(piece.held.sizeBytes);
    if (slot !== null) this.#spillTo(disk, slot, piece);
    // Slots that are about to come free are enough: their coming calls us again.
    return slot !== null || (!disk.isFreeing && this.#giveUp(this.#segments.keys(), dropped));
  }

  #farthestLoose(): LoosePiece | null {
    // The init segment goes last: every new start of the decoder wants it.
    const segment = farthest(this.#loose, (s) => (s === 0 ? 0 : 1 + this.#parts.weightOf(s)));
    const [piece] = (segment === null ? null : this.#segments.get(segment)?.loose) ?? [];
    if (segment === null || piece === undefined) return null;
    const held = this.#find(segment, piece);
    return held?.data ? { segment, piece, held, data: held.data } : null;
  }

  #spillTo(disk: SpillDisk, slot: number, { segment, piece, held, data }: LoosePiece): void {
    held.slot = slot;
    this.#takeLoose(segment, piece, held);
    this.#writingBytes += held.sizeBytes;
    void disk.write(slot, data).then((isWritten) => this.#written(segment, piece, held, isWritten));
  }

  #written(segment: number, piece: number, held: Held, isWritten: boolean): void {
    if (!held.isGone) {
      this.#writingBytes -= held.sizeBytes;
      if (isWritten) this.#leaveMemory(held);
      else this.#stayInMemory(segment, piece, held);
    }
    this.#makeRoom();
  }

  #leaveMemory(held: Held): void {
    held.data = null;
    this.#diskBytes += held.sizeBytes;
  }

  #stayInMemory(segment: number, piece: number, held: Held): void {
    this.#giveSlotBack(held);
    this.#addLoose(segment, piece, held);
  }

  #giveUp(from: Iterable<number>, dropped: number[]): boolean {
    const segment = farthest(from, (s) => (s === 0 || s === this.#coming ? 0 : this.#parts.weightOf(s)), 0);
    if (segment === null) return false;
    this.#forget(segment);
    dropped.push(segment);
    return true;
  }

  #lose(segment: number): void {
    this.#forget(segment);
    this.#parts.onDrop([segment]);
  }

  #forget(segment: number): void {
    for (const [piece, held] of this.#segments.get(segment)?.pieces ?? []) {
      held.isGone = true;
      if (!held.data) this.#diskBytes -= held.sizeBytes;
      else if (held.slot !== null) this.#writingBytes -= held.sizeBytes;
      else this.#takeLoose(segment, piece, held);
      this.#giveSlotBack(held);
    }
    this.#segments.delete(segment);
  }

  #giveSlotBack(held: Held): void {
    if (held.slot !== null) this.#disk?.giveBack(held.slot, held.sizeBytes);
    held.slot = null;
  }
}

/** The segment of the greatest weight, if that is more than `above`; null where there is none. */
function farthest(
  segments: Iterable<number>,
  weightOf: (segment: number) => number,
  above = -1,
): number | null {
  let found: number | null = null;
  let greatest = above;
  for (const segment of segments) {
    const weight = weightOf(segment);
    if (weight > greatest) {
      greatest = weight;
      found = segment;
    }
  }
  return found;
}
