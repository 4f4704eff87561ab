import type { PeerKind } from '../wire/link.ts';
import type { Wanted } from './wanted.ts';

/** Nearer than this pieces are taken in the order they are needed, from whoever is surest. */
export const URGENT_MS = 6_000;

/** Nearer than this a piece is wanted from the origin too, even where a viewer was asked for it. */
export const RESCUE_MS = 800;

/** Nearer than this a piece that a viewer was asked for is asked of another one as well. */
const ENDGAME_MS = 0;

/**
 * Who has had a request for this long has a queue. The first holder of a new piece is asked by everyone around it; once
 * another has it too, and owes us nothing, that one is asked instead.
 */
const MOVE_AFTER_MS = 600;

/** A connection as the picker sees it. */
export interface Candidate {
  id: string;
  kind: PeerKind;
  has(segment: number, piece: number): boolean;
  /** Pieces it may still be asked for now. */
  freeSlots: number;
  /** Pieces it owes us. */
  inFlight: number;
  bytesPerSec: number;
  roundTripMs: number;
}

/** A request that was not answered yet. */
export interface Asked {
  id: string;
  waitedMs: number;
}

export interface PickInput {
  /** What a piece has, about. */
  pieceBytes: number;
  wanted: readonly Wanted[];
  candidates: readonly Candidate[];
  /** Whom a piece is asked of already. */
  askedOf(segment: number, piece: number): readonly Asked[];
  /** Numbers from 0 (inclusive) to 1 (exclusive). */
  random(): number;
}

export interface Ask extends Wanted {
  id: string;
  /** The one that need not send it any more. */
  insteadOf: string | null;
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
  readonly #asks: Ask[] = [];

  constructor(input: PickInput) {
    this.#input = input;
    this.#members = input.candidates.filter(({ kind }) => kind === 'member');
    this.#origin = input.candidates.find(({ kind }) => kind === 'origin') ?? null;
  }

  run(): Ask[] {
    const ahead: { wanted: Wanted; holders: Candidate[]; rank: number }[] = [];
    for (const wanted of this.#input.wanted) {
      const asked = this.#input.askedOf(wanted.segment, wanted.piece);
      const holders = this.#members.filter((member) => member.has(wanted.segment, wanted.piece));
      if (wanted.inMs < URGENT_MS) this.#askNear(wanted, holders, asked);
      else if (holders.length === 0) this.#askOrigin(wanted, asked);
      else if (this.#membersAmong(asked).length > 0) this.#move(wanted, holders, this.#membersAmong(asked));
      else ahead.push({ wanted, holders, rank: this.#rank(wanted, holders.length) });
    }
    for (const { wanted, holders } of ahead.sort((a, b) => a.rank - b.rank))
      this.#askMember(wanted, holders, []);
    return this.#asks;
  }

  #askNear(wanted: Wanted, holders: Candidate[], asked: readonly Asked[]): void {
    const ofMembers = this.#membersAmong(asked);
    const mayAskMember = ofMembers.length === 0 || (ofMembers.length === 1 && wanted.inMs < ENDGAME_MS);
    const didAsk = mayAskMember && this.#askMember(wanted, holders, asked);
    if (!didAsk) this.#move(wanted, holders, ofMembers);
    const isCovered = ofMembers.length > 0 || didAsk;
    if (!isCovered || wanted.inMs < RESCUE_MS) this.#askOrigin(wanted, asked);
  }

  /** Asks an idle holder instead of the one that has let us wait. */
  #move(wanted: Wanted, holders: Candidate[], ofMembers: readonly Asked[]): void {
    const [slow, ...others] = ofMembers;
    if (!slow || others.length > 0 || slow.waitedMs < MOVE_AFTER_MS) return;
    const idle = holders.filter(
      (holder) => holder.id !== slow.id && holder.inFlight === 0 && !this.#taken.has(holder),
    );
    const next = idle[Math.floor(this.#input.random() * idle.length)];
    if (next && this.#freeSlots(next) > 0) this.#ask(wanted, next, slow.id);
  }

  /** Asks whoever is expected to deliver first, with some disorder so that not all go to the same one. */
  #askMember(wanted: Wanted, holders: Candidate[], asked: readonly Asked[]): boolean {
    let best: Candidate | null = null;
    let bestMs = Number.POSITIVE_INFINITY;
    for (const holder of holders) {
      if (this.#freeSlots(holder) <= 0 || asked.some(({ id }) => id === holder.id)) continue;
      const expectedMs = this.#arrivalMs(holder) * (0.75 + 0.5 * this.#input.random());
      if (expectedMs < bestMs) {
        best = holder;
        bestMs = expectedMs;
      }
    }
    if (best) this.#ask(wanted, best);
    return best !== null;
  }

  #askOrigin(wanted: Wanted, asked: readonly Asked[]): void {
    const origin = this.#origin;
    if (!origin || this.#freeSlots(origin) <= 0 || asked.some(({ id }) => id === origin.id)) return;
    if (origin.has(wanted.segment, wanted.piece)) this.#ask(wanted, origin);
  }

  #ask(wanted: Wanted, candidate: Candidate, insteadOf: string | null = null): void {
    this.#taken.set(candidate, (this.#taken.get(candidate) ?? 0) + 1);
    this.#asks.push({ ...wanted, id: candidate.id, insteadOf });
  }

  /** The rarest first, near before far among equals. */
  #rank({ inMs }: Wanted, holderCount: number): number {
    return holderCount + inMs / 60_000 + this.#input.random() * 0.5;
  }

  #freeSlots(candidate: Candidate): number {
    return candidate.freeSlots - (this.#taken.get(candidate) ?? 0);
  }

  /** When a piece asked of this peer now would be here, milliseconds from now. */
  #arrivalMs(candidate: Candidate): number {
    const owed = candidate.inFlight + (this.#taken.get(candidate) ?? 0);
    return candidate.roundTripMs + ((owed + 1) * this.#input.pieceBytes * 1000) / candidate.bytesPerSec;
  }

  #membersAmong(asked: readonly Asked[]): readonly Asked[] {
    const originId = this.#origin?.id;
    return asked.filter(({ id }) => id !== originId);
  }
}
