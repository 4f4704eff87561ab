import { MatineeError } from '../errors.ts';
import { codecName, variantName } from './codec-names.ts';
import { FULL_SIZE, fitTarget, isWithin, SMALL_SIZE, type VideoTarget } from './video-target.ts';

/** What is known of one track of the dropped file before anything is decided about it. */
export interface TrackFacts {
  kind: 'video' | 'audio';
  /** The codec's short name ('avc', 'aac', …), or null where the reader doesn't know it. */
  codec: string | null;
  /** The codec's RFC 6381 string ('avc1.64001f', 'mp4a.40.2', …), where known. */
  codecString: string | null;
  /** What the file itself calls the codec, for naming what isn't known. */
  fileCodecId: string | null;
  /** ISO 639-2 ('eng'); 'und' where the file doesn't say. */
  language: string;
  /** What the file calls the track; null where it doesn't. */
  title: string | null;
  /** The file says to play this one where nobody chose. */
  isDefault: boolean;
  /** By DRM: only a player that was licensed for it has the key. */
  isEncrypted: boolean;
  /** Whether this program can decode it, so that it can be encoded anew. */
  isDecodable: boolean;
  /** As shown, upright and with square pixels; 0 for sound. */
  widthPx: number;
  heightPx: number;
}

/** What this program can encode: nothing in Node, which has no WebCodecs. */
export interface Abilities {
  /** H.264, and Opus. */
  encodesVideo: boolean;
  encodesAudio: boolean;
}

/** What the host may choose. */
export interface PackagingWishes {
  /** Which of the sound tracks, counted from 0 among them; null: the default one, or the first that can be had. */
  audioTrack: number | null;
  /** At most 720p and 2.5 Mbit/s, for slow uplinks. */
  isSmall: boolean;
  /** Whether to do without sound that can be neither copied nor converted here; else the file is refused. */
  mayLeaveOutSound: boolean;
}

export const NO_WISHES: PackagingWishes = { audioTrack: null, isSmall: false, mayLeaveOutSound: false };

export type Container = 'mp4' | 'webm';

/** A track that goes into the packaged video. */
export interface PlannedTrack {
  /** Into the list that was judged. */
  index: number;
  how: 'copy' | 'transcode';
  /** The source's codec, for people. */
  codecName: string;
}

/** What will happen to a file. */
export interface PackagingPlan {
  container: Container;
  /** Null: sound alone. `target` is what it is encoded as, null where it is copied. */
  video: (PlannedTrack & { target: VideoTarget | null }) | null;
  /** Null: a silent video, or sound that is left out. */
  audio: PlannedTrack | null;
  /** The codec of the sound that is left out, for people; null where none is. */
  leftOutSound: string | null;
  /** What MediaSource.isTypeSupported and addSourceBuffer take. */
  mime: string;
}

/** The file itself, beside its tracks. */
export interface FileFacts {
  tracks: readonly TrackFacts[];
  /** Over all of it; 0 where it isn't known. */
  bitsPerSec: number;
}

/**
 * Streams that today's Chrome, Firefox and Safari play through MediaSource, by the container they're put in.
 * MP4: H.264 everywhere, as long as it is 8-bit 4:2:0 (see below); VP9 and AV1 in Chrome and Firefox, in Safari where the
 * machine decodes them; AAC everywhere in the object types below; Opus everywhere, but Safari knows it only by the
 * registered spelling 'Opus'. Left out: FLAC, because Chromium refuses the init segment that mediabunny 1.61 writes for it;
 * MP3, which Chromium doesn't take there; AC-3, E-AC-3 and DTS, which most browsers don't decode; PCM, which MediaSource
 * doesn't take. WebM: what MP4 can't hold, VP8 and Vorbis. Chrome and Firefox take it, Safari does from 17 on and not all of
 * it: a viewer whose browser can't is told so by its own isTypeSupported. (Encoding it as H.264 would cost hours for a film and
 * picture quality for everyone, for the sake of those few.)
 */
const COPIED: Record<Container, { video: string[]; audio: string[] }> = {
  mp4: { video: ['avc', 'vp9', 'av1'], audio: ['aac', 'opus'] },
  webm: { video: ['vp8', 'vp9', 'av1'], audio: ['opus', 'vorbis'] },
};

/** profile_idc of the H.264 profiles with 8-bit 4:2:0 pictures: Baseline, Main, Extended, High (ITU-T H.264 annex A). */
const AVC_PROFILES_COPIED = ['42', '4d', '58', '64'];

/** AAC-LC, HE-AAC and HE-AAC v2 (MPEG-4 audio object types 2, 5, 29). xHE-AAC (42) plays in Safari only. */
const AAC_TYPES_COPIED = ['2', '5', '29'];

