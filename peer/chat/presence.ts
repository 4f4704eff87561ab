import * as v from 'valibot';
import type { Clock } from '../clock.ts';

/** All there is to say: who sees the film, whose film waits for more, whose has not begun, who does not look. */
const DOINGS = ['watching', 'buffering', 'waiting', 'away'] as const;

export type Doing = (typeof DOINGS)[number];

export const doingField = v.picklist(DOINGS);

/** What changed is said after this long, the later the more there are: many a stall is over before it could be read. */
const SAY_AFTER_MS = 1_500;
const SAY_AFTER_MS_EACH = 200;

/** And for the first time after this: who comes is busy with beginning, and so are those that came with it. */
const SAY_FIRST_AFTER_MS = 4_000;

/** Said again this often, so that who comes or missed it learns of it; the more there are the seldomer, so that all together say one a second. */
const SAY_AGAIN_MS = 30_000;
const SAY_AGAIN_MS_EACH = 1_000;

/** To a newcomer it is said sooner than that where there are few; of many it hears in their turns. */
const FEW_PEOPLE = 12;

/** Who missed so many turns is taken to have left. */
const MISSED_TURNS = 3;

/** Of so many it is remembered: who comes after them is not in the list. */
const MAX_PEOPLE = 200;

/** A member that said lately what it does. */
export interface Present {
  from: string;
  name: string;
  isHost: boolean;
  doing: Doing;
}

export interface PresenceParts {
  clock: Clock;
  /** Tells everybody what this member does. */
  say(doing: Doing): void;
}

/** Who is here and what they do, as they say themselves; and saying it of this member, from the first `be` on. */
export class Presence {
  readonly #parts: PresenceParts;
  /** By member id; who said it last is last. */
  readonly #people = new Map<string, Present & { heardMs: number }>();
  #doing: Doing | null = null;
  #nextMs = Number.POSITIVE_INFINITY;
  #cancel: () => void = () => undefined;

  constructor(parts: PresenceParts) {
    this.#parts = parts;
  }

  /** What this member does from now on. */
  be(doing: Doing): void {
    if (doing === this.#doing) return;
    const isFirst = this.#doing === null;
    this.#doing = doing;
    this.#sayIn(isFirst ? SAY_FIRST_AFTER_MS : SAY_AFTER_MS + this.#people.size * SAY_AFTER_MS_EACH);
  }

  /** Somebody new is connected, who does not know yet what this member does. */
  met(): void {
    if (this.#doing && this.#people.size <= FEW_PEOPLE) this.#sayIn(SAY_AFTER_MS);
  }

  /** A member said what it does. */
  heard(present: Present): void {
    this.#people.delete(present.from);
    this.#forgetLeft();
    if (this.#people.size >= MAX_PEOPLE) return;
    this.#people.set(present.from, { ...present, heardMs: this.#parts.clock.nowMs() });
  }

  /** Who said something lately, oneself left out. */
  people(): Present[] {
    this.#forgetLeft();
    return [...this.#people.values()].map(({ from, name, isHost, doing }) => ({ from, name, isHost, doing }));
  }

  /** The connection to this member is closed: it has left, for a goodbye may be lost. Should it still be here it says so again, to all. */
  parted(id: string): void {
    this.#people.delete(id);
  }

  close(): void {
    this.#doing = null;
    this.#cancel();
  }

  get #turnMs(): number {
    return Math.max(SAY_AGAIN_MS, this.#people.size * SAY_AGAIN_MS_EACH);
  }

  #forgetLeft(): void {
    const sinceMs = this.#parts.clock.nowMs() - MISSED_TURNS * this.#turnMs;
    for (const [id, { heardMs }] of this.#people) if (heardMs < sinceMs) this.#people.delete(id);
  }

  /** Sooner where it was to be said later; never later. */
  #sayIn(delayMs: number): void {
    const { clock, say } = this.#parts;
    const atMs = clock.nowMs() + delayMs;
    if (atMs >= this.#nextMs) return;
    this.#nextMs = atMs;
    this.#cancel();
    this.#cancel = clock.after(delayMs, () => {
      this.#nextMs = Number.POSITIVE_INFINITY;
      if (!this.#doing) return;
      say(this.#doing);
      this.#sayIn(this.#turnMs);
    });
  }
}
