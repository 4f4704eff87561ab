import { toBase64url } from '../bytes.ts';
import type { ChatLine } from '../chat/chat-line.ts';
import type { Rules } from '../manifest/rules.ts';

/** Whose chat lines are hidden, and from when on: what a member wrote before it was muted stays. */
export class Mutes {
  readonly #sinceMs = new Map<string, number>();

  /** Takes the newest rules. Who is still muted is so since the first rules that said it. */
  update({ muted, atMs }: Rules): void {
    const ids = new Set(muted.map(toBase64url));
    for (const id of this.#sinceMs.keys()) if (!ids.has(id)) this.#sinceMs.delete(id);
    for (const id of ids) this.#sinceMs.set(id, Math.min(atMs, this.#sinceMs.get(id) ?? atMs));
  }

  /** Whether a line is hidden, by the time that its author says it wrote it. */
  hides({ from, sentAtMs }: Pick<ChatLine, 'from' | 'sentAtMs'>): boolean {
    const sinceMs = this.#sinceMs.get(from);
    return sinceMs !== undefined && sentAtMs > sinceMs;
  }

  /** `lines` without those that are hidden; the same array where none is. */
  shown<T extends Pick<ChatLine, 'from' | 'sentAtMs'>>(lines: readonly T[]): readonly T[] {
    return this.#sinceMs.size === 0 ? lines : lines.filter((line) => !this.hides(line));
  }
}
