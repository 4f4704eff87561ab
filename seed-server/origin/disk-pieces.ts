import { pieceBytes, pieceStart } from '../../peer/manifest/geometry.ts';
import type { Manifest } from '../../peer/manifest/manifest.ts';
import type { PieceSource } from '../../peer/swarm/piece-store.ts';
import { SegmentFiles } from '../store/read-store.ts';

/** The pieces of one video in the store, as the origin serves them: one positioned read each. */
export class DiskPieces implements PieceSource {
  readonly #manifest: Manifest;
  readonly #files: SegmentFiles;
  readonly #stored: ReadonlySet<number>;

  /** `stored` is the owner's live set of segments that are whole on disk. */
  constructor(manifest: Manifest, folder: string, stored: ReadonlySet<number>) {
    this.#manifest = manifest;
    this.#files = new SegmentFiles(folder);
    this.#stored = stored;
  }

  pieceBytes(segment: number, piece: number): number {
    const entry = this.#stored.has(segment) ? this.#manifest.entry(segment) : null;
    return entry ? Math.max(0, pieceBytes(entry.sizeBytes, piece)) : 0;
  }

  async read(segment: number, piece: number, into: Uint8Array): Promise<boolean> {
    const entry = this.#manifest.entry(segment);
    if (!entry) return false;
    await this.#files.readPiece(segment, pieceStart(entry.sizeBytes, piece), into);
    return true;
  }

  close(): void {
    this.#files.close();
  }
}
