import type { FromServer } from './messages.ts';

/** Where a connected member, or the origin, is reached. */
export interface Mailbox {
  deliver(message: FromServer): void;
  /** Another connection took this one's place: nothing will be delivered any more. */
  replaced(): void;
}

/**
 * Who is where, and passing messages on: all that the signaling server shares between its connections.
 * The embedded default is memory (memory-bus.ts); several machines would share a distributed one behind
 * this same interface, which is why it answers with promises.
 */
export interface SignalingBus {
  /** Puts a member into a room. A mailbox there under the same id is replaced and told so. */
  join(room: string, id: string, mailbox: Mailbox): Promise<void>;
  /** Makes this the origin, present in every room, and tells every member. A mailbox before it is replaced and told so. */
  serve(mailbox: Mailbox): Promise<void>;
  /** Takes a mailbox away; does nothing where another has taken its place. */
  leave(mailbox: Mailbox): Promise<void>;
  /** Up to `count` members of a room without those in `besides`, drawn at random; for a member `of` half of them are some that came when it did, or comes. */
  members(room: string, of: string | null, besides: readonly string[], count: number): Promise<string[]>;
  isOriginHere(): Promise<boolean>;
  /** Delivers to a member or, where `to` is ORIGIN, to the origin; false where nobody is there. */
  pass(room: string, to: string, message: FromServer): Promise<boolean>;
  /** Members and rooms right now. */
  counts(): { members: number; rooms: number; isOriginHere: boolean };
}
