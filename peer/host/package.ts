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
import { plainTitle } from '../plain-title.ts';
import { heightFactor } from './field-coded.ts';
import { firstKeyThere, missingIn } from './missing-packet.ts';
import { abortedError, type Cut, cutSegments, type Streams } from './package-cut.ts';
import { trackEndS } from './package-end.ts';
import { factsOf } from './package-facts.ts';
import { writeMp4Segment } from './package-mp4.ts';
import { COPY_ONLY, type OpenOptions } from './package-options.ts';
import { type Container, type PackagingPlan, planPackaging, type TrackFacts } from './package-plan.ts';
import { noTracksError, unknownFileError } from './package-refusal.ts';
import { toReaderSource, type VideoSource } from './package-source.ts';
import type { AudioTrackSetup, TrackSetups, VideoTrackSetup, WrittenSegment } from './package-tracks.ts';
import { writeWebmSegment } from './package-webm.ts';
import { copiedAudio, copiedVideo } from './packet-reader.ts';
import { mustBeAlike, partUnlikeError } from './parts-alike.ts';
import { type TranscodedReader, transcodedAudio, transcodedVideo } from './transcode.ts';
import { type OneClock, withOneClock } from './transport-joins.ts';
import { fromFirstPacket, later } from './transport-tables.ts';
import { unlistedTracks } from './unlisted-tracks.ts';

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
  /** Its bytes, in parts that follow one another. Parts of what was read of the file, not to be changed. */
  parts: readonly Uint8Array[];
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

/** A video that can be taken segment by segment. */
export interface OpenedVideo {
  info: VideoInfo;
  /** About how much the segments will have in all; left out: about as much as the source. */
  expectedBytes?: number;
  /**
   * The packaged video, made as it is asked for: whoever is slow to take a segment holds up the reading of the file,
   * and about one segment is in memory. May be called again; the bytes are the same each time, where nothing is encoded.
   * @throws MatineeError ABORTED once the signal aborts or the video is closed; FILE_UNREADABLE where the file can't be
   *   read to its end.
   */
  segments(signal: AbortSignal): AsyncGenerator<PackagedSegment, void, undefined>;
  /** Lets go of the file. The source itself stays open: it belongs to whoever made it. */
  close(): void;
}

/** A file with what will happen to it. */
export interface PlannedVideo extends OpenedVideo {
  /** What is copied, encoded anew and left out. */
  plan: PackagingPlan;
  /**
   * Opens the pictures once more, with a reader of their own; null for sound alone. `source` is the same file: who looks at a place here and
   * there does better without the large blocks in which packaging reads. Whoever opens them closes them.
   */
  openPictures(source: VideoSource): Promise<OpenedPictures | null>;
  /** The picture that the file has for its cover; null where it has none. @throws MatineeError FILE_UNREADABLE. */
  readCover(): Promise<Cover | null>;
  /** The file's tracks, as the plan's indices count them. */
  tracks: readonly TrackFacts[];
  /** The file's time of what is 0 in the packaged video, seconds. */
  originS: number;
}

/** A still picture as it lies in a file. */
export interface Cover {
  bytes: Bytes;
  mime: string;
}

/** Bytes of a cover that is worth reading. */
const MAX_COVER_BYTES = 16 * 1024 * 1024;

/** The pictures of a video, to look at some of them. */
export interface OpenedPictures {
  track: InputVideoTrack;
  /** The track's time of what is 0 in the packaged video, seconds. */
  originS: number;
  /** Whether any place can be found without reading all before it. */
  hasIndex: boolean;
  close(): void;
}

/** A file that was opened and understood, and how it will be packaged. */
interface Inspection {
  opened: OpenedTracks;
  plan: PackagingPlan;
  tracks: readonly TrackFacts[];
  info: VideoInfo;
  originS: number;
  /** Opens the same tracks once more, with a reader of their own. */
  reopen(): Promise<OpenedTracks>;
}

interface OpenedTracks {
  input: Input;
  video: InputVideoTrack | null;
  audio: InputAudioTrack | null;
}

/** HLS playlists are left out on purpose: they'd make the reader fetch other files. The sound formats are there to be named. */
const FORMATS: InputFormat[] = [MP4, QTFF, MATROSKA, WEBM, MPEG_TS, WAVE, OGG, FLAC, MP3, ADTS];

