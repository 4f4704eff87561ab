/** Lets tasks wait until something shared has changed to their liking; aborting the signal ends every wait. */
export class Change {
  readonly #signal: AbortSignal;
  #waiting: (() => void)[] = [];

  /** @param signal ends with the tasks that wait: the listener on it stays until then. */
  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', () => this.tell(), { once: true });
  }

  /** Resolves once `isSo()` holds, looking again at each `tell()`. Rejects with the signal's reason. */
  async until(isSo: () => boolean): Promise<void> {
    this.#signal.throwIfAborted();
    while (!isSo()) await this.next();
  }

  /** Resolves at the next `tell()`. Rejects with the signal's reason. */
  async next(): Promise<void> {
    this.#signal.throwIfAborted();
    await new Promise<void>((wake) => this.#waiting.push(wake));
    this.#signal.throwIfAborted();
  }

  /** To be called after each change. */
  tell(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}
