import { areEqual, type Bytes, toHex } from '../bytes.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { MatineeError } from '../errors.ts';
import { doesContinue, type ManifestHead, openHead, type PageReference } from './head.ts';
import { decodePage, type SegmentEntry } from './page.ts';

/** The hex of a page's hash: asked for in every run of the scheduler, and long to make. */
const hexes = new WeakMap<PageReference, string>();

/**
 * A manifest as its readers hold it: the newest head signed by the room's host, and those of its pages that
 * were fetched. Nothing gets in unverified. Owned by one peer; the origin and viewers alike use it.
 */
export class Manifest {
  readonly #crypto: Crypto;
  readonly #roomId: Bytes;
  #envelope: Bytes | null = null;
  #head: ManifestHead | null = null;
  /** Page bytes by the hex of their hash: what we can pass on. */
  readonly #pageBytes = new Map<string, Bytes>();
  readonly #entries = new Map<number, SegmentEntry>();
  readonly #extras = new Set<number>();

  constructor(crypto: Crypto, roomId: Bytes) {
    this.#crypto = crypto;
    this.#roomId = roomId;
  }

  /** The newest head, or null before the first. */
  get head(): ManifestHead | null {
    return this.#head;
  }

  /** The newest head in its signed envelope, to pass on; null before the first. */
  get envelope(): Bytes | null {
    return this.#envelope;
  }

