import type { EncodedPacket } from 'mediabunny';
import { MatineeError } from '../errors.ts';
import { MAX_SEGMENT_BYTES } from '../limits.ts';
import { CONVERT_IT } from './package-plan.ts';
import { LONE_PICTURE_S, type PacketReader, SAME_TIME_S } from './packet-reader.ts';

/** A segment ends at the first key frame that is at least this far from its start; a little less than 2 s, for clocks that round. */
const SEGMENT_MIN_S = 1.9;

/** The first one ends at the first key frame there is, so that watching starts soon; but not one frame long where all are key frames. */
const FIRST_SEGMENT_MIN_S = 0.5;

/** The packets of one segment, in decode order, timed from the first video frame, or the first sound where there is no picture. */
export interface Cut {
  /** When its key frame is shown, or its first sound begins. */
  startS: number;
  /** The next segment's start, or the media's end for the last. */
  endS: number;
  isLast: boolean;
  video: EncodedPacket[];
  audio: EncodedPacket[];
}

/** The streams to cut, not both null, and the file's time of the first key frame (or sound), which becomes 0. */
export interface Streams {
  video: PacketReader | null;
  audio: PacketReader | null;
  originS: number;
}

/** A place in a track: the packet there, retimed, or null behind the last one. */
interface Cursor {
  current: EncodedPacket | null;
  advance(): Promise<void>;
}

/**
 * Cuts streams into segments: each starts on a key frame of the video and runs to the first key frame about 2 s
 * later, so it is as long as the source's group of pictures where that is longer; the first is as short as its key
 * frames allow. A sound packet belongs to the segment in which it ends, so the sound of a segment covers its start.
 * Pictures and sound from before the first key frame are left out. Sound alone is cut every 2 s. Reads only when asked
 * for the next.
 * @param fromS 0, or the start of the segment to begin with: the cuts are the same as when starting from 0.
 * @throws MatineeError FILE_UNREADABLE where one segment would be larger than memory should hold; ABORTED at the next
 *   packet once the signal says so.
 */
export async function* cutSegments(
  streams: Streams,
  fromS: number,
  signal: AbortSignal,
): AsyncGenerator<Cut, void, undefined> {
  const video = await videoCursor(streams, fromS, signal);
  const audio = await audioCursor(streams, fromS, signal);
  if (!video) {
    while (audio?.current) yield await cutSound(audio, audio.current.timestamp);
    return;
  }
  while (video.current) yield await cutOne(video, audio, video.current.timestamp);
}

async function cutSound(audio: Cursor, startS: number): Promise<Cut> {
  const sound = await takeUntil(audio, ({ timestamp }) => timestamp >= startS + minimumS(startS));
  const nextS = audio.current?.timestamp ?? null;
  return {
    startS,
    endS: nextS ?? endOf(sound),
    isLast: nextS === null,
    video: [],
    audio: lastUntil(sound, nearbyStart(sound, audio.current)),
  };
}

function minimumS(startS: number): number {
  return startS === 0 ? FIRST_SEGMENT_MIN_S : SEGMENT_MIN_S;
}

async function cutOne(video: Cursor, audio: Cursor | null, startS: number): Promise<Cut> {
  const taken = await takeVideo(video, startS + minimumS(startS));
  const nextS = video.current?.timestamp ?? null;
  const pictures = nextS === null ? lasting(taken) : taken;
  const sound = audio ? await takeAudio(audio, nextS ?? Number.POSITIVE_INFINITY) : [];
  return {
    startS,
    endS: nextS ?? Math.max(endOf(pictures), endOf(sound)),
    isLast: nextS === null,
    video: lastUntil(pictures, nextS),
    audio: lastUntil(sound, nearbyStart(sound, audio?.current ?? null)),
  };
}

async function takeVideo(cursor: Cursor, untilS: number): Promise<EncodedPacket[]> {
  const isCut = (packet: EncodedPacket): boolean => packet.type === 'key' && packet.timestamp >= untilS;
  const taken = await takeUntil(cursor, isCut);
  // An open group of pictures at the very start has some from before its key frame, which nothing can decode.
  return taken.filter(({ timestamp }) => timestamp >= 0);
}

async function takeAudio(cursor: Cursor, untilS: number): Promise<EncodedPacket[]> {
  return takeUntil(cursor, (packet) => packet.timestamp + packet.duration > untilS + SAME_TIME_S);
}

