import type { Mailbox } from './bus.ts';
import { draw } from './draw.ts';

/** The members of one room. Joining, leaving and drawing neighbours take the same time in a room of ten and of ten thousand. */
export class Roster {
  readonly #mailboxes = new Map<string, Mailbox>();
  /** The ids once more, without gaps, to draw from. */
  readonly #ids: string[] = [];
  readonly #places = new Map<string, number>();

  get size(): number {
    return this.#ids.length;
  }

  mailbox(id: string): Mailbox | null {
    return this.#mailboxes.get(id) ?? null;
  }

  mailboxes(): Iterable<Mailbox> {
    return this.#mailboxes.values();
  }

  put(id: string, mailbox: Mailbox): void {
    this.#mailboxes.set(id, mailbox);
    if (this.#places.has(id)) return;
    this.#places.set(id, this.#ids.length);
    this.#ids.push(id);
  }

  remove(id: string): void {
    const place = this.#places.get(id);
    const last = this.#ids.at(-1);
    if (place === undefined || last === undefined) return;
    this.#ids[place] = last;
    this.#places.set(last, place);
    this.#ids.pop();
    this.#places.delete(id);
    this.#mailboxes.delete(id);
  }

  /** Up to `count` ids, drawn at random, without those in `besides`. */
  draw(besides: readonly string[], count: number, random: () => number): string[] {
    return draw(this.#ids, new Set(besides), count, random);
  }
}
