import { areEqual, type Bytes } from '../bytes.ts';
import type { SegmentEntry } from '../manifest/page.ts';
import type { ListedVideo } from '../manifest/rules.ts';
import type { HostedRoom } from './new-room.ts';

/** What is kept of an upload that stopped goes once nothing was noted of it for so long, milliseconds: nobody will go on with it. */
export const KEPT_FOR_MS = 30 * 24 * 3_600_000;

/** What of an upload stays the same from its beginning to its end. Whoever has it is the room's host. */
export interface UploadRecord {
  readonly room: HostedRoom;
  /** Of the room; with it the same signed record can be made again. Milliseconds since 1970. */
  readonly createdAtMs: number;
  /** The video's description, sealed. */
  readonly info: Bytes;
  /** What the room had, where the video is added to one that is there; left out: the room is made for it. */
  readonly addedTo?: AddedTo;
}

/** A room that gets another video. */
export interface AddedTo {
  /** Its only video, where it has no list so far; else null. */
  readonly present: ListedVideo | null;
}

/** An upload that stopped half-way, as its journal tells. */
export interface KeptUpload extends UploadRecord {
  /** The segments that were signed, or were about to be, in order: number 0 is the init segment. */
  readonly entries: readonly SegmentEntry[];
  /** So many of them the server has confirmed to be listed, all but those noted last; perhaps those too. */
  readonly confirmedCount: number;
  /** The extras among them, by number, as they are before they are encrypted; left out: none. */
  readonly extras?: ReadonlyMap<number, Bytes>;
}

/**
 * Where an upload is noted, so that whoever comes after a crash can go on. What is to be signed is noted before anybody gets
 * it: then no other content is ever encrypted under a key and counter that were used.
 */
export interface UploadJournal {
  /** An upload begins; it takes the place of the one that was noted before. Resolves once that is safely kept. */
  begin(upload: UploadRecord): Promise<void>;
  /**
   * These segments, numbered from `firstSegment`, are about to be signed; `extras` are those of them that could not be made the
   * same again. Resolves once that is safely kept.
   */
  list(
    firstSegment: number,
    entries: readonly SegmentEntry[],
    extras: ReadonlyMap<number, Bytes>,
  ): Promise<void>;
  /** There is nothing to go on with any more. */
  end(): Promise<void>;
}

/** For uploads of which nothing is kept. */
export const NO_JOURNAL: UploadJournal = {
  begin: async () => undefined,
  list: async () => undefined,
  end: async () => undefined,
};

/** Whether a segment that was made again is the one that was signed. */
export function isSameSegment(signed: SegmentEntry, made: SegmentEntry): boolean {
  return (
    signed.sizeBytes === made.sizeBytes &&
    signed.startMs === made.startMs &&
    signed.durationMs === made.durationMs &&
    areEqual(signed.pieceHashes, made.pieceHashes)
  );
}
