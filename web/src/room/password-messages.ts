import type { Bytes } from '../../../peer/bytes.ts';

/** What the page and the password worker tell each other: one password per worker. */

export interface ToPasswordWorker {
  roomId: Bytes;
  roomSecret: Bytes;
  password: string;
}

export type FromPasswordWorker =
  /** 0 to 1. */
  | { type: 'progress'; share: number }
  /** The last message, one of two. */
  | { type: 'secret'; secret: Bytes }
  | { type: 'failed'; reason: string };
