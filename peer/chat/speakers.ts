import { Allowance } from '../allowance.ts';
import type { Clock } from '../clock.ts';

/** Of so many members it is remembered what they said in passing. */
const MAX_SPEAKERS = 512;

/** What one member may cheer: so often at once, after that once in so many milliseconds. */
const CHEERS_AT_ONCE = 6;
const CHEER_EVERY_MS = 500;

interface Speaker {
  sentAtMs: number;
  cheers: Allowance;
}

/** What members said last in passing, so that nobody says more than they may, and nobody again what somebody else has said. */
export class Speakers {
  readonly #clock: Clock;
  /** Who spoke last is last. */
  readonly #speakers = new Map<string, Speaker>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether this is newer, by its author's clock, than all its author said before; it counts if so. */
  isNews(from: string, sentAtMs: number): boolean {
    const speaker = this.#speakers.get(from) ?? this.#newSpeaker();
    if (speaker.sentAtMs >= sentAtMs) return false;
    speaker.sentAtMs = sentAtMs;
    this.#speakers.delete(from);
    this.#speakers.set(from, speaker);
    const longestSilent = this.#speakers.keys().next().value;
    if (this.#speakers.size > MAX_SPEAKERS && longestSilent) this.#speakers.delete(longestSilent);
    return true;
  }

  /** Whether this member may cheer once more now; it counts if so. */
  mayCheer(from: string): boolean {
    return this.#speakers.get(from)?.cheers.canTake() ?? true;
  }

  /** Milliseconds until this member may cheer; 0 for now. */
  waitToCheerMs(from: string): number {
    return this.#speakers.get(from)?.cheers.waitMs() ?? 0;
  }

  #newSpeaker(): Speaker {
    return { sentAtMs: 0, cheers: new Allowance(this.#clock, CHEERS_AT_ONCE, CHEER_EVERY_MS) };
  }
}
