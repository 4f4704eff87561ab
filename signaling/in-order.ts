/**
 * Runs tasks one after the other in the order they were given, each after the one before has settled.
 * A task that rejects stops the line: `onError` hears of it once and nothing after it is run.
 */
export class InOrder {
  readonly #onError: (error: unknown) => void;
  #last: Promise<void> = Promise.resolve();
  #waitingCount = 0;
  #isStopped = false;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** Tasks given and not yet settled. */
  get waitingCount(): number {
    return this.#waitingCount;
  }

  /** Resolves when the task has settled or was skipped; never rejects. */
  add(task: () => Promise<void>): Promise<void> {
    this.#waitingCount += 1;
    this.#last = this.#last.then(() => this.#run(task));
    return this.#last;
  }

  /** Skips what has not begun. */
  stop(): void {
    this.#isStopped = true;
  }

  async #run(task: () => Promise<void>): Promise<void> {
    try {
      if (!this.#isStopped) await task();
    } catch (error) {
      this.#isStopped = true;
      this.#onError(error);
    } finally {
      this.#waitingCount -= 1;
    }
  }
}
