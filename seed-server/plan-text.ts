import type { SubtitleName } from '../peer/extras/subtitle-name.ts';
import { codecName } from '../peer/host/codec-names.ts';
import type { VideoInfo } from '../peer/host/package.ts';
import type { PackagingPlan, TrackFacts } from '../peer/host/package-plan.ts';
import { megabytes } from '../peer/host/progress-text.ts';
import { plainTitle } from '../peer/plain-title.ts';

/** Characters of a name from inside a file that are worth a line. */
const MAX_NAME_CHARS = 100;

/** What is known of a film and what will happen to it. */
export interface PlanFacts {
  info: VideoInfo;
  plan: PackagingPlan;
  tracks: readonly TrackFacts[];
  /** As viewers will have them. */
  subtitles: readonly SubtitleName[];
  /** Those of the film that are pictures. */
  leftOutSubtitles: readonly SubtitleName[];
  /** Those of kinds that are not read here. */
  unreadSubtitles: readonly SubtitleName[];
  /** Whether a cover goes with what has no picture. */
  hasCover: boolean;
}

/** A film before it is uploaded, a line each: what it is, and what will happen to picture, sound and subtitles. */
export function planText(facts: PlanFacts): string[] {
  const { info, plan, tracks, subtitles, leftOutSubtitles, unreadSubtitles, hasCover } = facts;
  return [
    plainTitle(info.title, MAX_NAME_CHARS),
    `  ${factsText(info)}`,
    `  ${pictureText(plan, hasCover)}`,
    `  ${soundText(plan)}`,
    ...soundChoice(plan, tracks).map((line) => `  ${line}`),
    ...subtitleLine('Subtitles', subtitles),
    ...subtitleLine('Subtitles left out, because they are pictures and not text', leftOutSubtitles),
    ...subtitleLine('Subtitles left out, because they are of a kind that is not read here', unreadSubtitles),
  ];
}

function factsText({ durationMs, widthPx, heightPx, sourceBytes }: VideoInfo): string {
  const size = widthPx > 0 ? [`${widthPx} × ${heightPx}`] : [];
  return [durationText(durationMs), ...size, megabytes(sourceBytes)].join(' · ');
}

function pictureText({ video }: PackagingPlan, hasCover: boolean): string {
  if (video) return `Picture copied as it is (${video.codecName})`;
  return hasCover ? 'No picture: friends see its cover' : 'No picture: friends see its title';
}

function soundText({ audio, leftOutSound }: PackagingPlan): string {
  if (leftOutSound !== null)
    return `Sound left out: it is ${plainTitle(leftOutSound, MAX_NAME_CHARS)}, which only the web page can convert`;
  return audio ? `Sound copied as it is (${audio.codecName})` : 'No sound in it';
}

/** The sound tracks where there are several, that which is taken marked. */
function soundChoice({ audio }: PackagingPlan, tracks: readonly TrackFacts[]): string[] {
  const sounds = tracks.filter(({ kind }) => kind === 'audio');
  if (sounds.length < 2) return [];
  const taken = audio ? tracks[audio.index] : null;
  const lines = sounds.map((track, i) => `${track === taken ? '>' : ' '} ${soundName(track, i + 1)}`);
  return [...lines, 'Another sound track: --audio N'];
}

function soundName({ language, title, codec, fileCodecId }: TrackFacts, number: number): string {
  const tongue = languageName(language);
  const name = title === null ? '' : plainTitle(title, MAX_NAME_CHARS);
  const kind = plainTitle(codecName(codec, fileCodecId), MAX_NAME_CHARS);
  const parts = [`${number}`, tongue ?? '', name, kind];
  return parts.filter((part) => part !== '').join(' · ');
}

function subtitleLine(what: string, tracks: readonly SubtitleName[]): string[] {
  return tracks.length > 0 ? [`  ${what}: ${tracks.map(subtitleText).join(', ')}`] : [];
}

function subtitleText({ language, label }: SubtitleName, i: number): string {
  const name = languageName(language) ?? '';
  const remark = plainTitle(label, MAX_NAME_CHARS);
  if (name === '') return remark || `track ${i + 1}`;
  return remark === '' ? name : `${name} (${remark})`;
}

function languageName(code: string): string | null {
  if (code === 'und') return null;
  try {
    return new Intl.DisplayNames('en', { type: 'language' }).of(code) ?? code;
  } catch {
    return plainTitle(code, MAX_NAME_CHARS);
  }
}

/** "0:40", "1:02:03". */
function durationText(ms: number): string {
  const wholeS = Math.floor(ms / 1000);
  const twoDigits = (value: number): string => String(value).padStart(2, '0');
  const [hours, minutes, seconds] = [Math.floor(wholeS / 3600), Math.floor(wholeS / 60) % 60, wholeS % 60];
  return hours > 0
    ? `${hours}:${twoDigits(minutes)}:${twoDigits(seconds)}`
    : `${minutes}:${twoDigits(seconds)}`;
}
