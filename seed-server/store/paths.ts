import { join } from 'node:path';
import { fromBase64url } from '../../peer/bytes.ts';
import { ROOM_ID_BYTES, VIDEO_ID_BYTES } from '../../peer/crypto/keys.ts';
import { MatineeError } from '../../peer/errors.ts';
import { HASH_BYTES, MAX_PAGE_SEGMENTS, MAX_PAGES } from '../../peer/limits.ts';

const HASH_HEX = new RegExp(`^[0-9a-f]{${HASH_BYTES * 2}}$`);
const SEGMENT = /^(0|[1-9][0-9]{0,8})$/;
const MAX_SEGMENTS = MAX_PAGES * MAX_PAGE_SEGMENTS;

/** Whether a text is a room id: the one canonical base64url of 16 bytes, and so never a path. */
export function isRoomId(text: string): boolean {
  return fromBase64url(text)?.byteLength === ROOM_ID_BYTES;
}

/** Whether a text is a video id. */
export function isVideoId(text: string): boolean {
  return fromBase64url(text)?.byteLength === VIDEO_ID_BYTES;
}

/** The number a text stands for where it is the one spelling of a possible segment number, else null. */
export function segmentNumber(text: string): number | null {
  const number = SEGMENT.test(text) ? Number(text) : -1;
  return number >= 0 && number < MAX_SEGMENTS ? number : null;
}

/** Whether a text is the lower-case hex of a SHA-256, as pages are named. */
export function isPageName(text: string): boolean {
  return HASH_HEX.test(text);
}

/**
 * Where things are under a data folder. Everything that comes from outside is checked here, before it is
 * part of any path: all methods throw MatineeError REQUEST_MALFORMED for what is not an id.
 */
export class StorePaths {
  readonly rooms: string;
  /** Files on their way in and folders on their way out; emptied at start. In the same file system as the rest, so that a rename is atomic. */
  readonly temporary: string;

  constructor(dataDir: string) {
    this.rooms = join(dataDir, 'rooms');
    this.temporary = join(dataDir, 'temporary');
  }

  room(room: string): string {
    return join(this.rooms, checked(room, isRoomId(room), 'room id'));
  }

  record(room: string): string {
    return join(this.room(room), 'record');
  }

  rules(room: string): string {
    return join(this.room(room), 'rules');
  }

  videos(room: string): string {
    return join(this.room(room), 'videos');
  }

  video(room: string, video: string): string {
    return join(this.videos(room), checked(video, isVideoId(video), 'video id'));
  }

  head(room: string, video: string): string {
    return join(this.video(room, video), 'head');
  }

  pages(room: string, video: string): string {
    return join(this.video(room, video), 'pages');
  }

  page(room: string, video: string, hashHex: string): string {
    return join(this.pages(room, video), checked(hashHex, isPageName(hashHex), 'page hash'));
  }

  segments(room: string, video: string): string {
    return join(this.video(room, video), 'segments');
  }

  segment(room: string, video: string, segment: number): string {
    return join(this.segments(room, video), segmentName(segment));
  }
}

/** The file name of a segment. @throws MatineeError REQUEST_MALFORMED where there can be no such segment. */
export function segmentName(segment: number): string {
  const name = String(segment);
  return checked(name, segmentNumber(name) !== null, 'segment number');
}

function checked(text: string, isRight: boolean, what: string): string {
  if (isRight) return text;
  throw new MatineeError('REQUEST_MALFORMED', `This is not a ${what}. Check the address.`);
}
