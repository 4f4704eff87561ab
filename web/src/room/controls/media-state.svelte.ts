/** What a media element does, as the page shows it. */
export class MediaState {
  isPaused: boolean = $state(true);
  placeMs: number = $state(0);
  volume: number = $state(1);
  isMuted: boolean = $state(false);
  rate: number = $state(1);
  readonly #listening = new AbortController();

  constructor(video: HTMLVideoElement) {
    const { signal } = this.#listening;
    const look = (): void => this.#look(video);
    for (const event of [
      'play',
      'pause',
      'ended',
      'timeupdate',
      'seeking',
      'seeked',
      'volumechange',
      'ratechange',
    ])
      video.addEventListener(event, look, { signal });
    look();
  }

  close(): void {
    this.#listening.abort();
  }

  #look({ paused, currentTime, volume, muted, playbackRate }: HTMLVideoElement): void {
    this.isPaused = paused;
    this.placeMs = currentTime * 1000;
    this.volume = volume;
    this.isMuted = muted;
    this.rate = playbackRate;
  }
}
