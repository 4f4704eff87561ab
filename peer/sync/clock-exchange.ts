import type { Clock } from '../clock.ts';
import type { Handlers, Link } from '../wire/link.ts';
import type { Bodies } from '../wire/messages.ts';
import { ClockFilter, type Estimate } from './clock-filter.ts';
import { RoomClock } from './room-clock.ts';

/** The second question follows the first after so long, and each later one after twice as long, up to the last. */
const FIRST_GAP_MS = 150;
const LAST_GAP_MS = 15_000;

export interface ClockExchangeParts {
  clock: Clock;
  /** From 0 (inclusive) to 1 (exclusive), another for each member: who of two that nobody told the time follows the other. */
  lot: number;
  /** The time is known now, or was set anew by more than it could be wrong: what was said for later moments is void. */
  onSet(): void;
}

interface Asked {
  filter: ClockFilter;
  n: number;
  /** When the question that is on its way left; null: none is. */
  askedMs: number | null;
  gapMs: number;
  cancel(): void;
}

/** Answers who asks for the room's time, and learns it from every peer: what they say of it is in RoomClock. */
export class ClockExchange {
  readonly handlers: Handlers = {
    askTime: (link, { n }) => this.#answer(link, n),
    time: (link, body) => this.#hear(link, body),
  };
  readonly time: RoomClock;
  readonly #parts: ClockExchangeParts;
  readonly #asked = new Map<Link, Asked>();

  constructor(parts: ClockExchangeParts) {
    this.#parts = parts;
    this.time = new RoomClock({ clock: parts.clock, lot: parts.lot, onSet: () => parts.onSet() });
  }

  /** Begins to ask a peer. */
  add(link: Link): void {
    const asked = { filter: new ClockFilter(), n: 0, askedMs: null, gapMs: FIRST_GAP_MS, cancel: () => {} };
    this.#asked.set(link, asked);
    this.#ask(link, asked);
  }

  remove(link: Link): void {
    this.#asked.get(link)?.cancel();
    this.#asked.delete(link);
  }

  close(): void {
    for (const link of [...this.#asked.keys()]) this.remove(link);
  }

  #ask(link: Link, asked: Asked): void {
    this.#lookWhetherSlept();
    asked.n = (asked.n + 1) >>> 0;
    asked.askedMs = this.#parts.clock.nowMs();
    link.send('askTime', { n: asked.n });
    asked.cancel = this.#parts.clock.after(asked.gapMs, () => this.#ask(link, asked));
    asked.gapMs = Math.min(LAST_GAP_MS, 2 * asked.gapMs);
  }

  /** At once, and of this very moment: an answer waits nowhere here. */
  #answer(link: Link, n: number): void {
    const { time } = this;
    link.send('time', { n, roomMs: Math.round(time.nowMs()), errorMs: Math.ceil(time.errorMs) });
  }

  #hear(link: Link, { n, roomMs, errorMs }: Bodies['time']): void {
    const asked = this.#asked.get(link);
    if (!asked || asked.askedMs === null || n !== asked.n) return;
    asked.filter.add({ askedMs: asked.askedMs, heardMs: this.#parts.clock.nowMs(), roomMs, errorMs });
    asked.askedMs = null;
    this.#update();
  }

  #update(): void {
    const nowMs = this.#parts.clock.nowMs();
    let origin: Estimate | null = null;
    const members: Estimate[] = [];
    for (const [link, { filter }] of this.#asked) {
      const best = filter.best(nowMs);
      if (!best) continue;
      if (link.remote.kind === 'origin') origin = best;
      else members.push(best);
    }
    const wasTold = this.time.isTold;
    this.time.update(origin, members);
    if (!wasTold && this.time.isTold) this.#parts.onSet();
  }

  /** What was asked before a machine slept tells nothing after it. */
  #lookWhetherSlept(): void {
    if (!this.time.hasSlept()) return;
    for (const asked of this.#asked.values()) {
      asked.filter.clear();
      asked.askedMs = null;
      asked.gapMs = FIRST_GAP_MS;
    }
  }
}
