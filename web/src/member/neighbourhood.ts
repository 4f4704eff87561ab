import type { Allowance } from '../../../peer/allowance.ts';
import type { Clock } from '../../../peer/clock.ts';
import { Neighbours } from '../../../peer/room/neighbours.ts';
import { ORIGIN_ONLY } from '../../../peer/room/rules-exchange.ts';
import { type Admission, type Connector, MAX_RETRY_MS } from '../../../peer/transport/connector.ts';
import { ORIGIN } from '../../../signaling/messages.ts';

/** Goodbyes after which it is no use to dial a member again. */
const FAREWELLS: readonly string[] = ['LEFT', 'REMOVED', 'ROOM_LOCKED', ORIGIN_ONLY];

export interface NeighbourhoodParts {
  clock: Clock;
  random(): number;
  budget: Allowance;
  connector(): Pick<Connector, 'ids' | 'dial' | 'hangUp' | 'channel'>;
  /** Asks signaling for other members than these. */
  askForMore(known: string[]): void;
  /** Whether a member is to be neither dialled nor let in. */
  isShutOut(id: string): boolean;
}

/** The other members of the room: those that signaling names, and as neighbours some of them. Shut at first: nobody is dialled or let in. */
export class Neighbourhood {
  readonly #parts: NeighbourhoodParts;
  /** Null while it is shut. */
  #neighbours: Neighbours | null = null;
  #named: readonly string[] | null = null;

  constructor(parts: NeighbourhoodParts) {
    this.#parts = parts;
  }

  get isOpen(): boolean {
    return this.#neighbours !== null;
  }

  /** Ids of members that signaling named last, perhaps none. */
  get named(): readonly string[] {
    return this.#named ?? [];
  }

  /** From now on members are dialled and let in. */
  open(): void {
    const { clock, random, budget, connector, askForMore } = this.#parts;
    this.#neighbours ??= new Neighbours({
      clock,
      random,
      budget,
      connected: () => this.#memberIds(),
      dial: (id) => connector().dial(id),
      askForMore,
    });
    if (this.#named) this.found(this.#named);
  }

  /** Parts from all members; from now on none is dialled or let in. */
  shut(): void {
    this.close();
    for (const id of this.#memberIds()) this.#parts.connector().hangUp(id);
  }

  /** Dials nobody any more; those connected stay. */
  close(): void {
    this.#neighbours?.close();
    this.#neighbours = null;
  }

  /** Whether an offer of this one is taken. Should members be allowed later, we dial by ourselves. */
  admit(from: string): Admission {
    if (!this.#neighbours || this.#parts.isShutOut(from)) return { retryInMs: MAX_RETRY_MS };
    return from !== ORIGIN && this.#neighbours.canAdmit(from) ? 'welcome' : { retryInMs: 0 };
  }

  /** Signaling named these. */
  found(ids: readonly string[]): void {
    this.#named = ids;
    this.#neighbours?.found(ids.filter((id) => !this.#parts.isShutOut(id)));
  }

  opened(id: string): void {
    this.#neighbours?.opened(id);
  }

  /** Our dial of this member came to nothing. */
  failed(id: string): void {
    this.#neighbours?.failed(id);
  }

  busy(id: string, retryInMs: number): void {
    this.#neighbours?.busy(id, retryInMs);
  }

  freed(): void {
    this.#neighbours?.freed();
  }

  /** Signaling knows no such member any more. */
  gone(id: string): void {
    this.#neighbours?.gone(id);
  }

  /** The link to a member was closed with this code. */
  parted(id: string, code: string): void {
    if (FAREWELLS.includes(code) || this.#parts.isShutOut(id)) this.#neighbours?.gone(id);
    else if (code === 'PIECE_WRONG') this.#neighbours?.barred(id);
    else this.#neighbours?.lost(id);
  }

  #memberIds(): string[] {
    return this.#parts.connector().ids.filter((id) => id !== ORIGIN);
  }
}
