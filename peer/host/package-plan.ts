import { MatineeError } from '../errors.ts';

/** What is known of one track of the dropped file before anything is decided about it. */
export interface TrackFacts {
  kind: 'video' | 'audio';
  /** The codec's short name ('avc', 'aac', …), or null where the reader doesn't know it. */
  codec: string | null;
  /** The codec's RFC 6381 string ('avc1.64001f', 'mp4a.40.2', …), where known. */
  codecString: string | null;
  /** What the file itself calls the codec, for naming what isn't known. */
  fileCodecId: string | null;
}

/** Which tracks go into the packaged video, as indices into the list that was judged. All are copied, none re-encoded. */
export interface PackagingPlan {
  videoIndex: number;
  /** null: a silent video. */
  audioIndex: number | null;
  /** What MediaSource.isTypeSupported and addSourceBuffer take. */
  mime: string;
}

/**
 * Streams that today's Chrome, Firefox and Safari play from MP4 through MediaSource:
 * - avc: everywhere, as long as it is 8-bit 4:2:0 (see below);
 * - vp9, av1: Chrome and Firefox everywhere, Safari where the machine decodes them in hardware. A viewer whose
 *   browser can't is told so by its own isTypeSupported.
 */
const VIDEO_COPIED = ['avc', 'vp9', 'av1'];

/**
 * - aac: everywhere, in the object types below;
 * - opus: everywhere, but Safari knows it only by the registered spelling 'Opus'.
 * Left out: flac, because Chromium refuses the init segment that mediabunny 1.61 writes for it; mp3, which Safari
 * doesn't promise inside MP4 through MediaSource; vorbis, which browsers don't take in MP4; ac3, eac3 and dts, which most
 * browsers don't decode; PCM, which MediaSource doesn't take.
 */
const AUDIO_COPIED = ['aac', 'opus'];

/** profile_idc of the H.264 profiles with 8-bit 4:2:0 pictures: Baseline, Main, Extended, High (ITU-T H.264 annex A). */
const AVC_PROFILES_COPIED = ['42', '4d', '58', '64'];

/** AAC-LC, HE-AAC and HE-AAC v2 (MPEG-4 audio object types 2, 5, 29). xHE-AAC (42) plays in Safari only. */
const AAC_TYPES_COPIED = ['2', '5', '29'];

const NAMES: Record<string, string> = {
  avc: 'H.264',
  hevc: 'H.265 (HEVC)',
  vp8: 'VP8',
  vp9: 'VP9',
  av1: 'AV1',
  prores: 'ProRes',
  aac: 'AAC',
  opus: 'Opus',
  flac: 'FLAC',
  mp3: 'MP3',
  vorbis: 'Vorbis',
  ac3: 'AC-3 (Dolby Digital)',
  eac3: 'E-AC-3 (Dolby Digital Plus)',
  dts: 'DTS',
};

/** What to do about a video that can't be packaged, said the same way everywhere. */
export const CONVERT_IT =
  'Convert it to MP4 with H.264 video and AAC sound (HandBrake does it with its defaults) and drop that file.';

/**
 * Decides how a file's tracks are packaged: the first video track and the first audio track that can be copied.
 * @throws MatineeError FILE_NOT_VIDEO without a video track; CODEC_UNSUPPORTED where there are video or audio tracks
 *   but none of them can be copied, naming the codec.
 */
export function planPackaging(tracks: readonly TrackFacts[]): PackagingPlan {
  const videoIndex = pickTrack(tracks, 'video');
  if (videoIndex === null) {
    throw new MatineeError(
      'FILE_NOT_VIDEO',
      'This file has sound but no picture. A room needs a video: drop one instead.',
    );
  }
  const audioIndex = pickTrack(tracks, 'audio');
  return { videoIndex, audioIndex, mime: mimeOf(tracks, [videoIndex, audioIndex]) };
}

/** Index of the first track of a kind that can be copied, null where the file has none of that kind at all. */
function pickTrack(tracks: readonly TrackFacts[], kind: TrackFacts['kind']): number | null {
  const ofKind = tracks.filter((track) => track.kind === kind);
  const first = ofKind[0];
  if (!first) return null;
  const copied = ofKind.find(canCopy);
  if (!copied) throw codecRefusal(first);
  return tracks.indexOf(copied);
}

function canCopy({ kind, codec, codecString }: TrackFacts): boolean {
  if (codec === null || codecString === null) return false;
  if (codec === 'avc') return AVC_PROFILES_COPIED.includes(codecString.slice(5, 7).toLowerCase());
  if (codec === 'aac') return AAC_TYPES_COPIED.includes(String(Number(codecString.split('.')[2])));
  return (kind === 'video' ? VIDEO_COPIED : AUDIO_COPIED).includes(codec);
}

function codecRefusal(track: TrackFacts): MatineeError {
  const what = track.kind === 'video' ? 'The picture of this video' : 'The sound of this video';
  return new MatineeError(
    'CODEC_UNSUPPORTED',
    `${what} is encoded as ${codecName(track)}, which not every browser in a room can play. ${CONVERT_IT}`,
  );
}

/** A codec's name for people, with the exact variant where only that variant is the trouble. */
function codecName({ codec, codecString, fileCodecId }: TrackFacts): string {
  if (codec === null) return `“${fileCodecId ?? 'unknown'}”`;
  const name = NAMES[codec] ?? codec;
  return codec === 'avc' || codec === 'aac' ? `a rare kind of ${name} (${codecString ?? 'unknown'})` : name;
}

function mimeOf(tracks: readonly TrackFacts[], indices: (number | null)[]): string {
  const chosen = indices.flatMap((index) => (index === null ? [] : (tracks[index] ?? [])));
  const codecs = chosen.map(({ codec, codecString }) => (codec === 'opus' ? 'Opus' : codecString));
  return `video/mp4; codecs="${codecs.join(', ')}"`;
}
