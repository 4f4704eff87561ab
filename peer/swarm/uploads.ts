import type { Bytes } from '../bytes.ts';
import type { Clock } from '../clock.ts';
import { MAX_FRAME_BYTES, MAX_QUEUED_REQUESTS } from '../limits.ts';
import { allocatePieceFrame, PIECE_HEADER_BYTES } from '../wire/frame.ts';
import type { Handlers, Link } from '../wire/link.ts';
import type { Bodies } from '../wire/messages.ts';
import type { PieceSource } from './piece-store.ts';
import { type Request, Requests, type Wait } from './requests.ts';
import type { SendBudget } from './send-budget.ts';
import type { ServingOrder } from './serving-order.ts';
import type { Uplink } from './uplink.ts';

/** How often requests that wait for their time are looked at again. */
const RECHECK_MS = 100;

export interface UploadParts {
  clock: Clock;
  source: PieceSource;
  /** What may be sent, and what the line can take: shared by all rooms of a peer. */
  budget: SendBudget;
  uplink: Uplink;
  order: ServingOrder;
  /** The storage failed: the peer is told noPiece, the owner why. */
  onError(error: unknown): void;
}

/** Serves requests: all of them wait together, and whenever the line has room for a piece the order says whose. */
export class Uploads {
  readonly handlers: Handlers = {
    request: (link, body) => this.#request(link, body),
    cancel: (link, body) => this.#cancel(link, body),
    got: (link, body) => this.#got(link, body),
  };
  readonly #parts: UploadParts;
  readonly #requests = new Requests();
  /** How often each link was removed: what was being read for it then is not for it any more. */
  readonly #removals = new WeakMap<Link, number>();
  /**
   * Where each piece frame is made, one after the other, while there is something to serve: memory taken anew for each would have the garbage
   * collector go through all there is several times a second.
   */
  #memory: Bytes | null = null;
  #isServing = false;
  #isClosed = false;
  #cancelRecheck: (() => void) | null = null;

  constructor(parts: UploadParts) {
    this.#parts = parts;
  }

  /** Whether this peer serves at all. */
  get isServing(): boolean {
    return this.#parts.budget.bytesPerSec !== 0;
  }

  /** Forgets a link that is closed, or at another video. `isStillInRoom`: its peer only had to make room for another. */
  remove(link: Link, isStillInRoom = false): void {
    this.#removals.set(link, (this.#removals.get(link) ?? 0) + 1);
    this.#requests.remove(link);
    this.#parts.order.remove(link, isStillInRoom, this.#parts.clock.nowMs());
    this.#parts.uplink.remove(link);
    if (this.#requests.isEmpty) this.#stopChecking();
  }

  /** Serves nobody any more. */
  close(): void {
    this.#isClosed = true;
    for (const link of [...this.#requests.links]) this.remove(link);
    this.#stopChecking();
  }

  /** Refuses everything that waits, on every link: the limit was set to 0. */
  refuseAll(): void {
    this.#refuse([...this.#requests.waits]);
  }

  /** Refuses what waits for one segment, which is not served any more: it is asked elsewhere at once. */
  refuseSegment(segment: number): void {
    this.#refuse([...this.#requests.waits].filter((wait) => wait.segment === segment));
  }

  #refuse(waits: readonly Wait[]): void {
    for (const { segment, piece, by } of waits) {
      for (const link of [...by.keys()]) {
        this.#requests.delete(link, segment, piece);
        link.send('noPiece', { segment, pieces: [piece] });
      }
    }
  }

  #request(link: Link, { segment, pieces, inMs, others }: Bodies['request']): void {
    const askedMs = this.#parts.clock.nowMs();
    const refused: number[] = [];
    for (const piece of pieces) {
      const isRefused = !this.isServing || this.#parts.source.pieceBytes(segment, piece) === 0;
      if (isRefused || this.#requests.countOf(link) >= MAX_QUEUED_REQUESTS) refused.push(piece);
      else this.#requests.add({ link, segment, piece, askedMs, neededMs: askedMs + inMs, others });
    }
    if (refused.length > 0) link.send('noPiece', { segment, pieces: refused });
    void this.#serve();
  }

  #cancel(link: Link, { segment, pieces }: Bodies['cancel']): void {
    for (const piece of pieces) this.#requests.delete(link, segment, piece);
  }

  #got(link: Link, { pieces }: Bodies['got']): void {
    if (!this.#parts.uplink.acknowledged(link, pieces)) link.close('FRAME_UNEXPECTED');
  }

  async #serve(): Promise<void> {
    if (this.#isServing) return;
    this.#isServing = true;
    this.#stopChecking();
    while (!this.#requests.isEmpty) {
      await this.#parts.uplink.whenRoom();
      const next = this.#choose();
      if (!next) break;
      // While the budget made us wait it may have been cancelled, or somebody may need something more.
      const chosen = (await this.#mayAfford(next)) ? next : this.#choose();
      if (chosen && this.#requests.delete(chosen.link, chosen.segment, chosen.piece))
        await this.#send(chosen);
    }
    this.#isServing = false;
    if (this.#requests.isEmpty) this.#memory = null;
    else this.#recheckLater();
  }

  /** Waits for the budget. Whether there was no need to. */
  async #mayAfford({ segment, piece }: Request): Promise<boolean> {
    const { budget, source } = this.#parts;
    if (budget.bytesPerSec === null) return true;
    await budget.take(source.pieceBytes(segment, piece));
    return false;
  }

  #choose(): Request | null {
    const { uplink, order, clock } = this.#parts;
    return order.choose(this.#requests, clock.nowMs(), (link) => uplink.hasRoomFor(link));
  }

  async #send(request: Request): Promise<void> {
    const { link, segment, piece } = request;
    const removals = this.#removals.get(link);
    const dataBytes = this.#parts.source.pieceBytes(segment, piece);
    this.#memory ??= new Uint8Array(MAX_FRAME_BYTES);
    const frame = allocatePieceFrame(segment, piece, dataBytes, this.#memory);
    const isRead = dataBytes > 0 && (await this.#read(segment, piece, frame.subarray(PIECE_HEADER_BYTES)));
    if (!link.isOpen || this.#isClosed || this.#removals.get(link) !== removals) return;
    if (!isRead) {
      link.send('noPiece', { segment, pieces: [piece] });
      return;
    }
    link.sendPiece(frame);
    this.#parts.uplink.sent(link, frame.byteLength);
    this.#parts.order.sent(request, dataBytes, this.#parts.clock.nowMs());
  }

  async #read(segment: number, piece: number, into: Uint8Array): Promise<boolean> {
    try {
      return await this.#parts.source.read(segment, piece, into);
    } catch (error) {
      this.#parts.onError(error);
      return false;
    }
  }

  #recheckLater(): void {
    this.#cancelRecheck ??= this.#parts.clock.after(RECHECK_MS, () => {
      this.#cancelRecheck = null;
      void this.#serve();
    });
  }

  #stopChecking(): void {
    this.#cancelRecheck?.();
    this.#cancelRecheck = null;
  }
}
