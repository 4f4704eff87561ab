import { toBase64url } from '../bytes.ts';
import type { Clock } from '../clock.ts';
import type { Rules } from '../manifest/rules.ts';

/** What was said before we came is brought to us in so many milliseconds. */
const HISTORY_MS = 30_000;

/** Something said: by whom, when by its author's word, and when it came here, by our clock's `nowMs`. */
export interface Heard {
  from: string;
  dateMs: number;
  cameMs: number;
}

interface Mute {
  /** By the host's clock. */
  sinceMs: number;
  /** By ours: what comes later is hidden whatever its date, for that is its author's to choose. */
  cameMs: number;
}

/** Whose chat lines are hidden, and from when on: what a member wrote before it was muted stays. */
export class Mutes {
  readonly #clock: Clock;
  /** Of what comes before this, only the date tells whether it was said before the mute: all who come late judge alike. */
  readonly #historyEndsMs: number;
  readonly #mutes = new Map<string, Mute>();
  #updateCount = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#historyEndsMs = clock.nowMs() + HISTORY_MS;
  }

  /** Grows whenever something else may be hidden than before. */
  get updateCount(): number {
    return this.#updateCount;
  }

  /** Takes the newest rules. Who is still muted is so since the first rules that said it. */
  update({ muted, atMs }: Pick<Rules, 'muted' | 'atMs'>): void {
    this.#updateCount += 1;
    const ids = new Set(muted.map(toBase64url));
    for (const id of this.#mutes.keys()) if (!ids.has(id)) this.#mutes.delete(id);
    const nowMs = Math.max(this.#clock.nowMs(), this.#historyEndsMs);
    for (const id of ids) {
      const { sinceMs, cameMs } = this.#mutes.get(id) ?? { sinceMs: atMs, cameMs: nowMs };
      this.#mutes.set(id, { sinceMs: Math.min(atMs, sinceMs), cameMs });
    }
  }

  /** Whether this is hidden: dated after its author was muted, or come here after we learnt of that. */
  hides({ from, dateMs, cameMs }: Heard): boolean {
    const mute = this.#mutes.get(from);
    return mute !== undefined && (dateMs > mute.sinceMs || cameMs > mute.cameMs);
  }

  /** `lines` without those that are hidden; the same array where none is. */
  shown<T extends Heard>(lines: readonly T[]): readonly T[] {
    return this.#mutes.size === 0 ? lines : lines.filter((line) => !this.hides(line));
  }
}
