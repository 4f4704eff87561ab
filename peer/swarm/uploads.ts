import { MAX_QUEUED_REQUESTS } from '../limits.ts';
import { allocatePieceFrame, PIECE_HEADER_BYTES } from '../wire/frame.ts';
import type { Handlers, Link } from '../wire/link.ts';
import type { Bodies } from '../wire/messages.ts';
import type { PieceSource } from './piece-store.ts';
import type { SendBudget } from './send-budget.ts';

interface Asked {
  segment: number;
  piece: number;
}

interface Queue {
  asked: Asked[];
  isServing: boolean;
}

export interface UploadParts {
  source: PieceSource;
  budget: SendBudget;
  /** The storage failed: the peer is told noPiece, the owner why. */
  onError(error: unknown): void;
}

/**
 * Serves requests: one queue per link, emptied one piece at a time whenever the link has room and the budget
 * allows. Links take turns at the budget, so a greedy one gets no more than its share.
 */
export class Uploads {
  readonly handlers: Handlers = {
    request: (link, body) => this.#request(link, body),
    cancel: (link, body) => this.#cancel(link, body),
  };
  readonly #parts: UploadParts;
  readonly #queues = new Map<Link, Queue>();

  constructor(parts: UploadParts) {
    this.#parts = parts;
  }

  /** Whether this peer serves at all. */
  get isServing(): boolean {
    return this.#parts.budget.bytesPerSec !== 0;
  }

  /** Forgets a closed link. */
  remove(link: Link): void {
    this.#queues.delete(link);
  }

  /** Refuses everything that waits, on every link: the limit was set to 0. */
  refuseAll(): void {
    for (const [link, queue] of this.#queues) {
      for (const { segment, piece } of queue.asked.splice(0))
        link.send('noPiece', { segment, pieces: [piece] });
    }
  }

  #request(link: Link, { segment, pieces }: Bodies['request']): void {
    const queue = this.#queues.get(link) ?? { asked: [], isServing: false };
    this.#queues.set(link, queue);
    const refused: number[] = [];
    for (const piece of pieces) {
      const isRefused = !this.isServing || this.#parts.source.pieceBytes(segment, piece) === 0;
      if (isRefused || queue.asked.length >= MAX_QUEUED_REQUESTS) refused.push(piece);
      else queue.asked.push({ segment, piece });
    }
    if (refused.length > 0) link.send('noPiece', { segment, pieces: refused });
    if (!queue.isServing) void this.#serve(link, queue);
  }

  #cancel(link: Link, { segment, pieces }: Bodies['cancel']): void {
    const queue = this.#queues.get(link);
    if (!queue) return;
    queue.asked = queue.asked.filter((asked) => asked.segment !== segment || !pieces.includes(asked.piece));
  }

  async #serve(link: Link, queue: Queue): Promise<void> {
    queue.isServing = true;
    while (queue.asked.length > 0 && (await link.whenRoom())) {
      const next = queue.asked[0];
      if (!next) break;
      const dataBytes = this.#parts.source.pieceBytes(next.segment, next.piece);
      await this.#parts.budget.take(dataBytes);
      // It may have been cancelled while the budget made it wait; then its turn goes to the one behind it.
      const asked = queue.asked.shift();
      if (asked && link.isOpen) await this.#send(link, asked);
    }
    queue.isServing = false;
  }

  async #send(link: Link, { segment, piece }: Asked): Promise<void> {
    const dataBytes = this.#parts.source.pieceBytes(segment, piece);
    const frame = allocatePieceFrame(segment, piece, dataBytes);
    if (dataBytes > 0 && (await this.#read(segment, piece, frame.subarray(PIECE_HEADER_BYTES))))
      link.sendPiece(frame);
    else link.send('noPiece', { segment, pieces: [piece] });
  }

  async #read(segment: number, piece: number, into: Uint8Array): Promise<boolean> {
    try {
      return await this.#parts.source.read(segment, piece, into);
    } catch (error) {
      this.#parts.onError(error);
      return false;
    }
  }
}
