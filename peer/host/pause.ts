/** A person's pause: tasks that ask wait until it is over. What is under way meanwhile ends by itself. */
export class Pause {
  #waiting: (() => void)[] = [];
  #isOn = false;

  get isOn(): boolean {
    return this.#isOn;
  }

  start(): void {
    this.#isOn = true;
  }

  end(): void {
    this.#isOn = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  /** Resolves at once, or when the pause is over. Rejects with the signal's reason. */
  async over(signal: AbortSignal): Promise<void> {
    while (this.#isOn && !signal.aborted) await this.#next(signal);
    signal.throwIfAborted();
  }

  async #next(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', wake);
        this.#waiting = this.#waiting.filter((other) => other !== wake);
        resolve();
      };
      this.#waiting.push(wake);
      signal.addEventListener('abort', wake);
    });
  }
}