/**
 * Opens and inspects a file; quick for any size, since only its index and a few packets are read.
 * @throws MatineeError FILE_EMPTY; FILE_NOT_VIDEO where it isn't a video or its index is missing; FILE_ENCRYPTED; CODEC_UNSUPPORTED
 *   where browsers can't play its streams and they can't be encoded anew here; FILE_UNREADABLE where it can't be read or is damaged.
 */
export async function openVideo(file: VideoSource, options: OpenOptions = COPY_ONLY): Promise<PlannedVideo> {
  if (file.sizeBytes === 0) throw emptyError();
  const { source, joinsAt } = await readable(file);
  const input = newInput(source);
  try {
    await recognise(input, source);
    const inspection = await inspect(input, source, options);
    const { info, plan, tracks, originS } = inspection;
    for (const at of joinsAt) await mustGoOnAlike(inspection, later(source, at));
    return {
      info,
      plan,
      tracks,
      originS,
      expectedBytes: expectedBytes(plan, info),
      openPictures: async (from) => openPictures(inspection, (await fromFirstPacket(from)).source),
      readCover: () => readCover(inspection),
      segments: (signal) => packageSegments(inspection, signal),
      close: () => input.dispose(),
    };
  } catch (error) {
    input.dispose();
    throw asMatineeError(error, 'FILE_UNREADABLE', DAMAGED);
  }
}

/** The file as mediabunny can read it: recordings of television begin anywhere, and are put together. */
async function readable(file: VideoSource): Promise<OneClock> {
  const { source, layout } = await fromFirstPacket(file);
  return layout ? await withOneClock(source, layout) : { source, joinsAt: [] };
}

/** @throws MatineeError CODEC_UNSUPPORTED where a part of a recording is not as its beginning. */
async function mustGoOnAlike({ opened, plan }: Inspection, part: VideoSource): Promise<void> {
  const input = newInput(part);
  try {
    const tracks = await input.getTracks();
    // A piece so small that not even its table is there changes nothing.
    if (tracks.length > 0) await mustBeAlike(opened, chosenTracks(tracks, plan), plan);
  } catch (error) {
    throw error instanceof MatineeError ? error : await partUnlikeError(opened, plan, error);
  } finally {
    input.dispose();
  }
}