  /**
   * Takes a signed head. Returns true where it brought something new, false where we had as much.
   * @throws MatineeError MANIFEST_MALFORMED, SIGNATURE_WRONG, or MANIFEST_STALE where it contradicts what the host signed before.
   */
  async adoptHead(envelope: Bytes): Promise<boolean> {
    if (this.#envelope && areEqual(this.#envelope, envelope)) return false;
    const next = await openHead(this.#crypto, this.#roomId, envelope);
    const known = this.#head;
    if (known && doesContinue(next, known)) return false;
    if (known && !doesContinue(known, next)) {
      throw new MatineeError('MANIFEST_STALE', 'This manifest contradicts what the host signed before.');
    }
    this.#head = next;
    this.#envelope = envelope;
    this.#forgetOldPages();
    return true;
  }

  /**
   * Takes the bytes of a page. Returns its reference, or null where no page of the newest head has that hash.
   * @throws MatineeError MANIFEST_MALFORMED where the page contradicts the head that lists it.
   */
  async adoptPage(bytes: Bytes): Promise<PageReference | null> {
    const hash = await this.#crypto.sha256(bytes);
    const reference = this.#head?.pages.find((page) => areEqual(page.hash, hash));
    if (!reference) return null;
    const entries = decodePage(bytes);
    if (entries[0]?.startMs !== reference.startMs || entries.length !== this.#segmentsIn(reference)) {
      throw new MatineeError('MANIFEST_MALFORMED', 'A manifest page contradicts its head.');
    }
    entries.forEach((entry, i) => {
      this.#entries.set(reference.firstSegment + i, entry);
      if (this.isExtra(reference.firstSegment + i)) this.#extras.add(reference.firstSegment + i);
    });
    this.#pageBytes.set(toHex(hash), bytes);
    return reference;
  }

  /** The bytes of a page we hold, by its hash; null where we do not. */
  pageBytes(hash: Bytes): Bytes | null {
    return this.#pageBytes.get(toHex(hash)) ?? null;
  }

  /** The page that lists this segment, or null where the manifest does not reach that far. */
  pageOf(segment: number): PageReference | null {
    if (!this.#head || segment >= this.#head.segmentCount) return null;
    return this.#head.pages.findLast((page) => page.firstSegment <= segment) ?? null;
  }

  /** The page in which the segment shown at `atMs` is listed; null before the first head. */
  pageAt(atMs: number): PageReference | null {
    const pages = this.#head?.pages ?? [];
    let at = pages.findLastIndex((page) => page.startMs <= atMs);
    while (at > 0 && this.#holdsOnlyExtras(at)) at -= 1;
    return pages[at] ?? pages[0] ?? null;
  }

  /** Whether we hold the page behind this reference. */
  hasPage(reference: PageReference): boolean {
    return this.#pageBytes.has(hexOf(reference));
  }

  /** The entry of a segment; null where its page is not here yet or the manifest ends before it. */
  entry(segment: number): SegmentEntry | null {
    return this.#entries.get(segment) ?? null;
  }

  /** Whether this is known to be an extra: something beside pictures and sound, which takes no time. */
  isExtra(segment: number): boolean {
    return segment > 0 && this.#entries.get(segment)?.durationMs === 0;
  }

  /** The extras whose pages are here, in order. */
  get extras(): Iterable<number> {
    return this.#extras;
  }

  /** Pages that hold nothing but extras, as the head alone tells: the film is no longer after them. */
  extrasPages(): PageReference[] {
    return this.#head?.pages.filter((_, at) => at > 0 && this.#takesNoTime(at)) ?? [];
  }

  /**
   * The first segment from this one on that belongs to the film, extras passed over as far as they are known; the head's
   * `segmentCount` where none is left.
   */
  filmFrom(segment: number): number {
    const pages = this.#head?.pages ?? [];
    for (let at = segment; ; ) {
      const entry = this.#entries.get(at);
      if (at === 0 || (entry && entry.durationMs > 0)) return at;
      const page = pages.findLastIndex(({ firstSegment }) => firstSegment <= at);
      if (entry) at += 1;
      else if (page > 0 && at < (this.#head?.segmentCount ?? 0) && this.#takesNoTime(page))
        at = pages[page + 1]?.firstSegment ?? this.#head?.segmentCount ?? at;
      else return at;
    }
  }

  /**
   * The media segment shown at `atMs`: the last one that starts at or before it, never the init segment nor an extra.
   * Null where its page is not here yet, or nothing is listed.
   */
  segmentAt(atMs: number): number | null {
    const page = this.pageAt(atMs);
    if (!page || !this.hasPage(page)) return null;
    let found: number | null = null;
    const end = page.firstSegment + this.#segmentsIn(page);
    for (let segment = Math.max(1, page.firstSegment); segment < end; segment++) {
      const entry = this.#entries.get(segment);
      if (entry?.durationMs === 0) continue;
      if (!entry || (entry.startMs > atMs && found !== null)) break;
      found = segment;
    }
    return found;
  }

  /** Whether the film is where it was after this page. */
  #takesNoTime(at: number): boolean {
    const { pages = [], isDone = false, durationMs = 0 } = this.#head ?? {};
    const [page, next] = [pages[at], pages[at + 1]];
    if (!page) return false;
    return next ? next.startMs === page.startMs : isDone && page.startMs >= durationMs;
  }

  #holdsOnlyExtras(at: number): boolean {
    if (this.#takesNoTime(at)) return true;
    const page = this.#head?.pages[at];
    // The last one of a film that is still uploaded tells it only by what is in it.
    if (!page || at !== (this.#head?.pages.length ?? 0) - 1 || !this.hasPage(page)) return false;
    for (let segment = page.firstSegment; segment < page.firstSegment + this.#segmentsIn(page); segment++)
      if (!this.isExtra(segment)) return false;
    return true;
  }

  #segmentsIn(reference: PageReference): number {
    const head = this.#head;
    if (!head) return 0;
    const next = head.pages[head.pages.indexOf(reference) + 1];
    return (next?.firstSegment ?? head.segmentCount) - reference.firstSegment;
  }

  /** A page that grew has a new hash; its old bytes prove nothing any more. Its entries stay true: they only grow. */
  #forgetOldPages(): void {
    const current = new Set(this.#head?.pages.map((page) => toHex(page.hash)));
    for (const hash of this.#pageBytes.keys()) if (!current.has(hash)) this.#pageBytes.delete(hash);
  }
}

function hexOf(reference: PageReference): string {
  const hex = hexes.get(reference) ?? toHex(reference.hash);
  hexes.set(reference, hex);
  return hex;
}
