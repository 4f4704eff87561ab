import type { Clock } from '../../../peer/clock.ts';
import type { SyncExchange } from '../../../peer/room/sync-exchange.ts';
import { MAX_SPEED_PERCENT, MIN_SPEED_PERCENT, type Playback, placeAt } from '../../../peer/sync/playback.ts';
import type { Stall } from '../../../peer/sync/stall.ts';
import { type Orders, Steering } from '../../../peer/sync/steering.ts';
import { MAX_WAIT_MS, WaitForAll } from '../../../peer/sync/wait-for-all.ts';

/** How often the film's place is compared with the room's. */
const TICK_MS = 250;

/** Who begins first tells the others once its film is so far: they have a moment's more to come by the same pieces. */
const HEAD_START_MS = 150;

/** A film that is so far ahead of the room when it begins waits for it there; one that is farther jumps. */
const MAX_HEAD_START_MS = 1_000;

/** Who comes while the room has just begun, and has the beginning, begins there as well and catches up; a jump into nothing would be slower. */
const JUST_BEGUN_MS = 4_000;

/** From the order to begin at a place until its picture is there. */
const BEGIN_LEAD_MS = 250;

/** A wish to play or to go elsewhere is for so much later, so that it has reached everybody and all go on in the same moment. */
const PLAY_IN_MS = 250;
const SEEK_IN_MS = 500;

/** Who drags along the timeline says where to at most this often. */
const SAY_SEEK_EVERY_MS = 300;

/** Who is alone and further behind than this after a stall was held up. */
const HELD_UP_MS = 100;

/** A film that stood still for so long is told of; one that jumps has as long as jumps can take. */
const TELL_STALL_AFTER_MS = 500;
const TELL_SLOW_JUMP_AFTER_MS = 2_000;

/** In rooms of so many, films that stand still are told of even where the host did not ask to wait for everyone: each is heard by all. */
const SMALL_ROOM = 12;

/** One that was waited for is ready once it has so much ahead, else it would stand still again at once. (With 5 s six real viewers stood for 5 s that had 2 to 6 s ready; so for 1 s, and not again.) */
const READY_AHEAD_MS = 1_500;

/** Whoever made the room wait may have left: after so much longer than it may wait somebody else lets it go on. */
const ABANDONED_WAIT_MS = MAX_WAIT_MS + 5_000;

/** Films have the same speed up to this. */
const SAME_RATE = 1e-3;

/** The part of a media element that is steered. */
export type SteeredVideo = Pick<
  HTMLVideoElement,
  'currentTime' | 'duration' | 'ended' | 'paused' | 'pause' | 'playbackRate' | 'readyState' | 'seeking'
> &
  Pick<EventTarget, 'addEventListener'>;

/** The part of a player that steering needs. */
export interface SteeredPlayer {
  readonly hasBegun: boolean;
  readonly isOwnSeek: boolean;
  readonly bufferedUntilMs: number;
  readonly isPlayRefused: boolean;
  beginAt(placeMs: number): void;
  seekTo(placeMs: number): void;
  /** Takes a jump of the person's for our own. */
  takeSeek(): void;
  play(): Promise<void>;
}

export interface TogetherParts {
  video: SteeredVideo;
  player: SteeredPlayer;
  sync: SyncExchange;
  clock: Clock;
  isHost: boolean;
  /** Whether the host wants everybody to be waited for. */
  doesWait(): boolean;
  /** Whether nobody else is in the room, as far as is known. */
  isAlone(): boolean;
  /** How many are in the film, this one included, as they say themselves. */
  watchingCount(): number;
  /** Whether the host has not uploaded much more than what is at this place, milliseconds. */
  isAtEdge(placeMs: number): boolean;
  /** Whether the page is to be seen: a hidden one may be stopped by its browser, which is nobody's wish. */
  isVisible(): boolean;
  /** Whether the person watches on their own from the start. */
  isOnOwn: boolean;
  onChange(): void;
}

