import type { Link } from '../wire/link.ts';
import { pieceKey } from './piece-key.ts';
import type { Request, Requests, Wait } from './requests.ts';
import type { ServingOrder } from './serving-order.ts';

/** A piece given to one viewer gets this long to reach the others by themselves. */
const REPEAT_AFTER_MS = 800;

/** Who needs it sooner than this gets it from the origin after all: a stall is worse than a byte. */
const RESCUE_MS = 600;

/** Who has waited this long for a piece given to somebody else, and needs it in so much time, won't get it from there. */
const LOST_MS = 2_000;
const LOST_NEED_MS = 3_000;

/** Of those who need a piece about as soon as the first of them, the one given least gets it. */
const ABOUT_MS = 5_000;

/** Who had so many pieces that did not reach the others, and so many of all it was given, is no good to give new ones to. */
const LOST_PIECES = 3;
const LOST_SHARE = 0.3;

/** So many that say of one that it gave them a wrong piece are believed: one alone may be the liar. */
const ACCUSERS = 3;

/** While there are new pieces to give, one answer in so many may be one that was given before. */
const NEW_PER_REPEAT = 3;

/** What was given so long ago has reached others: who had it first may leave. */
const SPREAD_MS = 10_000;

/** Pieces whose holders are remembered. */
const MAX_REMEMBERED = 65_536;

interface Given {
  /** Whom it was given to, of those still connected. */
  to: Set<Link>;
  /** Whether one who lost its place here, but not the room, has it: the others may get it from there. */
  isElsewhere: boolean;
  lastMs: number;
}

/** How many have it from us, as far as we know. */
function holderCount({ to, isElsewhere }: Given): number {
  return to.size + (isElsewhere ? 1 : 0);
}

/**
 * How the origin serves a room: each piece to one viewer, each to another one, and never the same again as long as the
 * viewers can have it from each other. Everybody may ask for everything early: a request waits here, mostly until it
 * is cancelled because the piece came from elsewhere. (BitTorrent's super-seeding, BEP 16, with deadlines.)
 */
export class OriginOrder implements ServingOrder {
  readonly #given = new Map<number, Given>();
  readonly #newBytes = new Map<Link, number>();
  readonly #idle = new Set<Link>();
  /** Pieces given first to a viewer, and how many of them had to be given again. */
  readonly #spread = new Map<Link, { given: number; lost: number }>();
  /** Who says of whom that it lies. */
  readonly #accusers = new Map<Link, Set<Link>>();
  #credit = 0;

  /** Whether this viewer passes on what it gets: one that does not is given nothing new while others wait. */
  setRelaying(link: Link, isRelaying: boolean): void {
    if (isRelaying) {
      this.#idle.delete(link);
    } else {
      this.#idle.add(link);
      this.#forgetHolder(link);
    }
  }

