import type { Mailbox } from './bus.ts';
import { draw } from './draw.ts';

/** Who came within so much time of each other is likely to be at the same place of the film. */
const TOGETHER_MS = 15_000;

/** The members of one room. */
export class Roster {
  readonly #mailboxes = new Map<string, Mailbox>();
  /** In the order in which they came, and when that was. */
  readonly #ids: string[] = [];
  readonly #cameMs: number[] = [];

  get size(): number {
    return this.#ids.length;
  }

  mailbox(id: string): Mailbox | null {
    return this.#mailboxes.get(id) ?? null;
  }

  mailboxes(): Iterable<Mailbox> {
    return this.#mailboxes.values();
  }

  /** Puts a member in, or gives one that is here another mailbox. `nowMs` never goes back. */
  put(id: string, mailbox: Mailbox, nowMs: number): void {
    if (!this.#mailboxes.has(id)) {
      this.#ids.push(id);
      this.#cameMs.push(nowMs);
    }
    this.#mailboxes.set(id, mailbox);
  }

  remove(id: string): void {
    if (!this.#mailboxes.delete(id)) return;
    const place = this.#ids.indexOf(id);
    this.#ids.splice(place, 1);
    this.#cameMs.splice(place, 1);
  }

  /**
   * Up to `count` ids without those in `besides`. Every other one is drawn from those that came when the member `of` did, or now where
   * it is not here yet: they have what it needs, and need what it has. The others come from everywhere, so that the room stays connected.
   */
  draw(
    of: string | null,
    besides: readonly string[],
    count: number,
    nowMs: number,
    random: () => number,
  ): string[] {
    const without = new Set(besides);
    const companions = of === null ? [] : draw(this.#cameWith(of, nowMs), without, count / 2, random);
    for (const id of companions) without.add(id);
    const anybody = draw(this.#ids, without, count - companions.length, random);
    const drawn = [];
    for (let at = 0; at < Math.max(companions.length, anybody.length); at++)
      for (const id of [companions[at], anybody[at]]) if (id !== undefined) drawn.push(id);
    return drawn;
  }

  #cameWith(of: string, nowMs: number): string[] {
    const cameMs = this.#cameMs[this.#ids.indexOf(of)] ?? nowMs;
    const first = this.#cameMs.findIndex((otherMs) => otherMs >= cameMs - TOGETHER_MS);
    const last = this.#cameMs.findLastIndex((otherMs) => otherMs <= cameMs + TOGETHER_MS);
    return first < 0 ? [] : this.#ids.slice(first, last + 1);
  }
}
