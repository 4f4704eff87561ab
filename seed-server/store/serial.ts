/** Runs tasks of the same key one after the other, in the order they were given; those of other keys beside them. */
export class Serial {
  readonly #last = new Map<string, Promise<unknown>>();

  /** What the task resolves to, or its rejection, which does not stop those after it. */
  run<T>(key: string, task: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const result = before.then(task);
    const settled = result.then(
      () => {},
      () => {},
    );
    this.#last.set(key, settled);
    void settled.then(() => {
      if (this.#last.get(key) === settled) this.#last.delete(key);
    });
    return result;
  }
}
