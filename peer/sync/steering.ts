import { Pace } from './pace.ts';
import { type PlaybackSaid, placeAt } from './playback.ts';

/**
 * A drift beyond this is mended by the speed, until it is within the second; between them nothing is done, so that it does not
 * swing. Browsers tell the place of a film to the millisecond or two (Chromium, Firefox), and two films part by both their drifts.
 */
const MEND_FROM_MS = 15;
const MEND_TO_MS = 5;

/** The speed is changed by so much at most, which nobody hears while the pitch stays; it aims to be there in so many milliseconds. */
const MAX_BEND = 0.05;
const MEND_IN_MS = 1_500;

/** Media elements crackle when the speed changes all the time: it goes in steps of this. */
const BEND_STEP = 0.005;

/** A drift beyond this, for so long, is mended by a jump: at 5 % it would take longer than anybody likes. After a new wish at once. */
const FAR_MS = 200;
const FAR_FOR_MS = 500;
const NEAR_MS = 200;

/** A landing is at its place within this: a key frame or a hole may have moved it. */
const LANDED_MS = 1_000;

/** After a jump because of a drift the next such one comes so much later, twice as long each time. */
const FIRST_JUMP_AGAIN_MS = 4_000;
const LAST_JUMP_AGAIN_MS = 32_000;

/** One whose jumps did not come again for so long is as good as new. */
const CALM_MS = 30_000;

/** Where there are no pieces to jump to, one that is so far behind waits so long for them before it jumps after all. */
const LOST_MS = 5_000;
const PATIENCE_MS = 10_000;

/** What should be at hand where a jump goes. */
const AHEAD_MS = 1_000;

/** And where it is to catch up with the room: one that jumps with less stands still again soon. */
const CATCH_UP_AHEAD_MS = 2_000;

/**
 * A jump aims so far ahead in time: as long as jumps took lately and a third more, within bounds; further where pieces must come first. It
 * stands there until then, so the first is taken to be quick: 25 to 120 ms where six browsers share two cores.
 */
const FIRST_JUMP_MS = 110;
const MIN_LEAD_MS = 150;
const MAX_LEAD_MS = 3_000;
const FETCH_LEAD_MS = 700;

/** A landing that comes later than this is tried again, so often. */
const LATE_MS = 150;
const MAX_LANDINGS = 4;

/** A player that has just begun to move is not judged for so long. */
const SETTLE_MS = 400;

/** Standing films show the same picture: within a frame. */
const STANDING_MS = 20;

/** The last moment of a film: there is nothing more to steer. */
const END_MS = 250;

/** The film as the player has it now. */
export interface FilmView {
  placeMs: number;
  isSeeking: boolean;
  /** It could go on from here. */
  isReady: boolean;
  /** Where the pieces end that lie without a gap from the place on. */
  bufferedUntilMs: number;
  durationMs: number;
}

/** What the player is to do now. */
export interface Orders {
  /** Null: leave it as it is. */
  isPlaying: boolean | null;
  /** Speed; 0: hold the picture without pausing. */
  rate: number;
  /** Null: stay. */
  seekToMs: number | null;
  /** Ask again after so many milliseconds; null: when you usually do. */
  againInMs: number | null;
}

/** A place that was jumped to, to go on from there at this moment of room time. */
interface Landing {
  placeMs: number;
  roomMs: number;
  orderedMs: number;
  /** It went where pieces were at hand: how long it took tells how long such jumps take. */
  isBuffered: boolean;
  tries: number;
}

export interface Moment {
  /** A clock that never goes backwards. */
  nowMs: number;
  /** Room time. */
  roomMs: number;
  playback: PlaybackSaid;
  film: FilmView;
}

/**
 * Keeps a player where the room is. A jump aims a little ahead and holds there until the room comes by, so that the time it
 * took is no drift, and all who jump at the same wish go on in the same moment. Small drifts are mended by the speed. A film
 * of which little is at hand plays slower rather than stand still, wherever the room is.
 */
export class Steering {
  /** Of the wish that is followed; told again it is none that is new. */
  #wishedMs: number | null = null;
  #landing: Landing | null = null;
  #isBending = false;
  #driftMs: number | null = null;
  #farSinceMs: number | null = null;
  #judgeFromMs = 0;
  #jumpedMs = Number.NEGATIVE_INFINITY;
  #jumpAgainMs = FIRST_JUMP_AGAIN_MS;
  #seekCostMs = FIRST_JUMP_MS;
  #stoodAtMs: number | null = null;
  readonly #pace = new Pace();
  #isSlowed = false;

