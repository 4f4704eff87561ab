import type { Bytes } from '../../../peer/bytes.ts';
import { safeCueText } from '../../../peer/extras/cue-text.ts';
import { decodeExtra, type Poster, type Subtitles, type Thumbnails } from '../../../peer/extras/extra.ts';
import { trackName } from '../language-name.ts';
import { texts } from './texts.ts';

/** Object URLs of small pictures that are kept: what is shown at once, and a few that were. */
const MAX_URLS = 24;

/** Cues of one track at most: what a browser can be made to hold. */
const MAX_TRACK_CUES = 40_000;

/** Tracks of films before, in each media element: what was added stays in it, and is used again where it has the right name. */
const spareTracks = new WeakMap<HTMLVideoElement, TextTrack[]>();

/** Lines from the lower edge at which a text begins; while the player's controls are to be seen it may be more (lifted-subtitles.ts). */
const FROM_EDGE = -4;

interface ShownTrack {
  track: TextTrack;
  cues: VTTCue[];
}

/** What came with one film: its subtitle tracks in the media element, its poster and its small pictures. Loaded with the first of them. */
export class FilmExtras {
  readonly #video: HTMLVideoElement;
  /** By the number of the track. */
  readonly #tracks = new Map<number, ShownTrack>();
  readonly #thumbnails: Thumbnails[] = [];
  /** By where the picture is; the one that was asked for last comes last. */
  readonly #urls = new Map<string, string>();
  #posterUrl: string | null = null;
  #malformedCount = 0;

  constructor(video: HTMLVideoElement) {
    this.#video = video;
  }

  /** Extras that were not what PROTOCOL.md says: they are left out, and the film plays on. */
  get malformedCount(): number {
    return this.#malformedCount;
  }

  /** Subtitle tracks of this film, in the host's order: the media element may have empty ones of films before as well. */
  get subtitles(): TextTrack[] {
    return [...this.#tracks].sort(([a], [b]) => a - b).map(([, { track }]) => track);
  }

  /** Takes one as it came. */
  take(data: Bytes): void {
    try {
      const extra = decodeExtra(data);
      if (extra.kind === 'subtitles') this.#addCues(extra);
      else if (extra.kind === 'poster') this.#showPoster(extra);
      else this.#thumbnails.push(extra);
    } catch {
      this.#malformedCount += 1;
    }
  }

  /** The address of a small picture of the film there, good until a few others were asked for; null where there is none (yet). */
  thumbnailAt(atMs: number): string | null {
    let [best, picture]: [Thumbnails | null, number] = [null, 0];
    for (const chunk of this.#thumbnails) {
      const number = Math.floor((atMs - chunk.startMs) / chunk.everyMs);
      // Past the last one it may be shown for a while, at the end of the film.
      const isIn = number >= 0 && number <= chunk.pictures.length;
      if (isIn && (best === null || chunk.startMs > best.startMs)) [best, picture] = [chunk, number];
    }
    return best && this.#urlOf(best, Math.min(picture, best.pictures.length - 1));
  }

  /** Takes all of it out of the media element. */
  close(): void {
    for (const { track, cues } of this.#tracks.values()) {
      track.mode = 'hidden';
      for (const cue of cues) track.removeCue(cue);
      track.mode = 'disabled';
      spareTracks.set(this.#video, [...(spareTracks.get(this.#video) ?? []), track]);
    }
    for (const url of this.#urls.values()) URL.revokeObjectURL(url);
    this.#urls.clear();
    if (this.#posterUrl === null) return;
    this.#video.removeAttribute('poster');
    URL.revokeObjectURL(this.#posterUrl);
  }

  #addCues(subtitles: Subtitles): void {
    const shown = this.#tracks.get(subtitles.track) ?? this.#newTrack(subtitles);
    for (const [startMs, endMs, text] of subtitles.cues) {
      if (shown.cues.length >= MAX_TRACK_CUES) return;
      // The host's page has made it safe already; the host may be another program.
      const cue = new VTTCue(startMs / 1000, endMs / 1000, safeCueText(text));
      cue.line = FROM_EDGE;
      shown.cues.push(cue);
      shown.track.addCue(cue);
    }
  }

  #newTrack(subtitles: Subtitles): ShownTrack {
    const label = trackName(subtitles, texts.subtitleTrack(subtitles.track + 1));
    const language = subtitles.language === 'und' ? '' : subtitles.language;
    const track = this.#spareTrack(label, language) ?? this.#video.addTextTrack('subtitles', label, language);
    track.mode = subtitles.isDefault ? 'showing' : 'disabled';
    const shown = { track, cues: [] };
    this.#tracks.set(subtitles.track, shown);
    return shown;
  }

  #spareTrack(label: string, language: string): TextTrack | null {
    const spare = spareTracks.get(this.#video) ?? [];
    const found = spare.find((track) => track.label === label && track.language === language) ?? null;
    spareTracks.set(
      this.#video,
      spare.filter((track) => track !== found),
    );
    return found;
  }

  #showPoster({ mime, bytes }: Poster): void {
    if (this.#posterUrl !== null) return;
    this.#posterUrl = URL.createObjectURL(new Blob([bytes], { type: mime }));
    this.#video.poster = this.#posterUrl;
  }

  #urlOf({ startMs, mime, pictures }: Thumbnails, number: number): string | null {
    const name = `${startMs}/${number}`;
    const bytes = pictures[number];
    if (!bytes) return null;
    const url = this.#urls.get(name) ?? URL.createObjectURL(new Blob([bytes], { type: mime }));
    this.#urls.delete(name);
    this.#urls.set(name, url);
    const [oldest] = this.#urls;
    if (this.#urls.size > MAX_URLS && oldest) {
      this.#urls.delete(oldest[0]);
      URL.revokeObjectURL(oldest[1]);
    }
    return url;
  }
}
