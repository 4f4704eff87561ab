import {
  ADTS,
  EncodedPacketSink,
  FLAC,
  Input,
  type InputAudioTrack,
  type InputFormat,
  type InputTrack,
  type InputVideoTrack,
  MATROSKA,
  MP3,
  MP4,
  MPEG_TS,
  OGG,
  QTFF,
  WAVE,
  WEBM,
} from 'mediabunny';
import type { Bytes } from '../bytes.ts';
import { asMatineeError, MatineeError } from '../errors.ts';
import { abortedError, type Cut, cutSegments, type Streams } from './package-cut.ts';
import { trackEndS } from './package-end.ts';
import { type AudioTrackSetup, type TrackSetups, type VideoTrackSetup, writeSegment } from './package-mp4.ts';
import { type PackagingPlan, planPackaging, type TrackFacts } from './package-plan.ts';
import { noTracksError, unknownFileError } from './package-refusal.ts';
import { toReaderSource, type VideoSource } from './package-source.ts';

export { fromFile, type VideoSource } from './package-source.ts';

/**
 * A run of packaged media, in file order. Number 0 is the init segment (ftyp, moov), 1 and up are media segments (moof,
 * mdat) that start on a key frame.
 */
export interface PackagedSegment {
  number: number;
  /** When its first picture is shown; 0 for the init segment. The next segment starts where this one ends. */
  startMs: number;
  /** 0 for the init segment. */
  durationMs: number;
  data: Bytes;
}

/** What is known of a video before it is packaged. */
export interface VideoInfo {
  /** The file's name without its extension. */
  title: string;
  /** For MediaSource: container and codecs. */
  mime: string;
  durationMs: number;
  /** As shown: turned upright, with square pixels. */
  widthPx: number;
  heightPx: number;
  hasAudio: boolean;
  sourceBytes: number;
}

export interface OpenedVideo {
  info: VideoInfo;
  /**
   * The packaged video, made as it is asked for: whoever is slow to take a segment holds up the reading of the file,
   * and about one segment is in memory. May be called again; the bytes are the same each time.
   * @throws MatineeError ABORTED once the signal aborts or the video is closed; FILE_UNREADABLE where the file can't be
   *   read to its end.
   */
  segments(signal: AbortSignal): AsyncGenerator<PackagedSegment, void, undefined>;
  /** Lets go of the file. The source itself stays open: it belongs to whoever made it. */
  close(): void;
}

/** A file that was opened and understood, and how it will be packaged. */
interface Inspection {
  opened: OpenedStreams;
  setups: TrackSetups;
  info: VideoInfo;
  /** Opens the same streams once more, with a reader of their own. */
  reopen(): Promise<OpenedStreams>;
}

interface OpenedStreams extends Streams {
  input: Input;
}

/** HLS playlists are left out on purpose: they'd make the reader fetch other files. The sound formats are there to be named. */
const FORMATS: InputFormat[] = [MP4, QTFF, MATROSKA, WEBM, MPEG_TS, WAVE, OGG, FLAC, MP3, ADTS];

/**
 * Opens and inspects a file; quick for any size, since only its index and a few packets are read.
 * @throws MatineeError FILE_EMPTY; FILE_NOT_VIDEO where it isn't a video or its index is missing; CODEC_UNSUPPORTED where
 *   browsers can't play its streams; FILE_UNREADABLE where it can't be read or is damaged.
 */
export async function openVideo(source: VideoSource): Promise<OpenedVideo> {
  if (source.sizeBytes === 0) throw emptyError();
  const input = newInput(source);
  try {
    await recognise(input, source);
    const inspection = await inspect(input, source);
    return {
      info: inspection.info,
      segments: (signal) => packageSegments(inspection, signal),
      close: () => input.dispose(),
    };
  } catch (error) {
    input.dispose();
    throw asMatineeError(error, 'FILE_UNREADABLE', DAMAGED);
  }
}