function expectedBytes({ video }: PackagingPlan, { sourceBytes, durationMs }: VideoInfo): number {
  const { target = null } = video ?? {};
  return target ? Math.round((target.bitsPerSec * durationMs) / 8000) : sourceBytes;
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
  'This video is damaged and could not be read. Download or export it again and take the new file.';

function emptyError(): MatineeError {
  return new MatineeError(
    'FILE_EMPTY',
    'This file is empty (0 bytes). The download or the copy did not finish: get it again and take the new file.',
  );
}

async function inspect(input: Input, source: VideoSource, options: OpenOptions): Promise<Inspection> {
  const found = await input.getTracks();
  const listed = await factsOf(found, options);
  const tracks = [...listed, ...(await unlistedTracks(source, listed))];
  if (tracks.length === 0) throw noTracksError();
  const seconds = (await input.getDurationFromMetadata()) ?? 0;
  const bitsPerSec = seconds > 0 ? (source.sizeBytes * 8) / seconds : 0;
  const plan = planPackaging({ tracks, bitsPerSec }, options.abilities, options.wishes);
  const opened = { input, ...chosenTracks(found, plan) };
  const originS = await startS(opened);
  const info: VideoInfo = {
    title: titleOf(source.name),
    mime: plan.mime,
    durationMs: Math.max(1, toMs((await endS(opened)) - originS)),
    widthPx: plan.video?.target?.widthPx ?? (await opened.video?.getDisplayWidth()) ?? 0,
    heightPx: plan.video?.target?.heightPx ?? tracks[plan.video?.index ?? -1]?.heightPx ?? 0,
    hasAudio: opened.audio !== null,
    sourceBytes: source.sizeBytes,
  };
  return { opened, plan, tracks, info, originS, reopen: () => reopenTracks(source, plan) };
}

/** The file's time of what becomes 0: the first key frame, or the first sound where there is no picture. */
async function startS({ video, audio }: OpenedTracks): Promise<number> {
  const first = video
    ? await firstKeyThere(new EncodedPacketSink(video), await missingIn(video))
    : audio && (await new EncodedPacketSink(audio).getFirstPacket());
  if (!first) throw new MatineeError('FILE_UNREADABLE', DAMAGED);
  return video ? first.timestamp : Math.max(0, first.timestamp);
}

async function endS({ video, audio }: OpenedTracks): Promise<number> {
  return Math.max(video ? await trackEndS(video) : 0, audio ? await trackEndS(audio) : 0);
}

async function reopenTracks(source: VideoSource, plan: PackagingPlan): Promise<OpenedTracks> {
  const input = newInput(source);
  try {
    return { input, ...chosenTracks(await input.getTracks(), plan) };
  } catch (error) {
    input.dispose();
    throw error;
  }
}

async function openPictures(
  { opened, originS, plan }: Inspection,
  source: VideoSource,
): Promise<OpenedPictures | null> {
  if (!opened.video) return null;
  const { input, video } = await reopenTracks(source, plan);
  if (!video) {
    input.dispose();
    return null;
  }
  return {
    track: video,
    originS,
    hasIndex: (await input.getFormat()) !== MPEG_TS,
    close: () => input.dispose(),
  };
}

async function readCover({ opened }: Inspection): Promise<Cover | null> {
  const { images = [] } = await opened.input.getMetadataTags();
  const cover = images.find(({ kind }) => kind === 'coverFront') ?? images[0];
  if (!cover || cover.data.byteLength > MAX_COVER_BYTES) return null;
  return { bytes: new Uint8Array(cover.data), mime: cover.mimeType };
}

/** The plan's tracks. Its indices count the video and audio tracks only, as {@link factsOf} lists them. */
function chosenTracks(
  tracks: InputTrack[],
  plan: PackagingPlan,
): { video: InputVideoTrack | null; audio: InputAudioTrack | null } {
  const judged = tracks.filter((track) => track.isVideoTrack() || track.isAudioTrack());
  const video = plan.video === null ? null : judged[plan.video.index];
  const audio = plan.audio === null ? null : judged[plan.audio.index];
  return { video: video?.isVideoTrack() ? video : null, audio: audio?.isAudioTrack() ? audio : null };
}

async function setUpVideo(track: InputVideoTrack, container: Container): Promise<VideoTrackSetup> {
  const primingPacket = await new EncodedPacketSink(track).getFirstKeyPacket({ verifyKeyPackets: true });
  const [codec, decoderConfig] = [await track.getCodec(), await track.getDecoderConfig()];
  if (!primingPacket || !codec || !decoderConfig) throw new MatineeError('FILE_UNREADABLE', DAMAGED);
  const rotation = await track.getRotation();
  const factor = await heightFactor(track);
  const isFlipped = await track.getFlip();
  return {
    codec,
    decoderConfig: factor === 1 ? decoderConfig : higher(decoderConfig, factor),
    primingPacket,
    rotation,
    isFlipped,
    ticksPerS: container === 'mp4' ? await track.getTimeResolution() : null,
  };
}

function higher(config: VideoDecoderConfig, factor: number): VideoDecoderConfig {
  const { codedHeight, displayAspectHeight } = config;
  return {
    ...config,
    ...(codedHeight !== undefined && { codedHeight: Math.round(codedHeight * factor) }),
    ...(displayAspectHeight !== undefined && {
      displayAspectHeight: Math.round(displayAspectHeight * factor),
    }),
  };
}

async function setUpAudio(track: InputAudioTrack): Promise<AudioTrackSetup> {
  const primingPacket = await new EncodedPacketSink(track).getFirstPacket();
  const [codec, decoderConfig] = [await track.getCodec(), await track.getDecoderConfig()];
  if (!primingPacket || !codec || !decoderConfig) throw new MatineeError('FILE_UNREADABLE', DAMAGED);
  return { codec, decoderConfig, primingPacket };
}

/** What is encoded anew, for one run through the video; null where it is copied. */
interface Encoders {
  video: TranscodedReader<VideoDecoderConfig> | null;
  audio: TranscodedReader<AudioDecoderConfig> | null;
}

async function openEncoders({ opened, plan }: Inspection): Promise<Encoders> {
  const { video, audio } = opened;
  return {
    video: video && plan.video?.target ? transcodedVideo(video, plan.video.target) : null,
    audio:
      audio && plan.audio?.how === 'transcode'
        ? transcodedAudio(audio, await audio.getNumberOfChannels())
        : null,
  };
}

/** Encoders tell what a decoder needs with their first packet only. */
async function setUp({ opened, originS, plan }: Inspection, encoders: Encoders): Promise<TrackSetups> {
  const { video, audio } = opened;
  return {
    video: encoders.video
      ? await setUpEncodedVideo(encoders.video, originS, (await video?.getTimeResolution()) ?? 1)
      : video && (await setUpVideo(video, plan.container)),
    audio: encoders.audio
      ? await setUpEncodedAudio(encoders.audio, originS)
      : audio && (await setUpAudio(audio)),
  };
}

async function setUpEncodedVideo(
  reader: TranscodedReader<VideoDecoderConfig>,
  originS: number,
  ticksPerS: number,
): Promise<VideoTrackSetup> {
  const primingPacket = await reader.first(originS);
  if (!primingPacket || !reader.config) throw new MatineeError('FILE_UNREADABLE', DAMAGED);
  const { config: decoderConfig } = reader;
  return { codec: 'avc', decoderConfig, primingPacket, rotation: 0, isFlipped: false, ticksPerS };
}

/** Null where there is nothing to be heard after the first picture. */
async function setUpEncodedAudio(
  reader: TranscodedReader<AudioDecoderConfig>,
  originS: number,
): Promise<AudioTrackSetup | null> {
  const primingPacket = await reader.first(originS);
  return primingPacket && reader.config
    ? { codec: 'opus', decoderConfig: reader.config, primingPacket }
    : null;
}

async function* packageSegments(
  inspection: Inspection,
  signal: AbortSignal,
): AsyncGenerator<PackagedSegment, void, undefined> {
  if (signal.aborted) throw abortedError();
  const encoders = await openEncoders(inspection);
  const cuts = cutInStretches(inspection, encoders, signal);
  try {
    const setups = await orAbort(signal, inspection, () => setUp(inspection, encoders));
    for (let number = 1; ; number += 1) {
      const made = await orAbort(signal, inspection, () => makeNext(cuts, setups, inspection, number));
      if (!made) return;
      if (number === 1) yield { number: 0, startMs: 0, durationMs: 0, parts: made.init };
      yield made.segment;
    }
  } finally {
    // Not awaited: it waits for a read that is under way, and stopping shouldn't. That read's error has no one to tell.
    cuts.return().catch(() => undefined);
    for (const encoder of [encoders.video, encoders.audio]) encoder?.close().catch(() => undefined);
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
  encoders: Encoders,
  signal: AbortSignal,
): AsyncGenerator<Cut, void, undefined> {
  const { opened, originS } = inspection;
  const isTs = (await opened.input.getFormat()) === MPEG_TS;
  for (let fromS: number | null = 0; fromS !== null; ) {
    const tracks: OpenedTracks = fromS === 0 ? opened : await inspection.reopen();
    try {
      const streams: Streams = {
        video: encoders.video ?? (tracks.video && copiedVideo(tracks.video)),
        audio: encoders.audio ?? (tracks.audio && copiedAudio(tracks.audio)),
        originS,
      };
      fromS = yield* cutStretch(streams, fromS, isTs ? TS_STRETCH_BYTES : Number.POSITIVE_INFINITY, signal);
    } finally {
      if (tracks !== opened) tracks.input.dispose();
    }
  }
}

/** Cuts until a stretch has so many bytes; returns where the next one starts, null at the end of the video. */
async function* cutStretch(
  streams: Streams,
  fromS: number,
  stretchBytes: number,
  signal: AbortSignal,
): AsyncGenerator<Cut, number | null, undefined> {
  let leftBytes = stretchBytes;
  for await (const cut of cutSegments(streams, fromS, signal)) {
    yield cut;
    for (const packet of [...cut.video, ...cut.audio]) leftBytes -= packet.byteLength;
    if (leftBytes < 0 && !cut.isLast) return cut.endS;
  }
  return null;
}

async function makeNext(
  cuts: AsyncGenerator<Cut, void, undefined>,
  setups: TrackSetups,
  { plan }: Inspection,
  number: number,
): Promise<{ init: WrittenSegment['init']; segment: PackagedSegment } | null> {
  const { value: cut } = await cuts.next();
  if (!cut) return null;
  const { init, media } = await write(plan, setups, cut, number);
  const startMs = toMs(cut.startS);
  // Never 0, so that starts always increase.
  const durationMs = Math.max(1, toMs(cut.endS) - startMs);
  return { init, segment: { number, startMs, durationMs, parts: media } };
}

function write(
  { container }: PackagingPlan,
  setups: TrackSetups,
  cut: Cut,
  number: number,
): Promise<WrittenSegment> {
  return container === 'webm' ? writeWebmSegment(setups, cut) : writeMp4Segment(setups, cut, number);
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
  return plainTitle(name.replace(/(?<=.)\.[^.]*$/, ''));
}

function toMs(timeS: number): number {
  return Math.round(timeS * 1000);
}
