import type { Clock } from '../../peer/clock.ts';
import { AtHand } from '../../peer/room/at-hand.ts';
import { StartGate } from '../../peer/room/start-gate.ts';
import type { Viewer } from '../../peer/room/viewer.ts';
import { Pace } from '../../peer/sync/pace.ts';

/** Playing stalls where less than this is at hand. */
export const STALL_AHEAD_MS = 40;

/** How often the viewer is told where playing is. */
const PLAYHEAD_EVERY_MS = 250;

/** Clocks add up with rounding. */
const ROUNDING_MS = 1e-6;

export interface PlayerParts {
  clock: Clock;
  viewer: Viewer;
  startAtMs: number;
  /** The film's end was reached. */
  onEnd(): void;
}

/** What playing was like. */
export interface Playing {
  /** From the first moment to the first picture; null where none came. */
  startUpMs: number | null;
  stallCount: number;
  stallMs: number;
  longestStallMs: number;
  watchedMs: number;
  /** By how much less it would have been without playing slower for want of more. */
  slowedMs: number;
  isFinished: boolean;
}

/** Plays what a viewer holds, as a media element would: from its pieces, without gaps, stopping where one is missing. */
export class VirtualPlayer {
  readonly #parts: PlayerParts;
  readonly #bornMs: number;
  /** The place at `#movedMs`; since then it moves at `#rate` where `#isPlaying`. */
  #atMs: number;
  #movedMs: number;
  #rate = 1;
  readonly #pace = new Pace();
  #sinceMs: number;
  #isPlaying = false;
  #startUpMs: number | null = null;
  #stallCount = 0;
  #stallMs = 0;
  #longestStallMs = 0;
  #stalledSinceMs: number | null = null;
  #watchedMs = 0;
  #slowedMs = 0;
  #isFinished = false;
  #isClosed = false;
  #atHand: AtHand;
  #gate = new StartGate();
  #cancelCheck: () => void = () => undefined;
  #cancelTick: () => void = () => undefined;

  constructor(parts: PlayerParts) {
    this.#parts = parts;
    this.#atMs = parts.startAtMs;
    this.#atHand = new AtHand(parts.viewer, parts.startAtMs);
    this.#bornMs = parts.clock.nowMs();
    this.#sinceMs = this.#bornMs;
    this.#movedMs = this.#bornMs;
    this.#tick();
  }

  /** Milliseconds from the start of the film. */
  get placeMs(): number {
    const movedMs = this.#isPlaying ? this.#parts.clock.nowMs() - this.#movedMs : 0;
    return this.#atMs + this.#rate * movedMs;
  }

