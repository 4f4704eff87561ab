import type { Bytes } from '../bytes.ts';
import { decodeExtra, encodeExtra, MAX_SUBTITLE_TRACKS, subtitleExtras } from '../extras/extra.ts';
import { subtitleNames } from '../extras/subtitle-files.ts';
import type { SubtitleName } from '../extras/subtitle-name.ts';
import { cuesFrom } from './raw-cues.ts';
import type { TextTracks } from './text-tracks.ts';

/** A film's own subtitles beside those that were dropped with it. */
export interface OwnSubtitles {
  /** Of the dropped ones, then of the film's own: as viewers will have them. */
  names: readonly SubtitleName[];
  /** What the film has besides and viewers will not have: subtitles that are pictures, and those of kinds that are not read. */
  leftOut: readonly SubtitleName[];
  unread: readonly SubtitleName[];
  /**
   * The film's own as encoded extras. `listed` are extras of an earlier time: what is among them is not made again.
   * @throws MatineeError FILE_UNREADABLE; the signal's reason once it aborts.
   */
  make(originS: number, listed: readonly Bytes[], signal: AbortSignal): AsyncGenerator<Bytes>;
}

/** @param dropped Subtitles that were dropped beside the film, as extras. */
export function ownSubtitles(tracks: TextTracks, dropped: readonly Bytes[]): OwnSubtitles {
  const before = subtitleNames(dropped);
  const isShown = before.some(({ isDefault }) => isDefault);
  // Who drops subtitles that are to be shown means those.
  const own = tracks.names.map((name) => ({ ...name, isDefault: name.isDefault && !isShown }));
  const names = [...before, ...own].slice(0, MAX_SUBTITLE_TRACKS);
  return {
    names,
    leftOut: tracks.pictures,
    unread: tracks.unread,
    async *make(originS, listed, signal) {
      if (own.length === 0) return;
      const madeCounts = countByTrack(listed);
      for (const [i, cues] of (await tracks.read(signal)).entries()) {
        const track = before.length + i;
        const name = names[track];
        if (!name) return;
        const extras = subtitleExtras({ track, ...name }, cuesFrom(cues, Math.round(originS * 1000)));
        yield* extras.slice(madeCounts.get(track) ?? 0).map(encodeExtra);
      }
    },
  };
}

function countByTrack(listed: readonly Bytes[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const extra of listed.map(decodeExtra))
    if (extra.kind === 'subtitles') counts.set(extra.track, (counts.get(extra.track) ?? 0) + 1);
  return counts;
}
