/** Something that is there for a while after it was set, and then no more: null. */
export class Passing<T> {
  value: T | null = $state.raw(null);
  readonly #forMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(forMs: number) {
    this.#forMs = forMs;
  }

  /** Sets it, for as long as ever. */
  set(value: T): void {
    this.value = value;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => (this.value = null), this.#forMs);
  }

  /** Ends it now. */
  end(): void {
    clearTimeout(this.#timer);
    this.value = null;
  }
}
