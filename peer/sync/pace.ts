/**
 * The slowest that a film is played for want of more, as a share of its speed: it is heard where one listens for it, but a picture
 * that stops is seen by everybody, and a film that stops falls behind the room by more.
 */
const SLOWEST = 0.8;

/** With so much at hand it plays at its slowest, with so much at its own speed: milliseconds of playing. */
const LITTLE_MS = 1_000;
const ENOUGH_MS = 5_000;

/** Where what is at hand grows so many times as fast as it is played, little is enough. */
const GROWS = 1.5;

/** The growth is told over so much time, and over less than this not at all: pieces come in bursts. */
const WATCHED_MS = 1_000;
const MIN_WATCHED_MS = 400;

/** Sound crackles when the speed changes all the time: it goes in steps of this. */
const STEPS = 100;

/** A film that plays, milliseconds. */
export interface Supply {
  /** A clock that never goes backwards. */
  nowMs: number;
  placeMs: number;
  /** Where ends what is at hand from the place on. */
  untilMs: number;
  /** Nothing more will come. */
  isAll: boolean;
  /** The speed it should have: 1 is the film's own. */
  speed: number;
}

/**
 * How much slower than it should a film plays while little of it is at hand and hardly more comes than is played, so that it
 * need not stand still: in a crowd that has just come everybody's pieces come in time but for a few. (Players of live video do
 * the same to stay behind what comes: DASH-IF IOP part 3, catch-up.)
 */
export class Pace {
  #seen: { atMs: number; untilMs: number }[] = [];

  /** The share of its speed that it should have now, 0.8 to 1. Ask a few times a second. */
  share({ nowMs, placeMs, untilMs, isAll, speed }: Supply): number {
    this.#see(nowMs, untilMs);
    const aheadMs = (untilMs - placeMs) / speed;
    if (isAll || aheadMs >= ENOUGH_MS || this.#growth(nowMs, untilMs) >= GROWS * speed) return 1;
    const between = Math.max(0, (aheadMs - LITTLE_MS) / (ENOUGH_MS - LITTLE_MS));
    return Math.round((SLOWEST + (1 - SLOWEST) * between) * STEPS) / STEPS;
  }

  /** Forgets what came so far: the film stood still, or is elsewhere. */
  forget(): void {
    this.#seen = [];
  }

  #see(atMs: number, untilMs: number): void {
    const isOld = (index: number): boolean => atMs - (this.#seen[index]?.atMs ?? atMs) >= WATCHED_MS;
    while (isOld(1)) this.#seen.shift();
    this.#seen.push({ atMs, untilMs });
  }

  /** Milliseconds of film that came in each of time; none as long as it cannot be told, for that is when it is needed most. */
  #growth(nowMs: number, untilMs: number): number {
    const [first] = this.#seen;
    const watchedMs = nowMs - (first?.atMs ?? nowMs);
    return first && watchedMs >= MIN_WATCHED_MS ? (untilMs - first.untilMs) / watchedMs : 0;
  }
}