/** Finds the format, or says what the file is instead. Besides its own error mediabunny has others, for very short files. */
async function recognise(input: Input, source: VideoSource): Promise<void> {
  try {
    await input.getFormat();
  } catch (error) {
    throw error instanceof MatineeError ? error : await unknownFileError(source, error);
  }
}

function newInput(source: VideoSource): Input {
  return new Input({ source: toReaderSource(source), formats: FORMATS });
}

const DAMAGED =
  'This video is damaged and could not be read. Download or export it again and drop the new file.';

function emptyError(): MatineeError {
  return new MatineeError(
    'FILE_EMPTY',
    'This file is empty (0 bytes). The download or the copy did not finish: get it again and drop the new file.',
  );
}

async function inspect(input: Input, source: VideoSource): Promise<Inspection> {
  const tracks = await input.getTracks();
  if (tracks.length === 0) throw noTracksError();
  const plan = planPackaging(await factsOf(tracks));
  const { video, audio } = chosenTracks(tracks, plan);
  const videoSetup = await setUpVideo(video);
  const setups = { video: videoSetup, audio: audio && (await setUpAudio(audio)) };
  const originS = videoSetup.primingPacket.timestamp;
  const endS = Math.max(await trackEndS(video), audio ? await trackEndS(audio) : 0);
  const info: VideoInfo = {
    title: titleOf(source.name),
    mime: plan.mime,
    durationMs: toMs(endS - originS),
    widthPx: await video.getDisplayWidth(),
    heightPx: await video.getDisplayHeight(),
    hasAudio: audio !== null,
    sourceBytes: source.sizeBytes,
  };
  const reopen = () => reopenStreams(source, plan, originS);
  return { opened: { input, video, audio, originS }, setups, info, reopen };
}

async function reopenStreams(
  source: VideoSource,
  plan: PackagingPlan,
  originS: number,
): Promise<OpenedStreams> {
  const input = newInput(source);
  try {
    return { input, originS, ...chosenTracks(await input.getTracks(), plan) };
  } catch (error) {
    input.dispose();
    throw error;
  }
}

async function factsOf(tracks: InputTrack[]): Promise<TrackFacts[]> {
  const facts: TrackFacts[] = [];
  for (const track of tracks) {
    if (!track.isVideoTrack() && !track.isAudioTrack()) continue;
    facts.push({
      kind: track.isVideoTrack() ? 'video' : 'audio',
      codec: await track.getCodec(),
      codecString: await track.getCodecParameterString(),
      fileCodecId: String((await track.getInternalCodecId()) ?? 'unknown'),
    });
  }
  return facts;
}

/** The plan's tracks. Its indices count the video and audio tracks only, as {@link factsOf} lists them. */
function chosenTracks(
  tracks: InputTrack[],
  plan: PackagingPlan,
): { video: InputVideoTrack; audio: InputAudioTrack | null } {
  const judged = tracks.filter((track) => track.isVideoTrack() || track.isAudioTrack());
  const video = judged[plan.videoIndex];
  const audio = plan.audioIndex === null ? null : judged[plan.audioIndex];
  if (!video?.isVideoTrack())
    throw new MatineeError('INTERNAL', 'The chosen video track is none. Please report this.');
  return { video, audio: audio?.isAudioTrack() ? audio : null };
}

async function setUpVideo(track: InputVideoTrack): Promise<VideoTrackSetup> {
  const primingPacket = await new EncodedPacketSink(track).getFirstKeyPacket({ verifyKeyPackets: true });
  const [codec, decoderConfig] = [await track.getCodec(), await track.getDecoderConfig()];
  if (!primingPacket || !codec || !decoderConfig) throw new MatineeError('FILE_UNREADABLE', DAMAGED);
  const rotation = await track.getRotation();
  const isFlipped = await track.getFlip();
  return {
    codec,
    decoderConfig,
    primingPacket,
    rotation,
    isFlipped,
    ticksPerS: await track.getTimeResolution(),
  };
}