/** What it costs to treat a track so: the cheapest way that works is taken. A picture takes far longer to encode than sound. */
const COST = { copy: 0, transcodeAudio: 1, transcodeVideo: 2, leaveOut: 3 };

/** What to do about a video that can't be packaged, said the same way everywhere. */
export const CONVERT_IT =
  'Convert it to MP4 with H.264 video and AAC sound (HandBrake does it with its defaults) and take that file instead.';

/**
 * Decides how a file is packaged: what is copied, what is encoded anew, what is left out, and into which container, so that
 * as little as possible is encoded; MP4 where it makes no difference. Of several video tracks the first that can be had; of
 * sound tracks the one that was wished for, else the default one, else the first that can be had.
 * @throws MatineeError FILE_NOT_VIDEO without any video or sound; REQUEST_MALFORMED where the wished sound is not there; FILE_ENCRYPTED where what is needed is; CODEC_UNSUPPORTED
 *   where it can be neither copied nor encoded anew here, naming the codec and who can.
 */
export function planPackaging(
  { tracks, bitsPerSec }: FileFacts,
  abilities: Abilities,
  wishes: PackagingWishes,
): PackagingPlan {
  if (tracks.length === 0)
    throw new MatineeError('FILE_NOT_VIDEO', 'There is neither picture nor sound in it.');
  mustHaveWished(tracks, wishes);
  const plans = (['mp4', 'webm'] as const).map((container) =>
    planFor(container, { tracks, bitsPerSec }, abilities, wishes),
  );
  const possible = plans.filter((plan) => plan !== null).sort((a, b) => a.cost - b.cost);
  const best = possible[0];
  if (!best) throw refusalFor(tracks, abilities, wishes);
  return best.plan;
}

function mustHaveWished(tracks: readonly TrackFacts[], { audioTrack }: PackagingWishes): void {
  const count = tracks.filter(({ kind }) => kind === 'audio').length;
  if (audioTrack === null || audioTrack < count) return;
  const has = count === 1 ? 'one sound track' : `${count} sound tracks`;
  throw new MatineeError(
    'REQUEST_MALFORMED',
    `This file has ${has}, and number ${audioTrack + 1} was asked for.`,
  );
}

/** A way to treat a kind of track, and what it costs; null where there is no such track, or it is left out. */
type Way<Track> = { track: Track | null; cost: number } | null;

function planFor(
  container: Container,
  file: FileFacts,
  abilities: Abilities,
  wishes: PackagingWishes,
): { plan: PackagingPlan; cost: number } | null {
  const video = wayForVideo(container, file, abilities, wishes);
  const audio = wayForAudio(container, file.tracks, abilities, wishes);
  if (!video || !audio || (!video.track && !audio.track)) return null;
  const isLeftOut = !audio.track && file.tracks.some(({ kind }) => kind === 'audio');
  const plan = {
    container,
    video: video.track,
    audio: audio.track,
    leftOutSound: isLeftOut ? nameOf(candidates(file.tracks, wishes)[0]) : null,
    mime: mimeOf(container, file.tracks, video.track, audio.track),
  };
  return { plan, cost: video.cost + audio.cost };
}

function wayForVideo(
  container: Container,
  { tracks, bitsPerSec }: FileFacts,
  { encodesVideo }: Abilities,
  { isSmall }: PackagingWishes,
): Way<NonNullable<PackagingPlan['video']>> {
  const pictures = tracks.filter(({ kind }) => kind === 'video');
  if (pictures.length === 0) return { track: null, cost: COST.copy };
  const size = isSmall ? SMALL_SIZE : FULL_SIZE;
  const copied = pictures.find(
    (track) => canCopy(container, track) && (!isSmall || isWithin(track, bitsPerSec, size)),
  );
  if (copied) return { track: { ...planned(tracks, copied, 'copy'), target: null }, cost: COST.copy };
  // H.264, so MP4 alone.
  const decoded = pictures.find(({ isDecodable, isEncrypted }) => isDecodable && !isEncrypted);
  if (!decoded || !encodesVideo || container !== 'mp4') return null;
  const target = fitTarget(decoded, bitsPerSec, size);
  return { track: { ...planned(tracks, decoded, 'transcode'), target }, cost: COST.transcodeVideo };
}

function wayForAudio(
  container: Container,
  tracks: readonly TrackFacts[],
  { encodesAudio }: Abilities,
  wishes: PackagingWishes,
): Way<PlannedTrack> {
  const sounds = candidates(tracks, wishes);
  if (sounds.length === 0) return { track: null, cost: COST.copy };
  for (const track of sounds) {
    if (canCopy(container, track)) return { track: planned(tracks, track, 'copy'), cost: COST.copy };
    if (encodesAudio && track.isDecodable && !track.isEncrypted)
      return { track: planned(tracks, track, 'transcode'), cost: COST.transcodeAudio };
  }
  return wishes.mayLeaveOutSound ? { track: null, cost: COST.leaveOut } : null;
}

