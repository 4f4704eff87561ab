import type { Bytes } from '../bytes.ts';

/** Where a peer's uploads come from: the origin's disk, or what a viewer holds. */
export interface PieceSource {
  /** Bytes of this piece, or 0 where it is not here. */
  pieceBytes(segment: number, piece: number): number;
  /**
   * Fills `into` (as long as pieceBytes said) with the ciphertext; false where it is gone meanwhile.
   * Rejects only where the storage itself fails.
   */
  read(segment: number, piece: number, into: Uint8Array): Promise<boolean>;
}

/** What a viewer holds, in memory, within a budget. Whoever is first over it decides by `pickVictim` which segment goes. */
export class MemoryPieces implements PieceSource {
  readonly #budgetBytes: number;
  readonly #segments = new Map<number, Map<number, Bytes>>();
  #heldBytes = 0;

  constructor(budgetBytes: number) {
    this.#budgetBytes = budgetBytes;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Segments of which at least one piece is here. */
  get segments(): Iterable<number> {
    return this.#segments.keys();
  }

  /** The pieces held of a segment. */
  piecesOf(segment: number): Iterable<number> {
    return this.#segments.get(segment)?.keys() ?? [];
  }

  countOf(segment: number): number {
    return this.#segments.get(segment)?.size ?? 0;
  }

  has(segment: number, piece: number): boolean {
    return this.#segments.get(segment)?.has(piece) ?? false;
  }

  /** The ciphertext of a piece, or null where it is not here. Not to be changed. */
  get(segment: number, piece: number): Bytes | null {
    return this.#segments.get(segment)?.get(piece) ?? null;
  }

  pieceBytes(segment: number, piece: number): number {
    return this.get(segment, piece)?.byteLength ?? 0;
  }

  async read(segment: number, piece: number, into: Uint8Array): Promise<boolean> {
    const data = this.get(segment, piece);
    if (data) into.set(data);
    return data !== null;
  }

  /** Keeps a verified piece. Returns the segments given up for it, chosen one after the other by `pickVictim` (null: keep all). */
  put(
    segment: number,
    piece: number,
    data: Bytes,
    pickVictim: (held: Iterable<number>) => number | null,
  ): number[] {
    const pieces = this.#segments.get(segment) ?? new Map<number, Bytes>();
    if (pieces.has(piece)) return [];
    this.#segments.set(segment, pieces);
    pieces.set(piece, data);
    this.#heldBytes += data.byteLength;
    const dropped: number[] = [];
    while (this.#heldBytes > this.#budgetBytes) {
      const victim = pickVictim(this.#segments.keys());
      if (victim === null || !this.#segments.has(victim)) break;
      this.#forget(victim);
      dropped.push(victim);
    }
    return dropped;
  }

  clear(): void {
    this.#segments.clear();
    this.#heldBytes = 0;
  }

  #forget(segment: number): void {
    for (const data of this.#segments.get(segment)?.values() ?? []) this.#heldBytes -= data.byteLength;
    this.#segments.delete(segment);
  }
}
