/** A map that keeps the entries used last and forgets the others. */
export class Recent<V> {
  readonly #maxCount: number;
  readonly #entries = new Map<string, V>();

  constructor(maxCount: number) {
    this.#maxCount = maxCount;
  }

  get(key: string): V | undefined {
    const value = this.#entries.get(key);
    if (value !== undefined) this.set(key, value);
    return value;
  }

  set(key: string, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#maxCount) break;
      this.#entries.delete(oldest);
    }
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }
}
