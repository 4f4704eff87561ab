import type { Link } from '../wire/link.ts';
import type { Availability } from './availability.ts';
import type { Debt, Owed } from './owed.ts';
import type { Wanted } from './wanted.ts';

/** Nearer than this pieces are taken in the order they are needed, from whoever is surest. */
export const URGENT_MS = 6_000;

/** Nearer than this a piece is wanted from the origin too, even where a viewer was asked for it. */
export const RESCUE_MS = 800;

/**
 * Who has had a request for this long has a queue. The first holder of a new piece is asked by everyone around it; once
 * another has it too, and owes us less than half as much, that one is asked instead.
 */
const MOVE_AFTER_MS = 600;

/** A connection as the picker sees it. */
export interface Candidate {
  link: Link;
  availability: Availability;
  /** Pieces it may still be asked for now. */
  freeSlots: number;
  /** Pieces it owes us. */
  inFlight: number;
  bytesPerSec: number;
  roundTripMs: number;
}

export interface PickInput {
  nowMs: number;
  /** What a piece has, about. */
  pieceBytes: number;
  wanted: readonly Wanted[];
  candidates: readonly Candidate[];
  /** What is asked of whom already. */
  owed: Pick<Owed, 'ofViewer' | 'ofOrigin'>;
  /** Numbers from 0 (inclusive) to 1 (exclusive). */
  random(): number;
}

export interface Ask extends Wanted {
  link: Link;
  /** The one that need not send it any more. */
  insteadOf: Link | null;
}

/**
 * Whom to ask for what, now. Pure but for `random`.
 *
 * Viewers are asked for what they have: near pieces in the order they are needed, further out the rarest first, with some
 * disorder. What no viewer we know has is asked of the origin, all of it at once: it knows what it has given to whom, and
 * answers so that the crowd gets each piece once. What is needed very soon is asked of the origin as well.
 */
export function pick(input: PickInput): Ask[] {
  return new Picking(input).run();
}

/** One picking: what has been decided so far, and whose slots are left. */
class Picking {
  readonly #input: PickInput;
  readonly #members: Candidate[];
  readonly #origin: Candidate | null;
  readonly #taken = new Map<Candidate, number>();
  /** Viewers that can be asked for something yet. */
  #freeMembers: number;
  readonly #asks: Ask[] = [];

  constructor(input: PickInput) {
    this.#input = input;
    this.#members = input.candidates.filter(({ link }) => link.remote.kind === 'member');
    this.#origin = input.candidates.find(({ link }) => link.remote.kind === 'origin') ?? null;
    this.#freeMembers = this.#members.filter(({ freeSlots }) => freeSlots > 0).length;
  }

  run(): Ask[] {
    const ahead: { wanted: Wanted; holders: Candidate[]; rank: number }[] = [];
    for (const wanted of this.#input.wanted) {
      const asked = this.#input.owed.ofViewer(wanted.segment, wanted.piece);
      if (asked) {
        this.#move(wanted, asked);
        if (wanted.inMs < RESCUE_MS) this.#askOrigin(wanted);
        continue;
      }
      // Nobody can be asked more than is asked already: most of the time, in a crowd.
      if (this.#freeMembers === 0 && this.#input.owed.ofOrigin(wanted.segment, wanted.piece)) continue;
      const holders = this.#holdersOf(wanted);
      if (wanted.inMs < URGENT_MS) this.#askNear(wanted, holders);
      else if (holders.length === 0) this.#askOrigin(wanted);
      else ahead.push({ wanted, holders, rank: this.#rank(wanted, holders.length) });
    }
    for (const { wanted, holders } of ahead.sort((a, b) => a.rank - b.rank)) this.#askMember(wanted, holders);
    return this.#asks;
  }

  #holdersOf({ segment, piece }: Wanted): Candidate[] {
    const holders: Candidate[] = [];
    for (const member of this.#members) if (member.availability.has(segment, piece)) holders.push(member);
    return holders;
  }

  #askNear(wanted: Wanted, holders: Candidate[]): void {
    const didAsk = this.#askMember(wanted, holders);
    if (!didAsk || wanted.inMs < RESCUE_MS) this.#askOrigin(wanted);
  }

  /** Asks a holder that owes us far less instead of the one that has let us wait. */
  #move(wanted: Wanted, { link, askedMs }: Debt): void {
    if (this.#input.nowMs - askedMs < MOVE_AFTER_MS) return;
    const slow = this.#members.find((member) => member.link === link);
    const least = slow ? this.#owedBy(slow) / 2 : 1;
    const quicker = this.#holdersOf(wanted).filter(
      (holder) => holder !== slow && this.#owedBy(holder) < least && this.#freeSlots(holder) > 0,
    );
    const next = quicker[Math.floor(this.#input.random() * quicker.length)];
    if (next) this.#ask(wanted, next, link);
  }

  /** Asks whoever is expected to deliver first, with some disorder so that not all go to the same one. */
  #askMember(wanted: Wanted, holders: Candidate[]): boolean {
    let best: Candidate | null = null;
    let bestMs = Number.POSITIVE_INFINITY;
    for (const holder of holders) {
      if (this.#freeSlots(holder) <= 0) continue;
      const expectedMs = this.#arrivalMs(holder) * (0.75 + 0.5 * this.#input.random());
      if (expectedMs < bestMs) {
        best = holder;
        bestMs = expectedMs;
      }
    }
    if (best) this.#ask(wanted, best);
    return best !== null;
  }

  #askOrigin(wanted: Wanted): void {
    const origin = this.#origin;
    const { segment, piece } = wanted;
    if (!origin || this.#freeSlots(origin) <= 0 || this.#input.owed.ofOrigin(segment, piece)) return;
    if (origin.availability.has(segment, piece)) this.#ask(wanted, origin);
  }

  #ask(wanted: Wanted, candidate: Candidate, insteadOf: Link | null = null): void {
    this.#taken.set(candidate, (this.#taken.get(candidate) ?? 0) + 1);
    if (candidate !== this.#origin && this.#freeSlots(candidate) <= 0) this.#freeMembers -= 1;
    const { segment, piece, inMs } = wanted;
    this.#asks.push({ segment, piece, inMs, link: candidate.link, insteadOf });
  }

  /** The rarest first, near before far among equals. */
  #rank({ inMs }: Wanted, holderCount: number): number {
    return holderCount + inMs / 60_000 + this.#input.random() * 0.5;
  }

  #owedBy(candidate: Candidate): number {
    return candidate.inFlight + (this.#taken.get(candidate) ?? 0);
  }

  #freeSlots(candidate: Candidate): number {
    return candidate.freeSlots - (this.#taken.get(candidate) ?? 0);
  }

  /** When a piece asked of this peer now would be here, milliseconds from now. */
  #arrivalMs(candidate: Candidate): number {
    return (
      candidate.roundTripMs +
      ((this.#owedBy(candidate) + 1) * this.#input.pieceBytes * 1000) / candidate.bytesPerSec
    );
  }
}
