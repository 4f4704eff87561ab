/** Where the film is and how it goes on, seconds. */
export interface FilmPlace {
  placeS: number;
  durationS: number;
  /** Of playing, also while it is paused. */
  rate: number;
  isPlaying: boolean;
}

/** Who counts on from the place that was told may be wrong by so much. */
const NEAR_S = 1;

/** What the machine knows of the film's place: it counts on by itself, and telling it costs more than to see whether it is right. */
export class ToldPlace {
  #told: (FilmPlace & { atMs: number }) | null = null;

  /** Whether it has to be told of this, which is noted then. */
  isNews(place: FilmPlace, nowMs: number): boolean {
    const told = this.#told;
    if (told) {
      const { placeS, durationS, rate, isPlaying, atMs } = told;
      const countedS = placeS + (isPlaying ? (rate * (nowMs - atMs)) / 1000 : 0);
      const isSame = durationS === place.durationS && rate === place.rate && isPlaying === place.isPlaying;
      if (isSame && Math.abs(place.placeS - countedS) < NEAR_S) return false;
    }
    this.#told = { ...place, atMs: nowMs };
    return true;
  }
}
