import type { Readable } from 'node:stream';
import type { Bytes } from '../../peer/bytes.ts';
import type { RoomRecord } from '../../peer/manifest/room-record.ts';
import type { Rules } from '../../peer/manifest/rules.ts';

/**
 * Rooms, manifests and segments: the seam behind which they may one day be kept elsewhere. Ids are base64url;
 * every method rejects with MatineeError REQUEST_MALFORMED for what is no id. Whatever is put in is verified
 * here against the room's host's signature, so what is stored is what a host signed.
 */
export interface Store {
  /** Who may sign for a room; null where there is no such room. */
  roomRecord(room: string): Promise<RoomRecord | null>;

  /**
   * Registers a room by its signed record. Resolves with whether it is new; false where the same was there.
   * @throws MatineeError MANIFEST_MALFORMED, SIGNATURE_WRONG, ROOM_TAKEN, STORE_FULL.
   */
  putRecord(room: string, envelope: Bytes): Promise<boolean>;

  /**
   * Removes a room and all it holds, by its host's signed command.
   * @throws MatineeError ROOM_UNKNOWN, MANIFEST_MALFORMED, SIGNATURE_WRONG.
   */
  removeRoom(room: string, command: Bytes): Promise<void>;

  /** The host's rules for its room; null where it made none, or there is no such room. */
  rules(room: string): Promise<Rules | null>;

  /** The same, in their signed envelope. */
  readRules(room: string): Promise<Bytes | null>;

  /**
   * Takes signed rules. Resolves, once they are safely stored, with whether they are new; false where the very same were there.
   * Videos that are not on their list go, unless it is empty.
   * @throws MatineeError ROOM_UNKNOWN, MANIFEST_MALFORMED, SIGNATURE_WRONG, STORE_FULL; MANIFEST_STALE where those
   *   that are stored have the same number or a higher one.
   */
  putRules(room: string, envelope: Bytes): Promise<boolean>;

  /**
   * Takes an encoded manifest update. Resolves with whether it brought something new; false where it was there.
   * @throws MatineeError ROOM_UNKNOWN, MANIFEST_MALFORMED, SIGNATURE_WRONG, STORE_FULL; MANIFEST_STALE where it
   *   does not continue what is stored, or the room has another video and its rules do not list this one.
   */
  putManifest(room: string, video: string, update: Bytes): Promise<boolean>;

  /**
   * Takes a segment's ciphertext as it comes in. Resolves once it is safely stored: true where it is new, false
   * where it was there, and then nothing is read. The body is not closed; where this rejects, some may be unread.
   * @throws MatineeError ROOM_UNKNOWN; SEGMENT_MISMATCH where the manifest lists no such segment or other bytes;
   *   STORE_FULL; what the body throws.
   */
  putSegment(room: string, video: string, segment: number, body: AsyncIterable<Uint8Array>): Promise<boolean>;

  listVideos(room: string): Promise<string[]>;

  /** The signed head of a manifest, or null. */
  readHead(room: string, video: string): Promise<Bytes | null>;

  /** A page of a manifest by its hash, or null. */
  readPage(room: string, video: string, hash: Uint8Array): Promise<Bytes | null>;

  /** The numbers of the segments that are stored, rising. */
  storedSegments(room: string, video: string): Promise<number[]>;

  /** Bytes of a stored segment, or null where it is not stored. */
  segmentBytes(room: string, video: string, segment: number): Promise<number | null>;

  /** The bytes `first` to `last` (both included) of a stored segment. */
  readSegment(room: string, video: string, segment: number, first: number, last: number): Readable;
}
