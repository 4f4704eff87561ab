import * as v from 'valibot';
import { areEqual, type Bytes, toBase64url } from '../bytes.ts';
import { byteString, count, decodeCbor, encodeCbor } from '../cbor.ts';
import { type Author, type ChatRoom, openAuthored, sealAuthored } from '../chat/authored.ts';
import { ROOM_ID_BYTES, VIDEO_ID_BYTES } from '../crypto/keys.ts';
import { MatineeError } from '../errors.ts';
import { MAX_DURATION_MS, MAX_NAME_CHARS } from '../limits.ts';

const LABEL = 'matinee/1 playback';

/** How fast a film may be played, in hundredths of its own speed. */
export const MIN_SPEED_PERCENT = 25;
export const MAX_SPEED_PERCENT = 400;

/** A statement may be for a moment so far ahead, so that all begin together; clocks differ by less. */
export const MAX_AHEAD_MS = 10_000;

const name = v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_NAME_CHARS));

const playback = v.strictObject({
  v: v.literal(1),
  room: byteString(ROOM_ID_BYTES),
  video: byteString(VIDEO_ID_BYTES),
  wishedMs: count(Number.MAX_SAFE_INTEGER),
  atMs: count(Number.MAX_SAFE_INTEGER),
  placeMs: count(MAX_DURATION_MS),
  isPlaying: v.boolean(),
  speedPercent: v.pipe(count(MAX_SPEED_PERCENT), v.minValue(MIN_SPEED_PERCENT)),
  isStart: v.boolean(),
  waitsFor: v.nullable(name),
  name,
});

/**
 * Where the room is in a film: at `placeMs` of it at room time `atMs`, and from then on playing at that speed, or standing.
 * `wishedMs`: the room time of the wish behind it, which may be told again with a newer `atMs`. `isStart`: nobody wished it,
 * the first to come just began. `waitsFor`: it stands so that somebody can catch up. `name` is its author's.
 */
export type PlaybackSaid = Omit<v.InferOutput<typeof playback>, 'v' | 'room'>;

/** A statement of where the room is, and who made it: proven. */
export interface Playback extends PlaybackSaid {
  /** The author's member id. */
  from: string;
  isHost: boolean;
  /** Its body, so that no two that differ are equal. */
  key: string;
}

/** A statement signed by its author and sealed with the room's chat key. */
export function sealPlayback(room: ChatRoom, author: Author, said: PlaybackSaid): Promise<Bytes> {
  return sealAuthored(room, author, LABEL, encodeBody(room, said));
}

/** The statement in a sealed one. @throws MatineeError SEAL_BROKEN, SIGNATURE_WRONG or FRAME_MALFORMED. */
export async function openPlayback(room: ChatRoom, sealed: Bytes): Promise<Playback> {
  const { body, from, isHost } = await openAuthored(room, LABEL, sealed);
  const { v: _, room: ofRoom, ...said } = decodeCbor(playback, body, 'FRAME_MALFORMED', 'playback');
  if (!areEqual(ofRoom, room.roomId)) {
    throw new MatineeError('SIGNATURE_WRONG', 'This was said in another room.');
  }
  if (said.wishedMs > said.atMs) {
    throw new MatineeError('FRAME_MALFORMED', 'This playback was wished after it was told.');
  }
  return { ...said, from, isHost, key: playbackKey(room, said) };
}

/** What tells a statement from every other of its author. */
export function playbackKey(room: ChatRoom, said: PlaybackSaid): string {
  return toBase64url(encodeBody(room, said));
}

function encodeBody({ roomId }: ChatRoom, said: PlaybackSaid): Bytes {
  return encodeCbor({ v: 1, room: roomId, ...said });
}

/** Where in the film the room is at room time `roomMs`, milliseconds. Where the statement is for a moment to come: where it will begin. */
export function placeAt({ atMs, placeMs, isPlaying, speedPercent }: PlaybackSaid, roomMs: number): number {
  if (!isPlaying) return placeMs;
  return placeMs + (Math.max(0, roomMs - atMs) * speedPercent) / 100;
}

/**
 * Which of two statements of one video stands, whatever order they came in; positive: the first. What somebody wished stands
 * before what just began; of wishes the later one, of beginnings the earlier one (who starts at the same time as others joins
 * them); of the same told twice the newer; else something that is the same for everybody.
 */
export function comparePlayback(a: Playback, b: Playback): number {
  if (a.isStart !== b.isStart) return a.isStart ? -1 : 1;
  if (a.wishedMs !== b.wishedMs) return a.isStart ? b.wishedMs - a.wishedMs : a.wishedMs - b.wishedMs;
  if (a.atMs !== b.atMs) return a.atMs - b.atMs;
  if (a.from !== b.from) return a.from < b.from ? -1 : 1;
  if (a.key === b.key) return 0;
  return a.key < b.key ? -1 : 1;
}
