import { PIECE_BYTES } from '../limits.ts';
import type { PeerKind } from '../wire/link.ts';
import { responsiblePeer } from './rendezvous.ts';
import type { Wanted } from './wanted.ts';

/** Nearer than this pieces are taken in the order they are needed, from whoever is surest. */
export const URGENT_MS = 6_000;

/**
 * When waiting for the responsible viewer ends, and the origin is asked all the same: this long before the piece
 * is needed, and once and a half the time it would take to come. A stall is worse than a byte; but asked any earlier,
 * viewers who start together would each fetch everything from the origin and never get ahead of it.
 */
const PANIC_MS = 500;
const PANIC_FACTOR = 1.5;

/** Nearer than this a piece on its way is asked for once more, elsewhere. */
const ENDGAME_MS = 1_500;

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

export interface PickInput {
  wanted: readonly Wanted[];
  candidates: readonly Candidate[];
  /** Whom a piece is asked of already. */
  askedOf(segment: number, piece: number): readonly string[];
  selfId: string;
  /** Numbers from 0 (inclusive) to 1 (exclusive). */
  random(): number;
}

export interface Ask extends Wanted {
  id: string;
}

/**
 * Whom to ask for what, now. Pure but for `random`.
 *
 * Urgent pieces, in the order they are needed, go to whoever is expected to deliver first; a viewer is preferred
 * to the origin as long as it is in time. Further out the rarest pieces among the viewers come first. The origin
 * is asked only for pieces that nobody has and this viewer is the one responsible for, or that would come too
 * late otherwise: so the crowd fetches each once, different ones at different viewers, and has something to trade.
 */
export function pick(input: PickInput): Ask[] {
  const slots = new Map(input.candidates.map((candidate) => [candidate.id, candidate.freeSlots]));
  const asks: Ask[] = [];
  const ask = (wanted: Wanted, candidate: Candidate): void => {
    slots.set(candidate.id, (slots.get(candidate.id) ?? 0) - 1);
    asks.push({ ...wanted, id: candidate.id });
  };
  const isFree = (candidate: Candidate): boolean => (slots.get(candidate.id) ?? 0) > 0;
  const load = (candidate: Candidate): number =>
    candidate.inFlight + candidate.freeSlots - (slots.get(candidate.id) ?? 0);

  for (const wanted of input.wanted) {
    if (wanted.inMs >= URGENT_MS) break;
    const surest = pickUrgent(input, wanted, isFree, load);
    if (surest) ask(wanted, surest);
  }
  for (const wanted of byRarity(input)) {
    const source = pickAhead(input, wanted, isFree, load);
    if (source) ask(wanted, source);
  }
  return asks;
}

/** When a piece asked of this peer now would be here, milliseconds from now. */
function arrivalMs(candidate: Candidate, owed: number): number {
  return candidate.roundTripMs + ((owed + 1) * PIECE_BYTES * 1000) / candidate.bytesPerSec;
}

function pickUrgent(
  input: PickInput,
  { segment, piece, inMs }: Wanted,
  isFree: (candidate: Candidate) => boolean,
  load: (candidate: Candidate) => number,
): Candidate | null {
  const { candidates } = input;
  const asked = input.askedOf(segment, piece);
  if (asked.length > 1 || (asked.length === 1 && inMs > ENDGAME_MS)) return null;
  let best: Candidate | null = null;
  let bestMs = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    if (!isFree(candidate) || asked.includes(candidate.id) || !candidate.has(segment, piece)) continue;
    const expectedMs = arrivalMs(candidate, load(candidate));
    const isPanic = inMs < PANIC_MS + PANIC_FACTOR * expectedMs;
    if (candidate.kind === 'origin' && !isPanic && !isResponsible(input, segment, piece)) continue;
    // In time is in time: among those the origin comes last.
    const costMs = candidate.kind === 'origin' ? Math.max(expectedMs, inMs) : expectedMs;
    if (costMs < bestMs) {
      best = candidate;
      bestMs = costMs;
    }
  }
  return best;
}

/** What is wanted further out: what viewers have and few do first, then what nobody has; near before far among equals, with some disorder. */
function byRarity({ wanted, candidates, askedOf, random }: PickInput): Wanted[] {
  const viewers = candidates.filter((candidate) => candidate.kind === 'member');
  const ranked: { wanted: Wanted; rank: number }[] = [];
  for (const next of wanted) {
    if (next.inMs < URGENT_MS || askedOf(next.segment, next.piece).length > 0) continue;
    const holders = viewers.filter((viewer) => viewer.has(next.segment, next.piece)).length;
    const rarity = holders === 0 ? viewers.length + 1 : holders;
    ranked.push({ wanted: next, rank: rarity + next.inMs / 60_000 + random() * 0.5 });
  }
  return ranked.sort((a, b) => a.rank - b.rank).map((item) => item.wanted);
}

/** Whether this viewer is the one, among itself and the viewers it is connected to, that fetches this piece from the origin. */
function isResponsible({ candidates, selfId }: PickInput, segment: number, piece: number): boolean {
  const viewerIds = candidates.filter((candidate) => candidate.kind === 'member').map((viewer) => viewer.id);
  return responsiblePeer([selfId, ...viewerIds], segment, piece) === selfId;
}

function pickAhead(
  input: PickInput,
  { segment, piece }: Wanted,
  isFree: (candidate: Candidate) => boolean,
  load: (candidate: Candidate) => number,
): Candidate | null {
  const { candidates } = input;
  const holders = candidates.filter(
    (candidate) => candidate.kind === 'member' && candidate.has(segment, piece),
  );
  if (holders.length > 0) {
    const free = holders.filter(isFree).sort((a, b) => arrivalMs(a, load(a)) - arrivalMs(b, load(b)));
    return free[0] ?? null;
  }
  if (!isResponsible(input, segment, piece)) return null;
  return candidates.find((c) => c.kind === 'origin' && isFree(c) && c.has(segment, piece)) ?? null;
}