  /** Whether the film plays slower than the room for want of more. */
  get isSlowed(): boolean {
    return this.#isSlowed;
  }

  /** How far the film was behind the room when it was judged last, milliseconds; negative: ahead. Null where it could not be. */
  get driftMs(): number | null {
    return this.#driftMs;
  }

  /** What to do now. Ask a few times a second, and whenever something happened. */
  decide(moment: Moment): Orders {
    this.#isSlowed = false;
    const { playback } = moment;
    const isNew = playback.wishedMs !== this.#wishedMs;
    this.#wishedMs = playback.wishedMs;
    if (!playback.isPlaying) return this.#stand(moment);
    this.#stoodAtMs = null;
    if (isNew) this.#landing = null;
    const { nowMs, roomMs, film } = moment;
    if (playback.atMs > roomMs + STANDING_MS && !this.#landing) {
      this.#landing = this.#landingAt(playback.placeMs, playback.atMs, nowMs, film);
      const isThere = Math.abs(film.placeMs - playback.placeMs) < STANDING_MS;
      return this.#hold(isThere ? null : playback.placeMs, playback.atMs - roomMs);
    }
    return this.#landing ? this.#land(moment, this.#landing) : this.#follow(moment, isNew);
  }

  /** The film has begun near the room's place: the statement that stands is no reason to jump at once. */
  join({ wishedMs }: PlaybackSaid): void {
    this.reset();
    this.#wishedMs = wishedMs;
  }

  /** The film is at this place, which the room passes at that moment of its time: from there it goes on with it. */
  waitAt(placeMs: number, roomMs: number, nowMs: number): void {
    this.#landing = { placeMs, roomMs, orderedMs: nowMs, isBuffered: false, tries: 0 };
  }

  /** Forgets what it was about: the person watched on their own meanwhile. */
  reset(): void {
    this.#wishedMs = null;
    this.#landing = null;
    this.#driftMs = null;
    this.#stoodAtMs = null;
  }

