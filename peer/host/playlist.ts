import { areEqual, type Bytes } from '../bytes.ts';
import { MatineeError } from '../errors.ts';
import { type HostWishes, isListed, type ListedVideo } from '../manifest/rules.ts';

/**
 * Changes to a room's list of videos, each as new rules made of those before. What changes nothing gives back the very rules it
 * got. PROTOCOL.md, "The host's rules".
 */

/** With one more at the end; `present` is what a room without a list has so far. */
export function withVideo(rules: HostWishes, video: ListedVideo, present: ListedVideo | null): HostWishes {
  if (isListed(rules.videos, video.video)) return rules;
  const before = rules.videos.length === 0 && present ? [present] : rules.videos;
  const videos = [...before, video];
  return { ...rules, videos, current: rules.current ?? videos[0]?.video ?? null };
}

/** With one in the place of another; where that is not listed, as in a room without a list, alone. */
export function withReplaced(rules: HostWishes, before: Bytes, video: ListedVideo): HostWishes {
  if (!isListed(rules.videos, before)) return { ...rules, videos: [video], current: video.video };
  const videos = rules.videos.map((one) => (areEqual(one.video, before) ? video : one));
  const isShown = rules.current !== null && areEqual(rules.current, before);
  return { ...rules, videos, current: isShown ? video.video : rules.current };
}

/** With another one watched. */
export function shown(rules: HostWishes, video: Bytes): HostWishes {
  const isThere = isListed(rules.videos, video);
  return !isThere || isCurrent(rules, video) ? rules : { ...rules, current: video };
}

/** With the one after `after` watched, if `after` still is: two of the host's devices that ask at once go on by one. */
export function withNext(rules: HostWishes, after: Bytes): HostWishes {
  const next = rules.videos[placeOf(rules, after) + 1];
  return next && isCurrent(rules, after) ? { ...rules, current: next.video } : rules;
}

/** With a video so many places further down, at most at an end of the list. */
export function withMoved(rules: HostWishes, video: Bytes, by: number): HostWishes {
  const from = placeOf(rules, video);
  const to = Math.max(0, Math.min(rules.videos.length - 1, from + by));
  const moved = rules.videos[from];
  if (!moved || from === to) return rules;
  const videos = rules.videos.filter((one) => one !== moved);
  videos.splice(to, 0, moved);
  return { ...rules, videos };
}

/** Without a video. @throws MatineeError REQUEST_MALFORMED where nothing would be left. */
export function withoutVideo(rules: HostWishes, video: Bytes): HostWishes {
  const place = placeOf(rules, video);
  if (place < 0) return rules;
  const videos = rules.videos.filter((_, i) => i !== place);
  const next = videos[place] ?? videos.at(-1);
  if (!next) {
    throw new MatineeError(
      'REQUEST_MALFORMED',
      'This is the last film of the room. Add another one first, or take the room down.',
    );
  }
  return { ...rules, videos, current: isCurrent(rules, video) ? next.video : rules.current };
}

function placeOf({ videos }: HostWishes, id: Bytes): number {
  return videos.findIndex(({ video }) => areEqual(video, id));
}

function isCurrent({ current }: HostWishes, video: Bytes): boolean {
  return current !== null && areEqual(current, video);
}
