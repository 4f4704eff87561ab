import type { Clock } from '../clock.ts';

/** Who has not said again for so long that they type has stopped. */
const SHOWN_MS = 6_000;

/** Of so many it is remembered; nobody reads more names than a few. */
const MAX_TYPING = 16;

/** Who is typing now. */
export class WhoTypes {
  readonly #clock: Clock;
  /** By member id; who said it last is last. */
  readonly #typing = new Map<string, { name: string; untilMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** This member types. */
  types(from: string, name: string): void {
    this.#typing.delete(from);
    if (this.#typing.size < MAX_TYPING) {
      this.#typing.set(from, { name, untilMs: this.#clock.nowMs() + SHOWN_MS });
    }
  }

  /** This member has sent its line. */
  stops(from: string): void {
    this.#typing.delete(from);
  }

  /** Their ids and names, who began first first. */
  now(): { from: string; name: string }[] {
    const nowMs = this.#clock.nowMs();
    for (const [from, { untilMs }] of this.#typing) if (untilMs <= nowMs) this.#typing.delete(from);
    return [...this.#typing].map(([from, { name }]) => ({ from, name }));
  }
}
