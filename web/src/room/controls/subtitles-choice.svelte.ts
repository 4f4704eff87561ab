import { keepSubtitles, keptSubtitles, NO_SUBTITLES } from './player-choices.ts';
import { subtitleNames, subtitlesToShow } from './subtitles.ts';

/** The subtitles that a film has and which of them are shown. */
export class SubtitlesChoice {
  /** What they are called, in their order. */
  names: readonly string[] = $state.raw([]);
  /** The number of those that are shown; -1: none. */
  shown: number = $state(-1);
  #film = '';
  #tracks: readonly TextTrack[] = $state.raw([]);

  /** The track that is shown; null: none. */
  track = $derived(this.#tracks[this.shown] ?? null);

  /** The film has these now: where that is news, what was chosen last is shown again. */
  offer(film: string, tracks: readonly TextTrack[]): void {
    const isNews =
      film !== this.#film ||
      tracks.length !== this.#tracks.length ||
      tracks.some((track, i) => track !== this.#tracks[i]);
    // An iPhone's own player has a list of them too.
    const already = tracks.findIndex(({ mode }) => mode === 'showing');
    if (!isNews) {
      this.shown = already;
      return;
    }
    this.#film = film;
    this.#tracks = tracks;
    this.names = subtitleNames(tracks.map(({ label }) => label));
    this.#show(subtitlesToShow(this.names, already, keptSubtitles()));
  }

  /** Shows these alone from now on, and with the next film if it has some of that name; -1: none. */
  choose(index: number): void {
    this.#show(index);
    keepSubtitles(this.names[index] ?? NO_SUBTITLES);
  }

  /** The next ones; none after the last. */
  next(): void {
    const { length } = this.names;
    if (length > 0) this.choose(this.shown + 1 < length ? this.shown + 1 : -1);
  }

  #show(index: number): void {
    this.shown = index;
    for (const [i, track] of this.#tracks.entries()) track.mode = i === index ? 'showing' : 'disabled';
  }
}
