import type { Bytes } from '../bytes.ts';

/** Members of whom something is kept, and how much of each. */
const MAX_BRINGERS = 12;
const MAX_EACH = 2;

/**
 * What the origin keeps of statements that it cannot read, for those who come late: the last ones that each member brought.
 * By member, so that one who floods displaces nothing but its own; members know which of them stands.
 */
export class KeptStatements {
  /** By the bringer's id; who brought something last is at the end. */
  readonly #kept = new Map<string, Bytes[]>();

  /** All that is kept, the newest last. */
  get all(): Bytes[] {
    return [...this.#kept.values()].flat();
  }

  add(bringer: string, sealed: Bytes): void {
    const before = this.#kept.get(bringer) ?? [];
    this.#kept.delete(bringer);
    this.#kept.set(bringer, [...before, sealed].slice(-MAX_EACH));
    const oldest = this.#kept.keys().next().value;
    if (this.#kept.size > MAX_BRINGERS && oldest !== undefined) this.#kept.delete(oldest);
  }

  clear(): void {
    this.#kept.clear();
  }
}
