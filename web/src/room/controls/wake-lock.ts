/** Keeps the screen on while the film plays, where the browser can; it takes that back whenever the page is hidden. */
export class WakeLock {
  #lock: WakeLockSentinel | null = null;
  #isWanted = false;
  readonly #onVisible = (): void => void this.#take();

  constructor() {
    document.addEventListener('visibilitychange', this.#onVisible);
  }

  want(isWanted: boolean): void {
    this.#isWanted = isWanted;
    if (isWanted) void this.#take();
    else this.#release();
  }

  close(): void {
    document.removeEventListener('visibilitychange', this.#onVisible);
    this.want(false);
  }

  async #take(): Promise<void> {
    if (!this.#isWanted || document.visibilityState !== 'visible' || (this.#lock && !this.#lock.released))
      return;
    // Refused where the battery is low, for one: the film plays all the same.
    const lock = await navigator.wakeLock?.request('screen').catch(() => null);
    this.#lock = lock ?? null;
    if (!this.#isWanted) this.#release();
  }

  #release(): void {
    void this.#lock?.release().catch(() => undefined);
    this.#lock = null;
  }
}
