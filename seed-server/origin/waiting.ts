/** Who does not ask again so long after it was told to has gone elsewhere. */
const PATIENCE_MS = 60_000;

/** Kept for each room at most: whoever comes after them is told a long time anyway. */
const MAX_WAITING = 500;

/** Those of one room who found no place, in the order they first asked. */
export class Waiting {
  /** Until when each is expected to ask again. */
  readonly #untilMs = new Map<string, number>();

  /** How many wait before this one; it is put at the end where it is new. */
  rankOf(id: string, nowMs: number): number {
    let rank = 0;
    for (const [other, untilMs] of this.#untilMs) {
      if (other === id) return rank;
      if (untilMs < nowMs) this.#untilMs.delete(other);
      else rank += 1;
    }
    if (this.#untilMs.size < MAX_WAITING) this.#untilMs.set(id, nowMs + PATIENCE_MS);
    return rank;
  }

  /** It was told to ask again at this moment. */
  expect(id: string, atMs: number): void {
    if (this.#untilMs.has(id)) this.#untilMs.set(id, atMs + PATIENCE_MS);
  }

  /** It got a place. */
  remove(id: string): void {
    this.#untilMs.delete(id);
  }
}
