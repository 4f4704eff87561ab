import { Change } from './change.ts';
import type { SealedSegment } from './seal-segment.ts';

/** Segments held between packager and server at most, those on their way included: three in flight and three to follow. */
const MAX_HELD_SEGMENTS = 6;

/** Bytes held at which the packager has to wait. One more segment may be in the making. */
const MAX_HELD_BYTES = 16 * 1024 * 1024;

/** What viewers need before anything else, so what is listed first: the init segment and one that plays, and extras that come before it. */
const FIRST_BATCH_SEGMENTS = 2;

/**
 * The segments between packager and server, in order. Each is added, then listed in a manifest that the
 * server has, then stored; only listed ones are uploaded, because the server keeps no others. Holds little:
 * the packager waits for room. All waits reject when the signal aborts.
 */
export class UploadQueue {
  readonly #change: Change;
  #unlisted: SealedSegment[] = [];
  readonly #listed: SealedSegment[] = [];
  /** How many segments are taken to be listed. */
  #listingCount = 0;
  #hasListed = false;
  /** Segments that were added, extras not counted. */
  #filmCount = 0;
  #hasEnded = false;
  #heldCount = 0;
  #heldBytes = 0;

  constructor(signal: AbortSignal) {
    this.#change = new Change(signal);
  }

  /** Resolves when one more segment may be added. */
  async untilRoom(): Promise<void> {
    await this.#change.until(() => {
      // The first ones are listed together: however large they are, all must find room.
      if (this.#heldCount < FIRST_BATCH_SEGMENTS || this.#isFirstBatchMissing) return true;
      return this.#heldCount < MAX_HELD_SEGMENTS && this.#heldBytes < MAX_HELD_BYTES;
    });
  }

  add(segment: SealedSegment): void {
    this.#unlisted.push(segment);
    if (!segment.extra) this.#filmCount += 1;
    this.#heldCount += 1;
    this.#heldBytes += segment.entry.sizeBytes;
    this.#change.tell();
  }

  /** Says that no segment will follow. */
  end(): void {
    this.#hasEnded = true;
    this.#change.tell();
  }

  /** All segments that wait to be listed, as soon as there are some; null at the end. */
  async takeUnlisted(): Promise<SealedSegment[] | null> {
    const isEnough = (): boolean => this.#unlisted.length > 0 && !this.#isFirstBatchMissing;
    await this.#change.until(() => this.#hasEnded || isEnough());
    const batch = this.#unlisted;
    this.#unlisted = [];
    this.#listingCount = batch.length;
    return batch.length > 0 ? batch : null;
  }

  /** The server's manifest lists the segments that were taken last. */
  markListed(batch: readonly SealedSegment[]): void {
    this.#hasListed = true;
    this.#listingCount = 0;
    this.#listed.push(...batch);
    this.#change.tell();
  }

  /** The next listed segment, for its uploader alone, as soon as there is one; null at the end. */
  async takeListed(): Promise<SealedSegment | null> {
    let segment = this.#listed.shift();
    // Looked for and taken in one step: all uploaders wake at the same change, for perhaps one segment.
    while (!segment && !this.#isAllListed) {
      await this.#change.next();
      segment = this.#listed.shift();
    }
    return segment ?? null;
  }

  /** The segment is safely stored and need not be held any longer. */
  markStored(segment: SealedSegment): void {
    this.#heldCount -= 1;
    this.#heldBytes -= segment.entry.sizeBytes;
    this.#change.tell();
  }

  /** Resolves when nothing is held any longer and nothing will follow. */
  async untilAllStored(): Promise<void> {
    await this.#change.until(() => this.#hasEnded && this.#heldCount === 0);
  }

  get #isFirstBatchMissing(): boolean {
    return !this.#hasListed && this.#filmCount < FIRST_BATCH_SEGMENTS;
  }

  get #isAllListed(): boolean {
    return this.#hasEnded && this.#unlisted.length === 0 && this.#listingCount === 0;
  }
}
