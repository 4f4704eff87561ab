import type { SteeredPlayer, SteeredVideo } from '../../web/src/room/together.ts';
import type { VirtualClock } from '../sim/virtual-clock.ts';

/** What a jump takes until its picture is there. */
const SEEK_MS = 80;

/** A media element and its player on a virtual clock, with all of a film at hand: what it is told takes effect, and it says so by events. */
export class ModelVideo extends EventTarget implements SteeredVideo, SteeredPlayer {
  /** What is at hand after the place where it is, but while it stalls. */
  aheadS = Number.POSITIVE_INFINITY;
  readonly duration: number;
  readonly #clock: VirtualClock;
  #placeS = 0;
  #sinceMs: number;
  #rate = 1;
  #isPaused = true;
  #seekingUntilMs = Number.NEGATIVE_INFINITY;
  #stalledUntilMs = Number.NEGATIVE_INFINITY;
  #ownSeekS: number | null = null;
  hasBegun = false;
  /** The browser wants a click first. */
  isPlayRefused = false;
  seekCount = 0;

  constructor(clock: VirtualClock, durationS: number) {
    super();
    this.#clock = clock;
    this.#sinceMs = clock.nowMs();
    this.duration = durationS;
  }

  /** The first picture is there, at this place. */
  start(placeMs: number): void {
    this.hasBegun = true;
    this.#placeS = placeMs / 1000;
    this.#sinceMs = this.#clock.nowMs();
    this.#isPaused = this.isPlayRefused;
    this.#tell('loadeddata');
  }

  /** No pieces for so long from now on. */
  stall(forMs: number): void {
    this.#advance();
    this.#stalledUntilMs = this.#clock.nowMs() + forMs;
  }

  get currentTime(): number {
    this.#advance();
    return this.#placeS;
  }

  set currentTime(placeS: number) {
    this.#advance();
    this.seekCount += 1;
    this.#placeS = Math.max(0, Math.min(this.duration, placeS));
    this.#seekingUntilMs = this.#clock.nowMs() + SEEK_MS;
    this.#tell('seeking');
    this.#clock.after(SEEK_MS, () => this.dispatchEvent(new Event('seeked')));
  }

  get ended(): boolean {
    return this.currentTime >= this.duration;
  }

  get paused(): boolean {
    return this.#isPaused;
  }

  get seeking(): boolean {
    return this.#clock.nowMs() < this.#seekingUntilMs;
  }

  get readyState(): number {
    return this.seeking || this.#clock.nowMs() < this.#stalledUntilMs ? 1 : 4;
  }

  get playbackRate(): number {
    return this.#rate;
  }

  set playbackRate(rate: number) {
    this.#advance();
    this.#rate = rate;
    this.#tell('ratechange');
  }

  get isOwnSeek(): boolean {
    return this.#ownSeekS !== null && Math.abs(this.currentTime - this.#ownSeekS) < 0.01;
  }

  get bufferedUntilMs(): number {
    const isStalled = this.#clock.nowMs() < this.#stalledUntilMs;
    return (isStalled ? this.currentTime : Math.min(this.duration, this.currentTime + this.aheadS)) * 1000;
  }

  beginAt(): void {}

  seekTo(placeMs: number): void {
    this.#ownSeekS = placeMs / 1000;
    this.currentTime = this.#ownSeekS;
  }

  takeSeek(): void {
    this.#ownSeekS = this.currentTime;
  }

  async play(): Promise<void> {
    if (this.isPlayRefused || !this.#isPaused) return;
    this.#advance();
    this.#isPaused = false;
    this.#tell('play');
  }

  pause(): void {
    this.#advance();
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#tell('pause');
  }

  #advance(): void {
    const nowMs = this.#clock.nowMs();
    const fromMs = Math.max(this.#sinceMs, this.#seekingUntilMs, this.#stalledUntilMs);
    if (!this.#isPaused && this.hasBegun)
      this.#placeS = Math.min(
        this.duration,
        this.#placeS + (Math.max(0, nowMs - fromMs) * this.#rate) / 1000,
      );
    this.#sinceMs = nowMs;
  }

  /** As a task of its own, as elements do. */
  #tell(event: string): void {
    this.#clock.after(1, () => this.dispatchEvent(new Event(event)));
  }
}
