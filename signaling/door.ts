/** Decides who may enter a room. */
export interface Door {
  /** Rejects where it cannot tell right now; the client then tries again. */
  admit(room: string, token: string): Promise<Admission>;
}

export type Admission = 'ok' | 'no-room' | 'bad-token';