async function setUpAudio(track: InputAudioTrack): Promise<AudioTrackSetup> {
  const primingPacket = await new EncodedPacketSink(track).getFirstPacket();
  const [codec, decoderConfig] = [await track.getCodec(), await track.getDecoderConfig()];
  if (!primingPacket || !codec || !decoderConfig) throw new MatineeError('FILE_UNREADABLE', DAMAGED);
  return { codec, decoderConfig, primingPacket };
}

async function* packageSegments(
  inspection: Inspection,
  signal: AbortSignal,
): AsyncGenerator<PackagedSegment, void, undefined> {
  const cuts = cutInStretches(inspection, signal);
  try {
    for (let number = 1; ; number += 1) {
      const made = await orAbort(signal, inspection, () => makeNext(cuts, inspection, number));
      if (!made) return;
      if (number === 1) yield { number: 0, startMs: 0, durationMs: 0, data: made.init };
      yield made.segment;
    }
  } finally {
    // Not awaited: it waits for a read that is under way, and stopping shouldn't. That read's error has no one to tell.
    cuts.return().catch(() => undefined);
  }
}

/**
 * mediabunny's MPEG-TS reader keeps about a quarter of all it has read, as landmarks for seeking (seen in 1.61). A fresh
 * reader every so often keeps that bounded. The other formats have an index instead, which doesn't grow.
 */
const TS_STRETCH_BYTES = 128 * 2 ** 20;

/** All cuts of the video, each stretch of them by a reader of its own, closed at the stretch's end. */
async function* cutInStretches(
  inspection: Inspection,
  signal: AbortSignal,
): AsyncGenerator<Cut, void, undefined> {
  const { opened } = inspection;
  const isTs = (await opened.input.getFormat()) === MPEG_TS;
  for (let fromS: number | null = 0; fromS !== null; ) {
    const streams: OpenedStreams = fromS === 0 ? opened : await inspection.reopen();
    try {
      fromS = yield* cutStretch(streams, fromS, isTs ? TS_STRETCH_BYTES : Number.POSITIVE_INFINITY, signal);
    } finally {
      if (streams !== opened) streams.input.dispose();
    }
  }
}

/** Cuts until a stretch has so many bytes; returns where the next one starts, null at the end of the video. */
async function* cutStretch(
  streams: OpenedStreams,
  fromS: number,
  stretchBytes: number,
  signal: AbortSignal,
): AsyncGenerator<Cut, number | null, undefined> {
  let leftBytes = stretchBytes;
  for await (const cut of cutSegments(streams, fromS, signal)) {
    yield cut;
    for (const packet of cut.video) leftBytes -= packet.byteLength;
    if (leftBytes < 0 && !cut.isLast) return cut.endS;
  }
  return null;
}

async function makeNext(
  cuts: AsyncGenerator<Cut, void, undefined>,
  { setups }: Inspection,
  number: number,
): Promise<{ init: Bytes; segment: PackagedSegment } | null> {
  const { value: cut } = await cuts.next();
  if (!cut) return null;
  const { init, media } = await writeSegment(setups, cut, number);
  const startMs = toMs(cut.startS);
  // Never 0, so that starts always increase.
  const durationMs = Math.max(1, toMs(cut.endS) - startMs);
  return { init, segment: { number, startMs, durationMs, data: media } };
}

/** The work's result, or ABORTED as soon as the signal says so, without waiting for a read that may take its time. */
async function orAbort<Result>(
  signal: AbortSignal,
  { opened }: Inspection,
  work: () => Promise<Result>,
): Promise<Result> {
  if (signal.aborted || opened.input.disposed) throw abortedError();
  let onAbort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(abortedError());
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([aborted, work()]);
  } catch (error) {
    throw opened.input.disposed ? abortedError() : asMatineeError(error, 'FILE_UNREADABLE', DAMAGED);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function titleOf(name: string): string {
  return name.replace(/(?<=.)\.[^.]*$/, '');
}

function toMs(timeS: number): number {
  return Math.round(timeS * 1000);
}
