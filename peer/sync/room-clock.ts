import type { Clock } from '../clock.ts';
import { CLOCK_TOLERANCE, type Estimate } from './clock-filter.ts';

/** A clock that nobody has told the time goes by its person's: wrong by so much, and some more by which equals tell who follows whom. */
const UNTOLD_ERROR_MS = 60 * 60 * 1000;

/**
 * What we have grows old beside what we could have: so much in a second, beyond what may be wrong with it. Else one who follows
 * somebody would never ask again, since the error of both grows alike, while their clocks run apart.
 */
const OLD_BY = 200e-6;

/** The best peers must contradict a clock for so long before it is set anew. */
const CONTRADICTED_MS = 30_000;

/** Sums of numbers as large as dates are this exact. */
const ROUNDING_MS = 0.01;

/** A person's clock and a monotonic one that part by this much: the machine slept. */
const SLEPT_MS = 1_000;

export interface RoomClockParts {
  clock: Clock;
  /** From 0 (inclusive) to 1 (exclusive): who of two that nobody told the time follows the other. */
  lot: number;
  /** The room's time jumped here by so many milliseconds: more than the error we thought we had. */
  onSet?(byMs: number): void;
}

/**
 * The room's time as this peer knows it: milliseconds since 1970, by the origin's clock where anybody ever met it. It is learnt
 * together with how wrong it can be; that grows with each hop and with time, so whoever knows less sure follows whoever knows
 * surer, nobody goes in circles, and a room whose origin is gone keeps the time of the member who knew it best.
 *
 * No peer can do much harm: where the origin is there, members can make its word more exact and not contradict it; where it
 * is not, most of them must agree; and a clock that is set moves only within the error it had, unless it has been
 * contradicted for half a minute.
 */
export class RoomClock {
  readonly #parts: RoomClockParts;
  #own: Estimate;
  #ownSinceMs: number;
  #isTold = false;
  #contradictedSinceMs: number | null = null;
  #wallOffsetMs: number;

  constructor(parts: RoomClockParts) {
    this.#parts = parts;
    const { clock, lot } = parts;
    this.#wallOffsetMs = clock.wallMs() - clock.nowMs();
    this.#own = untold(this.#wallOffsetMs, lot);
    this.#ownSinceMs = clock.nowMs();
  }

  /** Room time now, whole or not. */
  nowMs(): number {
    return this.#parts.clock.nowMs() + this.#own.offsetMs;
  }

  /** How wrong that can be, milliseconds. */
  get errorMs(): number {
    return this.#own.errorMs + (this.#parts.clock.nowMs() - this.#ownSinceMs) * CLOCK_TOLERANCE;
  }

  /** Whether anybody has told us the time. */
  get isTold(): boolean {
    return this.#isTold;
  }

  /** Whether the machine slept, or its person set the clock: then what was known of the time is void. True once each time. */
  hasSlept(): boolean {
    const { clock, lot } = this.#parts;
    const wallOffsetMs = clock.wallMs() - clock.nowMs();
    if (Math.abs(wallOffsetMs - this.#wallOffsetMs) <= SLEPT_MS) return false;
    this.#wallOffsetMs = wallOffsetMs;
    this.#own = untold(wallOffsetMs, lot);
    this.#ownSinceMs = clock.nowMs();
    this.#isTold = false;
    return true;
  }

  /** Takes what is known from peers now: the origin's word, null where it is not there, and the members'. */
  update(origin: Estimate | null, members: readonly Estimate[]): void {
    const best = origin ? surestWithin(origin, members) : this.#surestOfMost(members);
    if (!best) return;
    if (areConsistent(best, this.#current())) {
      this.#contradictedSinceMs = null;
      const ageMs = this.#parts.clock.nowMs() - this.#ownSinceMs;
      if (best.errorMs < this.errorMs + ageMs * OLD_BY) this.#set(best);
    } else if (!this.#isTold || this.#isLongContradicted()) {
      const byMs = best.offsetMs - this.#own.offsetMs;
      const wasTold = this.#isTold;
      this.#set(best);
      if (wasTold) this.#parts.onSet?.(byMs);
    }
  }

  #current(): Estimate {
    return { offsetMs: this.#own.offsetMs, errorMs: this.errorMs };
  }

  #isLongContradicted(): boolean {
    const nowMs = this.#parts.clock.nowMs();
    this.#contradictedSinceMs ??= nowMs;
    return nowMs - this.#contradictedSinceMs >= CONTRADICTED_MS;
  }

  #set(estimate: Estimate): void {
    this.#own = estimate;
    this.#ownSinceMs = this.#parts.clock.nowMs();
    this.#isTold = true;
    this.#contradictedSinceMs = null;
  }

  /** The surest of those that agree with most others (Marzullo; RFC 5905, section 11.2.1); where that is undecided, with us. */
  #surestOfMost(members: readonly Estimate[]): Estimate | null {
    let best: { estimate: Estimate; votes: number } | null = null;
    for (const { offsetMs, errorMs } of members) {
      const voters = members.filter((member) => holds(member, offsetMs - errorMs));
      const estimate = surestOf(voters);
      if (!estimate) continue;
      const isOurs = this.#isTold && areConsistent(estimate, this.#current());
      const votes = voters.length + (isOurs ? 0.5 : 0);
      if (!best || votes > best.votes) best = { estimate, votes };
    }
    return best?.estimate ?? null;
  }
}

function untold(offsetMs: number, lot: number): Estimate {
  return { offsetMs, errorMs: UNTOLD_ERROR_MS * (1 + lot) };
}

/** The surest of what the origin says and of what members say that does not contradict it. */
function surestWithin(origin: Estimate, members: readonly Estimate[]): Estimate {
  return surestOf([origin, ...members.filter((member) => areConsistent(member, origin))]) ?? origin;
}

function surestOf(estimates: readonly Estimate[]): Estimate | null {
  let surest: Estimate | null = null;
  for (const estimate of estimates) if (!surest || estimate.errorMs < surest.errorMs) surest = estimate;
  return surest;
}

function holds({ offsetMs, errorMs }: Estimate, point: number): boolean {
  return Math.abs(point - offsetMs) <= errorMs + ROUNDING_MS;
}

function areConsistent(a: Estimate, b: Estimate): boolean {
  return Math.abs(a.offsetMs - b.offsetMs) <= a.errorMs + b.errorMs;
}
