import { Allowance } from '../allowance.ts';
import type { Clock } from '../clock.ts';
import { LONGEST_MS, Shunned } from './shunned.ts';

/** Viewers to be connected to: enough to find every piece, few enough for a phone. */
export const WANTED_NEIGHBOURS = 8;

/** Viewers that may be connected at once: those who dial us come on top of those we want. */
export const MAX_NEIGHBOURS = 16;

/**
 * A newcomer dials this many, and the rest a little later: meanwhile those who come after it dial it. If everyone
 * dialled all eight at once, everybody would be full, and only the very newest could be dialled at all.
 */
const FIRST_DIALS = WANTED_NEIGHBOURS / 2;
const TOP_UP_MS = 5_000;

/**
 * Connections dialled at once at most in a tab's life, and after that one in so many milliseconds: Chrome allows a
 * tab some 500 in its life, closed ones included.
 */
export const FREE_DIALS = 100;
export const DIAL_EVERY_MS = 60_000;

/** The same for connections accepted. */
const FREE_ACCEPTS = 250;
const ACCEPT_EVERY_MS = 60_000;

/** The wait before signaling is asked for more: doubled each time up to the last, which depends on how bad things are. */
const FIRST_ASK_MS = 500;
const LAST_ASK_MS = 10_000;
const EAGER_ASK_MS = 3_000;
const LONELY_ASK_MS = 60_000;

/** With fewer neighbours than this one asks more eagerly. */
const FEW_NEIGHBOURS = 3;

/** After so many refusals in a row further names will hardly help: of 1,000 who join within 10 s each meets four in all. */
const MANY_REFUSALS = 12;

/** How soon a lost neighbour is replaced: not in the same moment as all others who lost it. */
const REPAIR_MS = 200;
const REPAIR_SPREAD_MS = 800;

/** One that refused us and is dialled again is not dialled a third time meanwhile. */
const SET_ASIDE_MS = 60_000;

/** Names kept to be dialled, and told to signaling as known. */
const MAX_CANDIDATES = 32;
const MAX_KNOWN = 64;

export interface NeighbourParts {
  clock: Clock;
  /** Numbers from 0 (inclusive) to 1 (exclusive). */
  random(): number;
  /** What dialling costs, the origin included. */
  budget: Allowance;
  /** Members connected or being connected, whoever dialled. */
  connected(): readonly string[];
  dial(id: string): void;
  /** Asks signaling for members besides those known. */
  askForMore(known: string[]): void;
}

/** The budget for all that a tab dials. */
export function dialBudget(clock: Clock): Allowance {
  return new Allowance(clock, FREE_DIALS, DIAL_EVERY_MS);
}

/** Decides which members to dial, and which to let in. Knows no network: it is told what happens, and says whom to dial. */
export class Neighbours {
  readonly #parts: NeighbourParts;
  readonly #accepts: Allowance;
  readonly #shunned: Shunned;
  #candidates: string[] = [];
  #wantedNow = FIRST_DIALS;
  #asks = 0;
  /** Since a channel opened last. */
  #refusals = 0;
  #wasAnswerEmpty = false;
  #cancelTopUp: (() => void) | null = null;
  #cancelAsk: (() => void) | null = null;
  #cancelFill: () => void = () => undefined;
  #fillAtMs = Number.POSITIVE_INFINITY;
  #isClosed = false;

  constructor(parts: NeighbourParts) {
    this.#parts = parts;
    this.#accepts = new Allowance(parts.clock, FREE_ACCEPTS, ACCEPT_EVERY_MS);
    this.#shunned = new Shunned(parts.clock);
  }

