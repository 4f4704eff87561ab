/** Who gave a piece: another viewer, or the server, by whichever way. */
export type Giver = 'server' | 'friend';

/** Bytes of one segment by who gave them. */
export type Given = Readonly<Record<Giver, number>>;

/** Where what came of a film came from, by segment: for showing it. What was given up later is still in it. */
export class Provenance {
  readonly #given = new Map<number, Record<Giver, number>>();

  /** A piece of so many bytes came. */
  note(segment: number, giver: Giver, sizeBytes: number): void {
    const given = this.#given.get(segment) ?? { server: 0, friend: 0 };
    given[giver] += sizeBytes;
    this.#given.set(segment, given);
  }

  /** Of each segment of which something came. */
  get segments(): Iterable<[segment: number, given: Given]> {
    return this.#given;
  }
}