async function takeUntil(
  cursor: Cursor,
  isEnd: (packet: EncodedPacket) => boolean,
): Promise<EncodedPacket[]> {
  const taken: EncodedPacket[] = [];
  let sizeBytes = 0;
  while (cursor.current && !isEnd(cursor.current)) {
    sizeBytes += cursor.current.byteLength;
    if (sizeBytes > MAX_SEGMENT_BYTES) throw tooLong();
    taken.push(cursor.current);
    await cursor.advance();
  }
  return taken;
}

async function videoCursor(
  { video, originS }: Streams,
  fromS: number,
  signal: AbortSignal,
): Promise<Cursor | null> {
  if (!video) return null;
  const isBefore = ({ timestamp, type }: EncodedPacket) => type !== 'key' || timestamp < fromS - SAME_TIME_S;
  return openCursor(video, originS, fromS, isBefore, signal);
}

async function audioCursor(
  { audio, originS }: Streams,
  fromS: number,
  signal: AbortSignal,
): Promise<Cursor | null> {
  if (!audio) return null;
  return openCursor(ascending(audio), originS, fromS, (packet) => isSoundBefore(packet, fromS), signal);
}

/** Where a recording was put together of several, the sound of one may last longer than its pictures: what overlaps is left out. */
function ascending(reader: PacketReader): PacketReader {
  return {
    first: (timeS) => reader.first(timeS),
    async next(packet) {
      let found = await reader.next(packet);
      while (found && found.timestamp < packet.timestamp) found = await reader.next(found);
      return found;
    },
  };
}

/** At the very start a packet must begin in time, not only end in time: MP4 has no times below 0. */
function isSoundBefore({ timestamp, duration }: EncodedPacket, fromS: number): boolean {
  return timestamp < -SAME_TIME_S || (fromS > 0 && timestamp + duration <= fromS + SAME_TIME_S);
}

/** Asks for one packet at a time: mediabunny's own iterator reads ahead by a second of consumption, however fast that is. */
async function openCursor(
  reader: PacketReader,
  originS: number,
  fromS: number,
  isSkipped: (packet: EncodedPacket) => boolean,
  signal: AbortSignal,
): Promise<Cursor> {
  let original = await reader.first(originS + fromS);
  const cursor: Cursor = {
    current: original && retimed(original, originS),
    async advance() {
      if (signal.aborted) throw abortedError();
      original = original && (await reader.next(original));
      cursor.current = original && retimed(original, originS);
    },
  };
  while (cursor.current && isSkipped(cursor.current)) await cursor.advance();
  return cursor;
}

function retimed(packet: EncodedPacket, originS: number): EncodedPacket {
  const timestamp = packet.timestamp - originS;
  return packet.clone({ timestamp: Math.abs(timestamp) < SAME_TIME_S ? 0 : timestamp });
}

function endOf(packets: EncodedPacket[]): number {
  return packets.reduce((endS, packet) => Math.max(endS, packet.timestamp + packet.duration), 0);
}

/** Where the sound goes on after these packets, null where it ends or pauses. */
function nearbyStart(packets: EncodedPacket[], next: EncodedPacket | null): number | null {
  return next && next.timestamp - endOf(packets) < 0.05 ? next.timestamp : null;
}

/**
 * The same packets, with the last lasting until a time, so that rounded clocks leave no hole between segments. Where
 * nothing follows, a last packet without a duration (Matroska doesn't give one) lasts as long as the one before.
 */
function lastUntil(packets: EncodedPacket[], untilS: number | null): EncodedPacket[] {
  const last = packets.at(-1);
  if (!last) return packets;
  const latestS = packets.reduce((latest, packet) => Math.max(latest, packet.timestamp), 0);
  const ownS = last.duration || (packets.at(-2)?.duration ?? 0);
  const durationS = untilS !== null && untilS > latestS ? untilS - latestS : ownS;
  return [...packets.slice(0, -1), last.clone({ duration: durationS })];
}

/** One picture alone, of which its file does not say how long it is to be shown, is shown for a moment: else there would be no film. */
function lasting(pictures: EncodedPacket[]): EncodedPacket[] {
  const [only] = pictures;
  if (!only || pictures.length > 1 || only.duration > 0) return pictures;
  return [only.clone({ duration: LONE_PICTURE_S })];
}

/** What stopping on request looks like to whoever consumes the segments. */
export function abortedError(): MatineeError {
  return new MatineeError('ABORTED', 'Preparing the video was stopped. Drop it again to start over.');
}

function tooLong(): MatineeError {
  return new MatineeError(
    'FILE_UNREADABLE',
    `This video goes on for too long without a key frame (a place to start playing from). ${CONVERT_IT}`,
  );
}
