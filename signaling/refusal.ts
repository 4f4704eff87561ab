/** Why the server ends a connection: a stable code for programs and a sentence for people. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: RefusalCode;

  constructor(code: RefusalCode, message: string) {
    super(message);
    this.code = code;
  }
}

export type RefusalCode =
  | 'ROOM_UNKNOWN'
  | 'TOKEN_WRONG'
  /** The host removed this member. */
  | 'REMOVED'
  /** The host lets nobody in but those it has listed. It may unlock the room again, so this one is not final. */
  | 'ROOM_LOCKED'
  /** The join was not signed by the member's key, or for another connection. */
  | 'SIGNATURE_WRONG'
  | 'REQUEST_MALFORMED'
  /** Another connection joined with the same member key. */
  | 'TAKEN_OVER'
  | 'PEER_FLOODING'
  /** Too many at once from one address, in one room or in all; it passes. */
  | 'TOO_MANY'
  | 'PEER_SILENT'
  | 'INTERNAL';

/** Codes after which trying again cannot help: a client that gets one stays away. */
export const FINAL_CODES: readonly string[] = [
  'ROOM_UNKNOWN',
  'TOKEN_WRONG',
  'REMOVED',
  'SIGNATURE_WRONG',
  'REQUEST_MALFORMED',
  'TAKEN_OVER',
] satisfies RefusalCode[];
