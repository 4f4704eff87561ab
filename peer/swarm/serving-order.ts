import type { Link } from '../wire/link.ts';
import type { Request, Requests } from './requests.ts';

/** Decides which of the waiting requests is answered next. Knows no network: it is told what was sent. */
export interface ServingOrder {
  /** The request to answer now, or null where none is to be. `hasRoom` says whether a link can take a piece. */
  choose(requests: Requests, nowMs: number, hasRoom: (link: Link) => boolean): Request | null;
  /** The request was answered. */
  sent(request: Request, sizeBytes: number, nowMs: number): void;
  /** A link is closed. `isStillInRoom`: it only had to make room for another, and goes on passing on what it has. */
  remove(link: Link, isStillInRoom: boolean, nowMs: number): void;
}