/** The sound tracks that may be taken, the preferred one first. */
function candidates(tracks: readonly TrackFacts[], { audioTrack }: PackagingWishes): TrackFacts[] {
  const sounds = tracks.filter(({ kind }) => kind === 'audio');
  const wished = audioTrack === null ? undefined : sounds[audioTrack];
  if (wished) return [wished];
  return [...sounds.filter(({ isDefault }) => isDefault), ...sounds.filter(({ isDefault }) => !isDefault)];
}

function planned(tracks: readonly TrackFacts[], track: TrackFacts, how: PlannedTrack['how']): PlannedTrack {
  return { index: tracks.indexOf(track), how, codecName: nameOf(track) };
}

function canCopy(container: Container, { kind, codec, codecString, isEncrypted }: TrackFacts): boolean {
  if (codec === null || codecString === null || isEncrypted) return false;
  if (!COPIED[container][kind].includes(codec)) return false;
  if (codec === 'avc') return AVC_PROFILES_COPIED.includes(codecString.slice(5, 7).toLowerCase());
  if (codec === 'aac') return AAC_TYPES_COPIED.includes(String(Number(codecString.split('.')[2])));
  return true;
}

function mimeOf(
  container: Container,
  tracks: readonly TrackFacts[],
  video: PackagingPlan['video'],
  audio: PlannedTrack | null,
): string {
  const codecOf = (track: PlannedTrack): string | null | undefined => tracks[track.index]?.codecString;
  const codecs = [
    ...(video ? [video.target?.codecString ?? codecOf(video)] : []),
    ...(audio ? [audio.how === 'transcode' ? 'opus' : codecOf(audio)] : []),
  ];
  const named = codecs.map((codec) => (container === 'mp4' && codec === 'opus' ? 'Opus' : codec));
  return `video/${container}; codecs="${named.join(', ')}"`;
}

function nameOf(track: TrackFacts | undefined): string {
  return track ? codecName(track.codec, track.fileCodecId) : '';
}

function refusalFor(
  tracks: readonly TrackFacts[],
  abilities: Abilities,
  wishes: PackagingWishes,
): MatineeError {
  const pictures = tracks.filter(({ kind }) => kind === 'video');
  const canHavePicture = pictures.some((track) => canCopy('mp4', track) || canCopy('webm', track));
  const culprits = pictures.length > 0 && !canHavePicture ? pictures : candidates(tracks, wishes);
  const culprit = culprits.find(({ isEncrypted }) => isEncrypted) ?? culprits[0] ?? tracks[0];
  if (!culprit) return new MatineeError('FILE_NOT_VIDEO', CONVERT_IT);
  if (culprit.isEncrypted) return encryptedError();
  return codecRefusal(culprit, abilities);
}

function encryptedError(): MatineeError {
  return new MatineeError(
    'FILE_ENCRYPTED',
    'This video is protected (DRM): only the app or shop it comes from can play it, so no room can. Choose one without protection.',
  );
}

function codecRefusal(track: TrackFacts, abilities: Abilities): MatineeError {
  const isVideo = track.kind === 'video';
  const what = isVideo ? 'The picture of this video' : 'The sound of this video';
  const is = `${what} is encoded as ${variantName(track.codec, track.codecString, track.fileCodecId)}`;
  return new MatineeError('CODEC_UNSUPPORTED', `${is}, ${whoCan(track, abilities)} ${CONVERT_IT}`);
}

/** Who could convert it, where it is known that somebody can. */
function whoCan({ kind, codec }: TrackFacts, { encodesVideo, encodesAudio }: Abilities): string {
  const isPage = kind === 'video' ? encodesVideo : encodesAudio;
  if (codec === 'hevc') {
    const browsers =
      'Safari on a Mac or iPhone can, and Chrome or Edge on most computers with a graphics chip for it';
    return isPage
      ? `which this browser cannot decode. ${browsers}: open this page there and choose the file again.`
      : `which only some browsers play. Drop the file into the web page: ${browsers}.`;
  }
  if (!isPage && CONVERTED_BY_PAGE.includes(codec ?? '')) {
    const orSilent = kind === 'audio' ? ', or say --without-sound' : '';
    return `which not every browser in a room can play. Drop the file into the web page, which converts it${orSilent}.`;
  }
  return 'which not every browser in a room can play.';
}

/** What a page converts in every browser with WebCodecs. */
const CONVERTED_BY_PAGE = ['ac3', 'eac3', 'dts', 'mp3', 'flac', 'vorbis', 'vp8'];