  /** What is at hand after the playhead, milliseconds. */
  get aheadMs(): number {
    return Math.max(0, this.#atHand.untilMs() - this.placeMs);
  }

  /** The picture stands still though the film is not over. */
  get isWaiting(): boolean {
    return !this.#isPlaying && !this.#isFinished;
  }

  playing(): Playing {
    const stallingMs = this.#stalledSinceMs === null ? 0 : this.#parts.clock.nowMs() - this.#stalledSinceMs;
    return {
      startUpMs: this.#startUpMs,
      stallCount: this.#stallCount,
      stallMs: this.#stallMs + stallingMs,
      longestStallMs: Math.max(this.#longestStallMs, stallingMs),
      watchedMs: this.#watchedMs + (this.#isPlaying ? this.#parts.clock.nowMs() - this.#sinceMs : 0),
      slowedMs: this.#slowedMs + (this.#isPlaying ? this.#slowedSinceMs() : 0),
      isFinished: this.#isFinished,
    };
  }

  /** A piece came, or the manifest grew. */
  news(): void {
    if (!this.#isPlaying && !this.#isFinished && !this.#isClosed) this.#startIfReady();
  }

  /** Goes to another place; the wait for it counts as a stall. */
  seek(toMs: number): void {
    if (this.#isFinished || this.#isClosed) return;
    if (this.#isPlaying) this.#stall();
    this.#atMs = toMs;
    this.#atHand = new AtHand(this.#parts.viewer, toMs);
    this.#gate = new StartGate();
    this.#parts.viewer.setPlayhead(toMs);
    this.news();
  }

  /** The person leaves: what was going on ends now. */
  close(): void {
    this.#isClosed = true;
    const { stallMs, longestStallMs } = this.playing();
    if (this.#isPlaying) this.#pause();
    this.#stalledSinceMs = null;
    this.#stallMs = stallMs;
    this.#longestStallMs = longestStallMs;
    this.#cancelCheck();
    this.#cancelTick();
  }

  #tick(): void {
    const { clock, viewer } = this.#parts;
    this.#setPace();
    viewer.setPlayhead(this.placeMs);
    this.#tellRoom();
    this.#cancelTick = clock.after(PLAYHEAD_EVERY_MS, () => this.#tick());
  }

  /** A page does the same, as often (steering.ts). */
  #setPace(): void {
    if (!this.#isPlaying) return;
    const [nowMs, placeMs, untilMs] = [this.#parts.clock.nowMs(), this.placeMs, this.#atHand.untilMs()];
    this.#slowedMs += this.#slowedSinceMs();
    this.#atMs = placeMs;
    this.#movedMs = nowMs;
    this.#rate = this.#pace.share({ nowMs, placeMs, untilMs, isAll: this.#isAtEnd(untilMs), speed: 1 });
    this.#cancelCheck();
    this.#check();
  }

  /** Since it was set at this rate. */
  #slowedSinceMs(): number {
    return (1 - this.#rate) * (this.#parts.clock.nowMs() - this.#movedMs);
  }

  /** Says what a page says of itself. Nobody is steered by it here: each plays at its own place. */
  #tellRoom(): void {
    const { chat, sync } = this.#parts.viewer;
    chat.be(this.#startUpMs === null ? 'waiting' : this.isWaiting ? 'buffering' : 'watching');
    if (this.#isPlaying && sync.isTold && !sync.playback) sync.begin(this.placeMs);
  }

  #startIfReady(): void {
    const frontierMs = this.#atHand.untilMs();
    const nowMs = this.#parts.clock.nowMs();
    const aheadMs = frontierMs - this.#atMs;
    const { hasOrigin } = this.#parts.viewer;
    if (!this.#gate.isOpen({ nowMs, aheadMs, isAll: this.#isAtEnd(frontierMs), hasOrigin })) return;
    this.#isPlaying = true;
    this.#sinceMs = nowMs;
    this.#movedMs = nowMs;
    this.#startUpMs ??= nowMs - this.#bornMs;
    if (this.#stalledSinceMs !== null) this.#endStall(nowMs - this.#stalledSinceMs);
    this.#pace.forget();
    this.#setPace();
  }

  #endStall(stallMs: number): void {
    this.#stallMs += stallMs;
    this.#longestStallMs = Math.max(this.#longestStallMs, stallMs);
    this.#stalledSinceMs = null;
  }

  /** Looks again when what is at hand will be used up. */
  #check(): void {
    const frontierMs = this.#atHand.untilMs();
    const isAtEnd = this.#isAtEnd(frontierMs);
    const leftMs = frontierMs - this.placeMs - (isAtEnd ? 0 : STALL_AHEAD_MS);
    if (leftMs > ROUNDING_MS)
      this.#cancelCheck = this.#parts.clock.after(leftMs / this.#rate, () => this.#check());
    else if (isAtEnd) this.#finish();
    else this.#stall();
  }

  #stall(): void {
    this.#pause();
    this.#stallCount += 1;
    this.#gate = new StartGate();
    this.#stalledSinceMs = this.#parts.clock.nowMs();
  }

  #finish(): void {
    this.#pause();
    this.#isFinished = true;
    this.#cancelTick();
    this.#parts.onEnd();
  }

  #pause(): void {
    this.#cancelCheck();
    const nowMs = this.#parts.clock.nowMs();
    this.#atMs = this.placeMs;
    this.#slowedMs += this.#slowedSinceMs();
    this.#watchedMs += nowMs - this.#sinceMs;
    this.#isPlaying = false;
  }

  #isAtEnd(frontierMs: number): boolean {
    const { head } = this.#parts.viewer.manifest;
    return head?.isDone === true && frontierMs >= head.durationMs;
  }
}
