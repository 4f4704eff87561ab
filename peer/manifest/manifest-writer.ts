import * as v from 'valibot';
import type { Bytes } from '../bytes.ts';
import { byteString, decodeCbor, encodeCbor } from '../cbor.ts';
import type { Crypto, SigningKey } from '../crypto/crypto.ts';
import { MatineeError } from '../errors.ts';
import { MAX_FRAME_BYTES, MAX_PAGES } from '../limits.ts';
import { type PageReference, signHead } from './head.ts';
import { doesFitPage, encodePage, isExtra, type SegmentEntry } from './page.ts';

const update = v.strictObject({
  head: byteString(1, MAX_FRAME_BYTES),
  pages: v.pipe(v.array(byteString(1, MAX_FRAME_BYTES)), v.maxLength(MAX_PAGES)),
});

/** What a host publishes: the signed head, and the bytes of the pages that changed since the last one. */
export type ManifestUpdate = v.InferOutput<typeof update>;

/** The update as the body of a request. */
export function encodeManifestUpdate(value: ManifestUpdate): Bytes {
  return encodeCbor(value);
}

/** @throws MatineeError MANIFEST_MALFORMED. */
export function decodeManifestUpdate(bytes: Uint8Array): ManifestUpdate {
  return decodeCbor(update, bytes, 'MANIFEST_MALFORMED', 'manifest update');
}

/** What stays the same in every head of one video. */
export interface ManifestSubject {
  room: Bytes;
  video: Bytes;
  /** The description, sealed with the video's info key. */
  info: Bytes;
  /** As the source file says; the last head has the end of the last segment instead. */
  durationMs: number;
}

/** Segments in the first page; each further one has twice as many. Every viewer takes the first before the first picture, most of them from the origin. */
const FIRST_PAGE_SEGMENTS = 2;

/** The host's growing manifest: append segments in order, then publish what changed. */
export class ManifestWriter {
  readonly #crypto: Crypto;
  readonly #key: SigningKey;
  readonly #subject: ManifestSubject;
  readonly #closedPages: PageReference[] = [];
  #openPage: SegmentEntry[] = [];
  /** Pages that were filled since the last update. */
  #unpublished: Bytes[] = [];
  #segmentCount = 0;
  #sizeBytes = 0;
  #endMs = 0;

  constructor(crypto: Crypto, key: SigningKey, subject: ManifestSubject) {
    this.#crypto = crypto;
    this.#key = key;
    this.#subject = subject;
  }

  /** Segments listed so far: the number the next one gets. */
  get segmentCount(): number {
    return this.#segmentCount;
  }

  /** @throws MatineeError UPLOAD_REFUSED where the film is longer than a manifest can list. */
  async append(entry: SegmentEntry): Promise<void> {
    if (this.#isPageFull(entry)) await this.#closePage();
    this.#openPage.push(entry);
    this.#segmentCount += 1;
    this.#sizeBytes += entry.sizeBytes;
    this.#endMs = entry.startMs + entry.durationMs;
  }

  /** Says that all that was appended is published already: by an upload that this one goes on with. */
  markPublished(): void {
    this.#unpublished = [];
  }

  /** The signed head over all that was appended, and the pages changed since the last call. */
  async publish(isDone: boolean): Promise<ManifestUpdate> {
    const pages = this.#unpublished;
    this.#unpublished = [];
    const references = [...this.#closedPages];
    if (this.#openPage.length > 0) {
      const bytes = encodePage(this.#openPage);
      pages.push(bytes);
      references.push(await this.#reference(bytes));
    }
    const head = await signHead(this.#crypto, this.#key.privateKey, {
      v: 1,
      ...this.#subject,
      durationMs: isDone ? this.#endMs : this.#subject.durationMs,
      publicKey: this.#key.publicKey,
      segmentCount: this.#segmentCount,
      sizeBytes: this.#sizeBytes,
      isDone,
      pages: references,
    });
    return { head, pages };
  }

  /** Extras count for nothing in the first page, and have pages of their own after it: the head shows where those are. */
  #isPageFull(next: SegmentEntry): boolean {
    const open = this.#openPage;
    const first = this.#segmentCount - open.length;
    const filmCount = open.filter((entry, i) => !isExtra(first + i, entry)).length;
    const isNextExtra = isExtra(this.#segmentCount, next);
    const isFull = filmCount >= FIRST_PAGE_SEGMENTS * 2 ** this.#closedPages.length;
    const isOther = this.#closedPages.length > 0 && open.length > 0 && isNextExtra !== (filmCount === 0);
    return isFull || isOther || !doesFitPage(open, next);
  }

  async #closePage(): Promise<void> {
    if (this.#closedPages.length + 1 >= MAX_PAGES) {
      throw new MatineeError('UPLOAD_REFUSED', 'This video is too long for one room. Cut it into parts.');
    }
    const bytes = encodePage(this.#openPage);
    this.#closedPages.push(await this.#reference(bytes));
    this.#unpublished.push(bytes);
    this.#openPage = [];
  }

  async #reference(bytes: Bytes): Promise<PageReference> {
    const startMs = this.#openPage[0]?.startMs ?? 0;
    const firstSegment = this.#segmentCount - this.#openPage.length;
    return { firstSegment, startMs, hash: await this.#crypto.sha256(bytes) };
  }
}