  /** Members that signaling names, perhaps none. */
  found(ids: readonly string[]): void {
    if (this.#isClosed) return;
    this.#wasAnswerEmpty = ids.length === 0;
    this.#cancelTopUp ??= this.#parts.clock.after(this.#jittered(TOP_UP_MS), () => this.#topUp());
    for (const id of ids) if (!this.#shunned.has(id)) this.#propose(id);
    this.#fill();
  }

  /** Whether this member may connect to us; counts it if so. One that is connected already may again. */
  canAdmit(id: string): boolean {
    const connected = this.#parts.connected();
    if (!connected.includes(id) && connected.length >= MAX_NEIGHBOURS) return false;
    return this.#accepts.canTake();
  }

  /** A channel opened. */
  opened(id: string): void {
    this.#shunned.forget(id);
    this.#asks = 0;
    if (this.#isUnwelcome) this.#lookSoon();
    this.#refusals = 0;
  }

  /** A member that we dialled has no place for us, and perhaps said for how long: goes on to somebody else at once. */
  busy(id: string, retryInMs = 0): void {
    this.#shunned.refused(id, retryInMs);
    this.#refusals += 1;
    this.#fill();
  }

  /** A member that we dialled could not be reached. */
  failed(id: string): void {
    this.#shunned.failed(id);
    this.#fill();
  }

  /** An open connection broke: its member may be dialled again, or somebody else in its place. */
  lost(id: string): void {
    this.#propose(id);
    this.#lookSoon();
  }

  /** A member left for good. */
  gone(id: string): void {
    this.#shunned.forget(id);
    this.#withdraw(id);
    this.#lookSoon();
  }

  /** A member lets us in no more, or we it: somebody else takes its place. */
  barred(id: string): void {
    this.#shunned.put(id, LONGEST_MS);
    this.#withdraw(id);
    this.#lookSoon();
  }

  /** A connection, open or not, is no longer counted. */
  freed(): void {
    this.#fillIn(REPAIR_MS + REPAIR_SPREAD_MS * this.#parts.random());
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelTopUp?.();
    this.#cancelAsk?.();
    this.#cancelFill();
  }

  get #isShort(): boolean {
    return this.#parts.connected().length < this.#wantedNow;
  }

  get #isUnwelcome(): boolean {
    return this.#refusals >= MANY_REFUSALS;
  }

  #topUp(): void {
    this.#wantedNow = WANTED_NEIGHBOURS;
    this.#fill();
  }

  #lookSoon(): void {
    this.#asks = 0;
    this.#cancelAsk?.();
    this.#cancelAsk = null;
    this.freed();
  }

  #withdraw(id: string): void {
    this.#candidates = this.#candidates.filter((candidate) => candidate !== id);
  }

  #propose(id: string): void {
    if (this.#candidates.length < MAX_CANDIDATES && !this.#candidates.includes(id)) this.#candidates.push(id);
  }

  /** Dials as long as there are too few neighbours and somebody to dial; asks for names where there is nobody. */
  #fill(): void {
    if (this.#isClosed) return;
    while (this.#isShort) {
      const id = this.#nextCandidate();
      if (id === null) {
        this.#askLater();
        this.#fillIn(this.#shunned.waitMs());
        return;
      }
      if (!this.#parts.budget.canTake()) {
        this.#candidates.unshift(id);
        this.#fillIn(this.#parts.budget.waitMs());
        return;
      }
      this.#parts.dial(id);
    }
  }

  /** Somebody who was named, else somebody who did not want us a while ago. */
  #nextCandidate(): string | null {
    const connected = new Set(this.#parts.connected());
    const isNew = (id: string): boolean => !connected.has(id);
    const at = this.#candidates.findIndex(isNew);
    const id = this.#candidates[at];
    this.#candidates = at < 0 ? [] : this.#candidates.slice(at + 1);
    return id ?? this.#forgiven(isNew);
  }

  #forgiven(isNew: (id: string) => boolean): string | null {
    const id = this.#shunned.ready().find(isNew) ?? null;
    if (id !== null) this.#shunned.put(id, SET_ASIDE_MS);
    return id;
  }

  #fillIn(waitMs: number): void {
    const atMs = this.#parts.clock.nowMs() + waitMs;
    if (this.#isClosed || waitMs === Number.POSITIVE_INFINITY || atMs >= this.#fillAtMs) return;
    this.#cancelFill();
    this.#fillAtMs = atMs;
    this.#cancelFill = this.#parts.clock.after(waitMs, () => {
      this.#fillAtMs = Number.POSITIVE_INFINITY;
      this.#fill();
    });
  }

  /** Asks after a while that grows, and again until there are enough: answers can get lost. */
  #askLater(): void {
    this.#cancelAsk ??= this.#parts.clock.after(this.#askWaitMs(), () => {
      this.#cancelAsk = null;
      if (!this.#isShort) return;
      this.#asks += 1;
      this.#parts.askForMore(this.#known());
      this.#askLater();
    });
  }

  #askWaitMs(): number {
    const isEager = this.#parts.connected().length < FEW_NEIGHBOURS;
    const someoneMs = isEager ? EAGER_ASK_MS : LAST_ASK_MS;
    // Where signaling knows nobody else, or nobody who takes us, whoever comes will dial us.
    const isHopeless = this.#wasAnswerEmpty || this.#isUnwelcome;
    const lastMs = isHopeless ? LONELY_ASK_MS : someoneMs;
    return this.#jittered(Math.min(lastMs, FIRST_ASK_MS * 2 ** this.#asks));
  }

  #known(): string[] {
    return [...new Set([...this.#parts.connected(), ...this.#shunned.ids()])].slice(0, MAX_KNOWN);
  }

  /** From half of it to once and a half. */
  #jittered(waitMs: number): number {
    return waitMs * (0.5 + this.#parts.random());
  }
}
