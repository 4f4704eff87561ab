import type { PackagingPlan, PackagingWishes, TrackFacts } from './package-plan.ts';

/**
 * Whether the person should see the plan before anything is sent: where something is encoded anew or left out that they did not
 * ask for, or there are several sound tracks and they chose none. A mere copy begins at once.
 */
export function isWorthAsking(
  plan: PackagingPlan,
  tracks: readonly TrackFacts[],
  { audioTrack, isSmall }: PackagingWishes,
): boolean {
  const isPictureEncoded = plan.video?.how === 'transcode' && !isSmall;
  const isSoundEncoded = plan.audio?.how === 'transcode';
  const isChoice = audioTrack === null && tracks.filter(({ kind }) => kind === 'audio').length > 1;
  return isPictureEncoded || isSoundEncoded || plan.leftOutSound !== null || isChoice;
}

/** Whether the plan may begin by itself when nobody answers: not where it costs hours, or the sound. */
export function mayStartUnasked({ video, leftOutSound }: PackagingPlan): boolean {
  return video?.how !== 'transcode' && leftOutSound === null;
}
