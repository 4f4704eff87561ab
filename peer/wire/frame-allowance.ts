import { Allowance } from '../allowance.ts';
import type { Clock } from '../clock.ts';
import type { MessageName } from './messages.ts';

/**
 * How often a peer may send what costs us more than reading it: so many at once, and after that one in so many
 * milliseconds. Many times what an honest one does: it greets again when its person changes name, answers pages only
 * when asked, compares chat lines once, and asks the time a few times a minute. Pieces and what is chatted are counted where more is known of them
 * (swarm/downloads.ts, chat/chat-relay.ts, chat/passing-relay.ts), heads replace each other (manifest/manifest-exchange.ts).
 */
const ALLOWED: { readonly [N in MessageName]?: { atOnce: number; everyMs: number } } = {
  hello: { atOnce: 16, everyMs: 1_000 },
  ping: { atOnce: 64, everyMs: 500 },
  getPage: { atOnce: 128, everyMs: 50 },
  page: { atOnce: 128, everyMs: 50 },
  rules: { atOnce: 64, everyMs: 1_000 },
  choke: { atOnce: 32, everyMs: 1_000 },
  unchoke: { atOnce: 32, everyMs: 1_000 },
  lied: { atOnce: 64, everyMs: 1_000 },
  chatKnown: { atOnce: 8, everyMs: 10_000 },
  reactionKnown: { atOnce: 8, everyMs: 10_000 },
  askTime: { atOnce: 32, everyMs: 1_000 },
  // Each costs a signature to check. Somebody who drags the timeline tells four a second, and so may several at once.
  playback: { atOnce: 128, everyMs: 100 },
  stall: { atOnce: 128, everyMs: 250 },
};

/** Counts the costly frames of one link. */
export class FrameAllowance {
  readonly #clock: Clock;
  readonly #allowances = new Map<MessageName, Allowance>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether one more of these may come now; it counts if so. */
  canTake(name: MessageName): boolean {
    const allowed = ALLOWED[name];
    if (!allowed) return true;
    const allowance =
      this.#allowances.get(name) ?? new Allowance(this.#clock, allowed.atOnce, allowed.everyMs);
    this.#allowances.set(name, allowance);
    return allowance.canTake();
  }
}
