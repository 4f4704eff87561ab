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

/** Which pieces a peer holds, wherever their bytes are. */
export interface PieceIndex {
  /** Segments of which at least one piece is here. */
  readonly segments: Iterable<number>;
  /** The pieces held of a segment. */
  piecesOf(segment: number): Iterable<number>;
  countOf(segment: number): number;
}
