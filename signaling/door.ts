/** Decides who may enter a room. */
export interface Door {
  /**
   * `member` is the id that the newcomer has proven to be its own; null over HTTP, where nobody says who they are.
   * Rejects where it cannot tell right now; the client then tries again.
   */
  admit(room: string, token: string, member: string | null): Promise<Admission>;
  /** Whether members of this room may connect to each other; where it is false nobody is told of anybody. */
  mayMeet(room: string): Promise<boolean>;
}

/** The last two are the host's will: it removed this member, or lets nobody in but those it has listed. */
export type Admission = 'ok' | 'no-room' | 'bad-token' | 'removed' | 'locked';

/** An admission that is none. */
export type NotAdmitted = Exclude<Admission, 'ok'>;