  /** `by` says that `accused` gave it a wrong piece. Of whom three say so gets new pieces last, and what it has counts as not given. */
  accuse(accused: Link, by: Link): void {
    // A liar's word is worth nothing.
    if (accused === by || this.#isLiar(by)) return;
    const accusers = this.#accusers.get(accused) ?? new Set();
    this.#accusers.set(accused, accusers);
    const wasLiar = this.#isLiar(accused);
    accusers.add(by);
    if (this.#isLiar(accused) && !wasLiar) this.#forgetHolder(accused);
  }

  choose(requests: Requests, nowMs: number, hasRoom: (link: Link) => boolean): Request | null {
    let fresh: Request | null = null;
    let repeat: Request | null = null;
    for (const wait of requests.waits) {
      const given = this.#given.get(wait.key) ?? null;
      if (given && isOnItsWay(given, wait, nowMs)) continue;
      const [first, again] = this.#judge(wait, given, nowMs, hasRoom);
      if (first && (!fresh || first.neededMs < fresh.neededMs)) fresh = first;
      if (again && (!repeat || isBefore(again, repeat))) repeat = again;
    }
    if (fresh && repeat) return this.#credit >= 1 ? repeat : fresh;
    return fresh ?? repeat;
  }

  sent({ link, segment, piece }: Request, sizeBytes: number, nowMs: number): void {
    const key = pieceKey(segment, piece);
    const given = this.#given.get(key);
    const isHeld = given !== undefined && holderCount(given) > 0;
    // What goes to one that passes nothing on is no new piece given: else such viewers could have all there is to give, for ever.
    if (isHeld || this.#idle.has(link)) {
      this.#credit = Math.max(0, this.#credit - 1);
      // One that was given just now may be on its way to everybody: that it is late for one tells nothing of its holder.
      const isOld = isHeld && nowMs - given.lastMs >= LOST_MS;
      if (isOld) for (const holder of given.to) if (holder !== link) this.#didNotSpread(holder);
    } else {
      this.#spreadOf(link).given += 1;
      this.#credit = Math.min(1, this.#credit + 1 / NEW_PER_REPEAT);
      this.#newBytes.set(link, (this.#newBytes.get(link) ?? 0) + sizeBytes);
    }
    const to = given?.to ?? new Set();
    this.#given.delete(key);
    // What goes to one that passes nothing on has still to be given to somebody.
    if (!this.#idle.has(link)) to.add(link);
    this.#given.set(key, { to, isElsewhere: given?.isElsewhere ?? false, lastMs: nowMs });
    const [oldest] = this.#given.keys();
    if (this.#given.size > MAX_REMEMBERED && oldest !== undefined) this.#given.delete(oldest);
  }

  remove(link: Link, isStillInRoom: boolean, nowMs: number): void {
    this.#newBytes.delete(link);
    this.#idle.delete(link);
    this.#spread.delete(link);
    this.#accusers.delete(link);
    for (const accusers of this.#accusers.values()) accusers.delete(link);
    for (const given of this.#given.values()) {
      const hasSpread = nowMs - given.lastMs >= SPREAD_MS;
      if (given.to.delete(link) && (isStillInRoom || hasSpread)) given.isElsewhere = true;
    }
  }

  /** Nobody is here any more: what was given can be had from no one. */
  forgetHolders(): void {
    this.#given.clear();
  }

  /** What it was given is as good as not given. */
  #forgetHolder(link: Link): void {
    for (const { to } of this.#given.values()) to.delete(link);
  }

  /** Who of those waiting may have the piece as its first holder, and who as a further one. */
  #judge(
    { by }: Wait,
    given: Given | null,
    nowMs: number,
    hasRoom: (link: Link) => boolean,
  ): [Request | null, Request | null] {
    let first: Request | null = null;
    let again: Request | null = null;
    const latestMs = earliestNeedMs(by.values()) + ABOUT_MS;
    for (const request of by.values()) {
      if (!hasRoom(request.link)) continue;
      if (this.#isNew(request, given)) {
        if (!first || this.#isBetter(request, first, latestMs)) first = request;
      } else if (isDue(request, given?.lastMs ?? request.askedMs, nowMs)) {
        if (!again || isBefore(request, again)) again = request;
      }
    }
    return [first, again];
  }

  /** Nobody else who is still here was given the piece, and the asker will pass it on, or has nobody to pass it on to. */
  #isNew({ link, others }: Request, given: Given | null): boolean {
    const holders = given ? holderCount(given) : 0;
    const isFree = holders === 0 || (holders === 1 && given?.to.has(link) === true);
    return isFree && (others === 0 || !this.#idle.has(link));
  }

  /** Whether it should rather have a new piece: who needs it soon before all others, then who was given least. */
  #isBetter(request: Request, than: Request, latestMs: number): boolean {
    const [isSoon, isOtherSoon] = [request.neededMs <= latestMs, than.neededMs <= latestMs];
    if (isSoon !== isOtherSoon) return isSoon;
    const [isGood, isOtherGood] = [this.#doesSpread(request.link), this.#doesSpread(than.link)];
    return isGood === isOtherGood ? this.#newBytesOf(request) < this.#newBytesOf(than) : isGood;
  }

  #spreadOf(link: Link): { given: number; lost: number } {
    const spread = this.#spread.get(link) ?? { given: 0, lost: 0 };
    this.#spread.set(link, spread);
    return spread;
  }

  #isLiar(link: Link): boolean {
    return (this.#accusers.get(link)?.size ?? 0) >= ACCUSERS;
  }

  #doesSpread(link: Link): boolean {
    if (this.#isLiar(link)) return false;
    const { given, lost } = this.#spreadOf(link);
    return lost < LOST_PIECES || lost < LOST_SHARE * given;
  }

  /** What one had first is asked for by others still: a liar, or a line too thin. */
  #didNotSpread(holder: Link): void {
    const didSpread = this.#doesSpread(holder);
    this.#spreadOf(holder).lost += 1;
    if (didSpread && !this.#doesSpread(holder)) this.#forgetHolder(holder);
  }

  #newBytesOf({ link }: Request): number {
    return this.#newBytes.get(link) ?? 0;
  }
}

/** Whether a piece was given to somebody just now, who has not asked for it again: nobody gets it yet. */
function isOnItsWay(given: Given, { by }: Wait, nowMs: number): boolean {
  if (holderCount(given) === 0 || nowMs - given.lastMs >= REPEAT_AFTER_MS) return false;
  for (const holder of given.to) if (by.has(holder)) return false;
  return true;
}

function earliestNeedMs(requests: Iterable<Request>): number {
  let earliestMs = Number.POSITIVE_INFINITY;
  for (const { neededMs } of requests) earliestMs = Math.min(earliestMs, neededMs);
  return earliestMs;
}

/** Who passes a piece on comes before who knows nobody, or nobody lets in any more; then who needs it sooner. */
function isBefore(a: Request, b: Request): boolean {
  const [isAlone, isOtherAlone] = [a.others === 0, b.others === 0];
  return isAlone === isOtherAlone ? a.neededMs < b.neededMs : isOtherAlone;
}

function isDue({ askedMs, neededMs, others }: Request, lastMs: number, nowMs: number): boolean {
  const waitedMs = nowMs - Math.max(askedMs, lastMs);
  if (waitedMs < REPEAT_AFTER_MS) return false;
  const needMs = neededMs - nowMs;
  return others === 0 || needMs < RESCUE_MS || (needMs < LOST_NEED_MS && waitedMs >= LOST_MS);
}