/** HTMLMediaElement.HAVE_FUTURE_DATA: it could go on from here. */
const HAVE_FUTURE_DATA = 3;

/**
 * Keeps a film where the room is, and tells the room what its person does with it. Whatever happens to the media element that
 * was not ordered here, the person did: by the player's buttons, by keys of the machine, or by a script in the page. Where it
 * may not be the room's, the person watches on their own from then on.
 */
export class Together {
  readonly #parts: TogetherParts;
  readonly #steering = new Steering();
  readonly #waiting = new WaitForAll();
  readonly #listening = new AbortController();
  #isOnOwn: boolean;
  /** What the element was last told, or seen, to do. */
  #wanted = { isPlaying: true, rate: 1 };
  #hasJoined = false;
  /** The browser stopped the film of a page that is not to be seen. */
  #isHeld = false;
  #saidSeekMs = Number.NEGATIVE_INFINITY;
  #cancelSeek: (() => void) | null = null;
  #stillSinceMs: number | null = null;
  #saidStalled = false;
  #didStall = false;
  #cancelTick: () => void = () => undefined;
  #isClosed = false;

  constructor(parts: TogetherParts) {
    this.#parts = parts;
    this.#isOnOwn = parts.isOnOwn;
    const { signal } = this.#listening;
    const { video } = parts;
    // Not steered at each of these: what is ordered here comes back as one.
    for (const event of ['play', 'pause', 'ratechange', 'seeking'])
      video.addEventListener(event, () => this.#heard(), { signal });
    for (const event of ['loadeddata', 'seeked', 'playing', 'waiting', 'canplay'])
      video.addEventListener(event, () => this.look(), { signal });
    this.#tickLater(TICK_MS);
  }

  /** Whether the person watches on their own. */
  get isOnOwn(): boolean {
    return this.#isOnOwn;
  }

  /** How far the film is from the room's place, milliseconds, behind where positive; null where it need not be there. */
  get skewMs(): number | null {
    const playback = this.#followed;
    const { video, sync, player } = this.#parts;
    if (!playback || !player.hasBegun || video.seeking || this.#isHeld) return null;
    return this.#inFilm(placeAt(playback, sync.nowMs())) - video.currentTime * 1000;
  }

  /** Where the film should begin, milliseconds. */
  placeToBegin(): number {
    const { sync, video } = this.#parts;
    const playback = this.#followed;
    if (!playback) return 0;
    const placeMs = placeAt(playback, sync.nowMs() + BEGIN_LEAD_MS);
    if (playback.isStart && placeMs < JUST_BEGUN_MS) return 0;
    return placeMs < video.duration * 1000 ? placeMs : 0;
  }

  /** Leaves the room's place for one's own. */
  stepOut(): void {
    this.#stepOut(false);
  }

  /** Goes back to where the room is. */
  stepIn(): void {
    if (!this.#isOnOwn) return;
    this.#isOnOwn = false;
    this.#steering.reset();
    this.#see();
    this.#parts.onChange();
    this.look();
  }

  /** Plays where the room is, from a click, after the browser had refused to. */
  play(): void {
    this.#steering.reset();
    void this.#parts.player.play();
    this.#see();
    this.look();
  }

  /** The page is to be seen again: a film that its browser had stopped goes on. */
  shown(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#steering.reset();
    this.#see();
    this.look();
  }

  /** Looks at the film and the room, and does what is to be done. */
  look(): void {
    if (this.#isClosed) return;
    this.#cancelTick();
    this.#tickLater(this.#run() ?? TICK_MS);
  }

  close(): void {
    this.#isClosed = true;
    this.#listening.abort();
    this.#cancelTick();
    this.#cancelSeek?.();
  }

  /** The element tells of something that it was ordered to do, or that its person did. */
  #heard(): void {
    if (this.#parts.player.hasBegun && this.#notePerson()) this.look();
  }

  #tickLater(delayMs: number): void {
    this.#cancelTick = this.#parts.clock.after(Math.min(TICK_MS, delayMs), () => this.look());
  }

  /** The statement that this film is to follow now. */
  get #followed(): Playback | null {
    const { sync } = this.#parts;
    return this.#isOnOwn || !sync.isTold ? null : sync.playback;
  }

  /** Returns in how many milliseconds to look again; null: as ever. */
  #run(): number | null {
    const { player, video, sync } = this.#parts;
    if (!player.hasBegun) {
      player.beginAt(this.placeToBegin());
      return null;
    }
    this.#notePerson();
    if (this.#isOnOwn || this.#isHeld || this.#cancelSeek || !sync.isTold) return null;
    const { playback } = sync;
    this.#tellStalls(playback);
    if (!playback) {
      if (!video.paused && video.currentTime * 1000 >= HEAD_START_MS) this.#begin();
      return null;
    }
    if (!this.#hasJoined) {
      this.#join(playback);
      return 0;
    }
    this.#waitForAll(playback);
    this.#holdUp(playback);
    return this.#steer(sync.playback ?? playback);
  }

  #steer(playback: Playback): number | null {
    const { clock, player, video, sync } = this.#parts;
    const orders = this.#steering.decide({
      nowMs: clock.nowMs(),
      roomMs: sync.nowMs(),
      playback,
      film: {
        placeMs: video.currentTime * 1000,
        isSeeking: video.seeking,
        isReady: video.readyState >= HAVE_FUTURE_DATA,
        bufferedUntilMs: player.bufferedUntilMs,
        durationMs: video.duration * 1000,
      },
    });
    this.#obey(orders);
    return orders.againInMs;
  }

  #obey({ isPlaying, rate, seekToMs }: Orders): void {
    const { player, video } = this.#parts;
    this.#setRate(rate);
    if (seekToMs !== null) player.seekTo(seekToMs);
    if (isPlaying === false && !video.paused) video.pause();
    // At the end of the film, play would begin anew.
    const canPlay = !player.isPlayRefused && !(video.ended && seekToMs === null);
    if (isPlaying === true && video.paused && canPlay) void player.play();
    this.#wanted.isPlaying = !video.paused;
  }

  #setRate(rate: number): void {
    const { video } = this.#parts;
    if (Math.abs(video.playbackRate - rate) > SAME_RATE) video.playbackRate = rate;
    this.#wanted.rate = video.playbackRate;
  }

  /** From now on this is what was wanted. */
  #see(): void {
    const { paused, playbackRate } = this.#parts.video;
    this.#wanted = { isPlaying: !paused, rate: playbackRate };
  }

  /** This page is where the film began first. */
  #begin(): void {
    const { sync, video } = this.#parts;
    // It is ahead by that much, and loses it slowly.
    this.#hasJoined = true;
    sync.begin(video.currentTime * 1000 - HEAD_START_MS);
  }

  /** The film has begun and the room has a place. */
  #join(playback: Playback): void {
    const { clock, sync, video } = this.#parts;
    this.#hasJoined = true;
    const placeMs = video.currentTime * 1000;
    const roomMs = sync.nowMs();
    const roomPlaceMs = placeAt(playback, roomMs);
    if (roomPlaceMs < video.duration * 1000) {
      const aheadMs = ((placeMs - roomPlaceMs) * 100) / playback.speedPercent;
      if (aheadMs >= MAX_HEAD_START_MS) return;
      this.#steering.join(playback);
      this.#steering.waitAt(placeMs, roomMs + aheadMs, clock.nowMs());
      return;
    }
    // Everybody else has seen it: who is alone begins it anew, others are not made to.
    if (this.#parts.isAlone() && sync.mayControl) this.#say({ placeMs: 0, isPlaying: true });
    else this.stepOut();
  }

  /** Tells the room what its person did: whatever the element does that was not ordered. Returns whether there was anything. */
  #notePerson(): boolean {
    const { video, player } = this.#parts;
    const { isPlaying, rate } = this.#wanted;
    // A film that is over stops by itself.
    const didPause = isPlaying && video.paused && !video.ended && !player.isPlayRefused;
    const didPlay = !isPlaying && !video.paused;
    const didTurn = Math.abs(video.playbackRate - rate) > SAME_RATE;
    const didSeek = video.seeking && !player.isOwnSeek;
    this.#see();
    if (!didPause && !didPlay && !didTurn && !didSeek) return false;
    if (this.#isOnOwn) return true;
    if (didPause && !this.#parts.isVisible()) {
      this.#isHeld = true;
      return true;
    }
    if (didPlay) this.#isHeld = false;
    const speedPercent = didTurn ? Math.round(video.playbackRate * 100) : this.#speedPercent;
    const canBeRooms = speedPercent >= MIN_SPEED_PERCENT && speedPercent <= MAX_SPEED_PERCENT;
    if (!this.#parts.sync.mayControl || !canBeRooms) this.#stepOut(didTurn);
    else if (didSeek) this.#saySeek();
    else this.#sayHere(speedPercent, didPlay ? PLAY_IN_MS : 0);
    return true;
  }

  /** `keepsRate`: the person has chosen the speed; else it may be what held the film for the room. */
  #stepOut(keepsRate: boolean): void {
    if (this.#isOnOwn) return;
    this.#isOnOwn = true;
    this.#cancelSeek?.();
    this.#cancelSeek = null;
    if (!keepsRate) this.#setRate(this.#speedPercent / 100);
    this.#parts.onChange();
  }

  get #speedPercent(): number {
    return this.#parts.sync.playback?.speedPercent ?? 100;
  }

  #sayHere(speedPercent: number, inMs: number): void {
    const { video } = this.#parts;
    this.#say({ placeMs: video.currentTime * 1000, isPlaying: !video.paused, speedPercent, inMs });
  }

  /** The person jumped, and may be dragging still: said once they rest, or now and then. */
  #saySeek(): void {
    const { clock, player, video } = this.#parts;
    player.takeSeek();
    if (this.#cancelSeek) return;
    const waitMs = Math.max(0, this.#saidSeekMs + SAY_SEEK_EVERY_MS - clock.nowMs());
    const say = (): void => {
      this.#cancelSeek = null;
      this.#saidSeekMs = clock.nowMs();
      const isPlaying = !video.paused;
      this.#say({ placeMs: video.currentTime * 1000, isPlaying, inMs: isPlaying ? SEEK_IN_MS : 0 });
      this.look();
    };
    if (waitMs === 0) say();
    else this.#cancelSeek = clock.after(waitMs, say);
  }

  #say(said: {
    placeMs: number;
    isPlaying: boolean;
    speedPercent?: number;
    inMs?: number;
    waitsFor?: string;
  }): void {
    this.#hasJoined = true;
    this.#parts.sync.wish({ speedPercent: this.#speedPercent, ...said });
  }

  #inFilm(placeMs: number): number {
    const durationMs = this.#parts.video.duration * 1000;
    return Number.isFinite(durationMs) ? Math.min(durationMs, placeMs) : placeMs;
  }

  /** Tells the room, where it is small or its host wants that, that our film stands still. */
  #tellStalls(playback: Playback | null): void {
    const { clock, doesWait, sync, video, watchingCount } = this.#parts;
    const isStill = this.#isStill(playback) && (doesWait() || watchingCount() <= SMALL_ROOM);
    const nowMs = clock.nowMs();
    this.#stillSinceMs = isStill ? (this.#stillSinceMs ?? nowMs) : null;
    const tellAfterMs = video.seeking ? TELL_SLOW_JUMP_AFTER_MS : TELL_STALL_AFTER_MS;
    const isStalled =
      this.#stillSinceMs !== null && (this.#saidStalled || nowMs - this.#stillSinceMs >= tellAfterMs);
    if (isStalled === this.#saidStalled) return;
    this.#saidStalled = isStalled;
    void sync.sayStalled(isStalled);
  }

  /** Whether there are no pieces to go on with; where the room waits for us: not enough to go on for long. */
  #isStill(playback: Playback | null): boolean {
    const { isAtEdge, player, video } = this.#parts;
    if (video.ended) return false;
    if (playback === null || !isWaiting(playback))
      return !video.paused && video.readyState < HAVE_FUTURE_DATA;
    const placeMs = video.currentTime * 1000;
    if (!this.#saidStalled || isAtEdge(placeMs)) return video.readyState < HAVE_FUTURE_DATA;
    const enoughMs = Math.min(placeMs + READY_AHEAD_MS, video.duration * 1000 - HEAD_START_MS);
    return video.seeking || player.bufferedUntilMs < enoughMs;
  }

  /**
   * A film that goes on after it stood still for want of pieces, or plays slower for that, or made a slow jump, is behind. Where nobody has more of it, or
   * nobody else watches, the room was held up with it, and nothing is to be left out.
   */
  #holdUp(playback: Playback): void {
    const { isAlone, isAtEdge, sync, video } = this.#parts;
    if (video.paused || video.ended) return;
    if (video.seeking || video.readyState < HAVE_FUTURE_DATA) {
      this.#didStall = true;
      return;
    }
    const didStall = this.#didStall || this.#steering.isSlowed;
    this.#didStall = false;
    const placeMs = video.currentTime * 1000;
    const isBehind = this.#inFilm(placeAt(playback, sync.nowMs())) > placeMs + HELD_UP_MS;
    if (didStall && isBehind && sync.mayControl && (isAlone() || isAtEdge(placeMs))) sync.wait(placeMs);
  }

  /** Has the room wait for who stands still: for each where the host wants that, else for most of a small room. */
  #waitForAll(playback: Playback): void {
    const { clock, doesWait, isHost, sync, video, watchingCount } = this.#parts;
    const { stalled } = sync;
    const isForEach = isHost && doesWait();
    const isAbandoned = sync.mayControl && sync.nowMs() - playback.atMs > ABANDONED_WAIT_MS;
    const isOurWait = isWaiting(playback) && (isForEach || playback.from === sync.selfId || isAbandoned);
    if (!isOurWait && !isForEach && !this.#speaksFor(stalled)) return;
    const decision = this.#waiting.decide({
      nowMs: clock.nowMs(),
      isPlaying: playback.isPlaying,
      isOurWait,
      stalled,
      watchingCount: watchingCount(),
      isForEach,
    });
    const roomPlaceMs = this.#inFilm(placeAt(playback, sync.nowMs()));
    if (decision?.kind === 'go') this.#say({ placeMs: roomPlaceMs, isPlaying: true, inMs: PLAY_IN_MS });
    if (decision?.kind !== 'wait') return;
    // Where we stand still ourselves nothing is to be left out.
    const placeMs = this.#saidStalled ? Math.min(roomPlaceMs, video.currentTime * 1000) : roomPlaceMs;
    this.#say({ placeMs, isPlaying: false, waitsFor: decision.forName });
  }

  /** One says it for all that stand still: a host that controls alone, else the one of them whose id is the first. */
  #speaksFor(stalled: readonly Stall[]): boolean {
    const { isHost, sync } = this.#parts;
    if (isHost && sync.control === 'host') return true;
    return (
      sync.mayControl &&
      stalled.some(({ from }) => from === sync.selfId) &&
      stalled.every(({ from }) => from >= sync.selfId)
    );
  }
}

/** Whether the room stands so that somebody can catch up. */
function isWaiting({ isPlaying, waitsFor }: Playback): boolean {
  return !isPlaying && waitsFor !== null;
}
