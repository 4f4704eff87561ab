import type { RoomSession, RoomSnapshot } from '../../room-session.ts';
import { keepLoudness, keptLoudness } from './player-choices.ts';
import { nextSpeed } from './speeds.ts';

/** Who turns on the sound of a film that is at no volume hears it at this. */
const AUDIBLE_VOLUME = 0.5;

/**
 * What the person can do with the film. It is done to the media element, as the browser's own controls would: whatever
 * happens to that is the person's wish for the room (together.ts). Places are milliseconds from the film's start.
 */
export class FilmCommands {
  readonly canSmallWindow = document.pictureInPictureEnabled === true;
  readonly #video: HTMLVideoElement;
  readonly #session: RoomSession;
  readonly #snapshot: () => RoomSnapshot;

  /** `snapshot` returns what the page shows now. */
  constructor(video: HTMLVideoElement, session: RoomSession, snapshot: () => RoomSnapshot) {
    this.#video = video;
    this.#session = session;
    this.#snapshot = snapshot;
  }

  /** As fast as was chosen; the element may differ a little while it catches up with the room. */
  get speed(): number {
    const { isOnOwn, said } = this.#snapshot().sync;
    return isOnOwn || !said ? this.#video.playbackRate : said.speedPercent / 100;
  }

  toggle(): void {
    if (this.#video.paused) this.play();
    else this.pause();
  }

  play(): void {
    if (this.#snapshot().isPlayRefused) void this.#session.play();
    else void this.#video.play().catch(() => undefined);
  }

  pause(): void {
    this.#video.pause();
  }

  /** Goes to a place, or to the nearest that can be gone to. */
  goTo(atMs: number): void {
    this.#session.seekTo(atMs);
  }

  /** Goes so many seconds on, or back. */
  step(byS: number): void {
    this.goTo((this.#video.currentTime + byS) * 1000);
  }

  /** Goes to a share of the film, 0 to 1. */
  goToShare(share: number): void {
    this.goTo(share * (this.#snapshot().video?.durationMs ?? 0));
  }

  /** From 0 to 1. */
  setVolume(volume: number): void {
    this.#setLoudness(volume, false);
  }

  turnVolume(by: number): void {
    this.setVolume(this.#video.volume + by);
  }

  /** Sound off, or on again. */
  toggleSound(): void {
    const { volume, muted } = this.#video;
    if (volume === 0) this.setVolume(AUDIBLE_VOLUME);
    else this.#setLoudness(volume, !muted);
  }

  /** As loud as this browser was last. */
  restoreLoudness(): void {
    const kept = keptLoudness();
    if (!kept) return;
    this.#video.volume = kept.volume;
    // A film that had to begin without sound stays so until somebody turns it on.
    this.#video.muted ||= kept.isMuted;
  }

  setSpeed(speed: number): void {
    this.#video.playbackRate = speed;
  }

  changeSpeed(direction: 1 | -1): void {
    this.setSpeed(nextSpeed(this.speed, direction));
  }

  /** The film in a small window of its own, or back in the page; where the browser can. */
  async toggleSmallWindow(): Promise<void> {
    if (!this.canSmallWindow) return;
    const isOut = document.pictureInPictureElement !== null;
    // Refused before the first picture.
    await (isOut ? document.exitPictureInPicture() : this.#video.requestPictureInPicture()).catch(
      () => undefined,
    );
  }

  #setLoudness(volume: number, isMuted: boolean): void {
    this.#video.volume = Math.min(1, Math.max(0, volume));
    this.#video.muted = isMuted;
    keepLoudness({ volume: this.#video.volume, isMuted });
  }
}