  #stand({ playback, film }: Moment): Orders {
    this.#landing = null;
    this.#driftMs = null;
    const placeMs = Math.min(playback.placeMs, film.durationMs);
    const isThere = Math.abs(film.placeMs - placeMs) < STANDING_MS || this.#stoodAtMs === placeMs;
    if (!isThere) this.#stoodAtMs = placeMs;
    return {
      isPlaying: false,
      rate: playback.speedPercent / 100,
      seekToMs: isThere ? null : placeMs,
      againInMs: null,
    };
  }

  #follow(moment: Moment, isNew: boolean): Orders {
    const { nowMs, roomMs, playback, film } = moment;
    const speed = playback.speedPercent / 100;
    const go: Orders = { isPlaying: true, rate: speed, seekToMs: null, againInMs: null };
    const targetMs = Math.min(placeAt(playback, roomMs), film.durationMs);
    const driftMs = targetMs - film.placeMs;
    if (targetMs >= film.durationMs && Math.abs(driftMs) < END_MS) return { ...go, isPlaying: null };
    if (isNew && Math.abs(driftMs) > NEAR_MS) return this.#jump(moment, 0);
    if (film.isSeeking || !film.isReady) {
      this.#driftMs = null;
      this.#judgeFromMs = nowMs + SETTLE_MS;
      this.#pace.forget();
      return go;
    }
    this.#driftMs = driftMs;
    const pace = this.#paceOf(film, nowMs, speed);
    if (nowMs < this.#judgeFromMs) return { ...go, rate: speed * pace };
    if (this.#shouldJump(moment, targetMs, driftMs)) return this.#jump(moment, 0);
    const bend = this.#bend(driftMs);
    // Who has too little to keep up has too little to catch up.
    return { ...go, rate: speed * (this.#isSlowed ? Math.min(pace, 1 + bend) : 1 + bend) };
  }

  #paceOf({ placeMs, bufferedUntilMs, durationMs }: FilmView, nowMs: number, speed: number): number {
    const isAll = bufferedUntilMs >= durationMs - END_MS;
    const share = this.#pace.share({ nowMs, placeMs, untilMs: bufferedUntilMs, isAll, speed });
    this.#isSlowed = share < 1;
    return share;
  }

  #bend(driftMs: number): number {
    const sizeMs = Math.abs(driftMs);
    if (sizeMs > MEND_FROM_MS) this.#isBending = true;
    else if (sizeMs < MEND_TO_MS) this.#isBending = false;
    if (!this.#isBending) return 0;
    const bend = Math.max(-MAX_BEND, Math.min(MAX_BEND, driftMs / MEND_IN_MS));
    return Math.round(bend / BEND_STEP) * BEND_STEP;
  }

  #shouldJump({ nowMs, film }: Moment, targetMs: number, driftMs: number): boolean {
    if (Math.abs(driftMs) < FAR_MS) {
      this.#farSinceMs = null;
      return false;
    }
    this.#farSinceMs ??= nowMs;
    const farForMs = nowMs - this.#farSinceMs;
    if (farForMs < FAR_FOR_MS || nowMs - this.#jumpedMs < this.#jumpAgainMs) return false;
    // Where the pieces do not come fast enough, jumping ahead of them would only lose more.
    const isAtHand =
      film.bufferedUntilMs >= Math.min(targetMs + CATCH_UP_AHEAD_MS, film.durationMs - AHEAD_MS);
    const isPatient = driftMs < LOST_MS || farForMs < PATIENCE_MS;
    if (driftMs > 0 && !isAtHand && isPatient) return false;
    const isCalm = nowMs - this.#jumpedMs > CALM_MS + this.#jumpAgainMs;
    this.#jumpAgainMs = isCalm ? FIRST_JUMP_AGAIN_MS : Math.min(LAST_JUMP_AGAIN_MS, 2 * this.#jumpAgainMs);
    this.#jumpedMs = nowMs;
    return true;
  }

  #jump(moment: Moment, tries: number): Orders {
    const { nowMs, roomMs, playback, film } = moment;
    const isBuffered = isAtHand(film, placeAt(playback, roomMs + this.#leadMs));
    const leadMs = isBuffered ? this.#leadMs : Math.max(FETCH_LEAD_MS, this.#leadMs);
    const placeMs = Math.min(placeAt(playback, roomMs + leadMs), film.durationMs);
    this.#landing = { placeMs, roomMs: roomMs + leadMs, orderedMs: nowMs, isBuffered, tries };
    this.#farSinceMs = null;
    this.#isBending = false;
    this.#pace.forget();
    return this.#hold(placeMs, null);
  }

  get #leadMs(): number {
    return Math.max(MIN_LEAD_MS, Math.min(MAX_LEAD_MS, 1.33 * this.#seekCostMs));
  }

  #landingAt(placeMs: number, roomMs: number, nowMs: number, film: FilmView): Landing {
    return { placeMs, roomMs, orderedMs: nowMs, isBuffered: isAtHand(film, placeMs), tries: 0 };
  }

  #land(moment: Moment, landing: Landing): Orders {
    const { nowMs, roomMs, playback, film } = moment;
    this.#driftMs = null;
    const isReady = !film.isSeeking && film.isReady && Math.abs(film.placeMs - landing.placeMs) < LANDED_MS;
    if (!isReady) return this.#hold(null, null);
    this.#learn(landing, nowMs);
    const leftMs = landing.roomMs - roomMs;
    if (leftMs > 1) return this.#hold(null, leftMs);
    const targetMs = placeAt(playback, roomMs);
    const isLate = -leftMs > LATE_MS && landing.tries < MAX_LANDINGS;
    if (isLate && film.bufferedUntilMs >= targetMs + AHEAD_MS) return this.#jump(moment, landing.tries + 1);
    this.#landing = null;
    this.#judgeFromMs = nowMs + SETTLE_MS;
    return { isPlaying: true, rate: playback.speedPercent / 100, seekToMs: null, againInMs: null };
  }

  /** How long a jump takes until the picture is there; counted once for each. */
  #learn(landing: Landing, nowMs: number): void {
    if (!landing.isBuffered) return;
    landing.isBuffered = false;
    this.#seekCostMs = 0.5 * this.#seekCostMs + 0.5 * (nowMs - landing.orderedMs);
  }

  #hold(seekToMs: number | null, againInMs: number | null): Orders {
    return { isPlaying: true, rate: 0, seekToMs, againInMs };
  }
}

function isAtHand({ placeMs, bufferedUntilMs }: FilmView, atMs: number): boolean {
  return atMs >= placeMs && atMs + AHEAD_MS <= bufferedUntilMs;
}
