import { createHash, type Hash } from 'node:crypto';
import { areEqual } from '../../peer/bytes.ts';
import { MatineeError } from '../../peer/errors.ts';
import { pieceBytes } from '../../peer/manifest/geometry.ts';
import { pieceHash, type SegmentEntry } from '../../peer/manifest/page.ts';

/** Checks a segment's ciphertext against its manifest entry as it comes in, piece by piece; holds none of it. */
export class SegmentCheck {
  readonly #entry: SegmentEntry;
  #piece = 0;
  #hash: Hash = createHash('sha256');
  /** Bytes of the current piece that are still to come. */
  #missingBytes: number;

  constructor(entry: SegmentEntry) {
    this.#entry = entry;
    this.#missingBytes = pieceBytes(entry.sizeBytes, 0);
  }

  /** Takes the next bytes. @throws MatineeError SEGMENT_MISMATCH at the first wrong piece, or where there are too many. */
  take(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.byteLength; ) {
      if (this.#missingBytes <= 0) throw mismatch('is longer than');
      const part = chunk.subarray(at, at + this.#missingBytes);
      this.#hash.update(part);
      this.#missingBytes -= part.byteLength;
      at += part.byteLength;
      if (this.#missingBytes === 0) this.#endPiece();
    }
  }

  /** Says that no more will come. @throws MatineeError SEGMENT_MISMATCH where some is missing. */
  end(): void {
    if (this.#missingBytes > 0) throw mismatch('is shorter than');
  }

  #endPiece(): void {
    if (!areEqual(this.#hash.digest(), pieceHash(this.#entry, this.#piece))) throw mismatch('differs from');
    this.#piece += 1;
    this.#hash = createHash('sha256');
    this.#missingBytes = pieceBytes(this.#entry.sizeBytes, this.#piece);
  }
}

function mismatch(how: string): MatineeError {
  return new MatineeError(
    'SEGMENT_MISMATCH',
    `This segment ${how} what the host's manifest says. It was changed on its way: send it again.`,
  );
}
