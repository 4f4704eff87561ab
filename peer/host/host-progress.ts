import type { SegmentEntry } from '../manifest/page.ts';
import type { SealedSegment } from './seal-segment.ts';
import type { LineState } from './server-line.ts';

/** How far an upload has come. */
export interface HostProgress {
  /** 'resuming': what was uploaded before is made once more, up to the place where it stopped. */
  phase: 'resuming' | 'uploading' | 'finishing' | 'done';
  /** Bytes made by the packager so far. */
  packagedBytes: number;
  /** Bytes the server has confirmed to be stored; those on their way don't count. */
  uploadedBytes: number;
  /** Bytes there will be: the size of the source until packaging ends, then exact. */
  totalBytes: number;
  /** Milliseconds of film in the stored segments. */
  uploadedMs: number;
  /** Segments made by the packager so far, the init segment included. */
  segmentCount: number;
  /** Milliseconds until the next try while the server does not answer, else null. */
  retryInMs: number | null;
  /** A sentence for the host while something is wrong, else null. */
  problem: string | null;
}

/** Keeps an upload's progress and tells each change. What it tells is a snapshot of its own. */
export class ProgressLog {
  readonly #tell: (progress: HostProgress) => void;
  #now: HostProgress;

  constructor(sourceBytes: number, tell: (progress: HostProgress) => void) {
    this.#tell = tell;
    this.#now = {
      phase: 'uploading',
      packagedBytes: 0,
      uploadedBytes: 0,
      totalBytes: sourceBytes,
      uploadedMs: 0,
      segmentCount: 0,
      retryInMs: null,
      problem: null,
    };
  }

  /** An upload goes on of which so much was signed before, `stored` of it being stored. */
  resumed(stored: readonly SegmentEntry[]): void {
    let [uploadedBytes, uploadedMs] = [0, 0];
    for (const entry of stored) {
      uploadedBytes += entry.sizeBytes;
      uploadedMs += entry.durationMs;
    }
    this.#change({ phase: 'resuming', uploadedBytes, uploadedMs });
  }

  packaged(segment: SealedSegment): void {
    const packagedBytes = this.#now.packagedBytes + segment.entry.sizeBytes;
    const totalBytes = Math.max(this.#now.totalBytes, packagedBytes);
    this.#change({ packagedBytes, totalBytes, segmentCount: this.#now.segmentCount + 1 });
  }

  packagingEnded(): void {
    this.#change({ totalBytes: this.#now.packagedBytes });
  }

  stored({ entry }: SealedSegment): void {
    this.#change({
      uploadedBytes: this.#now.uploadedBytes + entry.sizeBytes,
      uploadedMs: this.#now.uploadedMs + entry.durationMs,
    });
  }

  phase(phase: 'uploading' | 'finishing' | 'done'): void {
    this.#change({ phase });
  }

  line(state: LineState): void {
    this.#change(state);
  }

  #change(what: Partial<HostProgress>): void {
    this.#now = { ...this.#now, ...what };
    this.#tell(this.#now);
  }
}
