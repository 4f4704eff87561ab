import type { SubtitleName } from '../extras/subtitle-name.ts';
import type { PackagingPlan, PackagingWishes, TrackFacts } from './package-plan.ts';

/** What is going to happen to a film. */
export interface AskedAbout {
  plan: PackagingPlan;
  tracks: readonly TrackFacts[];
  /** Subtitles that are pictures. */
  leftOutSubtitles: readonly SubtitleName[];
  /** Subtitles of kinds that are not read here. */
  unreadSubtitles: readonly SubtitleName[];
}

/**
 * Whether the person should see the plan before anything is sent: where something is encoded anew or left out that they did not
 * ask for, subtitles too, or there are several sound tracks and they chose none. A mere copy begins at once.
 */
export function isWorthAsking(
  { plan, tracks, leftOutSubtitles, unreadSubtitles }: AskedAbout,
  { audioTrack, isSmall }: PackagingWishes,
): boolean {
  const isPictureEncoded = plan.video?.how === 'transcode' && !isSmall;
  const isSoundEncoded = plan.audio?.how === 'transcode';
  const isChoice = audioTrack === null && tracks.filter(({ kind }) => kind === 'audio').length > 1;
  const isLeftOut = plan.leftOutSound !== null || leftOutSubtitles.length + unreadSubtitles.length > 0;
  return isPictureEncoded || isSoundEncoded || isLeftOut || isChoice;
}

/** Whether the plan may begin by itself when nobody answers: not where it costs hours, or the sound. */
export function mayStartUnasked({ video, leftOutSound }: PackagingPlan): boolean {
  return video?.how !== 'transcode' && leftOutSound === null;
}
