/**
 * Every failure a program may want to tell apart. The README lists each with its meaning; the text of
 * an error is for people and says what to do, the code is for programs and never changes.
 */
export type ErrorCode =
  // the link
  | 'LINK_INCOMPLETE'
  | 'LINK_MALFORMED'
  // the room, as the servers answer
  | 'ROOM_UNKNOWN'
  | 'ROOM_TAKEN'
  | 'TOKEN_WRONG'
  | 'REMOVED'
  | 'ROOM_LOCKED'
  // the file the host chose
  | 'FILE_EMPTY'
  | 'FILE_NOT_VIDEO'
  | 'FILE_NOT_SUBTITLES'
  | 'FILE_UNREADABLE'
  | 'FILE_OTHER'
  | 'FILE_ENCRYPTED'
  | 'CODEC_UNSUPPORTED'
  // upload
  | 'UPLOAD_REFUSED'
  | 'SEGMENT_MISMATCH'
  | 'SERVER_UNREACHABLE'
  | 'STORE_FULL'
  | 'STORE_READ_ONLY'
  | 'ABORTED'
  // trust
  | 'SIGNATURE_WRONG'
  | 'MANIFEST_MALFORMED'
  | 'MANIFEST_STALE'
  | 'SEAL_BROKEN'
  | 'EXTRA_MALFORMED'
  // the wire
  | 'FRAME_MALFORMED'
  | 'FRAME_UNEXPECTED'
  | 'PEER_FLOODING'
  | 'PEER_SILENT'
  | 'PIECE_WRONG'
  // the browser
  | 'PLAYBACK_UNSUPPORTED'
  | 'PLAYBACK_FAILED'
  // requests to the servers
  | 'REQUEST_MALFORMED'
  | 'BODY_TOO_LARGE'
  | 'BODY_TOO_SLOW'
  | 'TOO_MANY'
  | 'HOSTING_NEEDS_PASSWORD'
  | 'FIGURES_GUARDED'
  | 'NOT_FOUND'
  | 'INTERNAL';

/** An error with a sentence for people (what happened, what to do) and a stable code for programs. */
export class MatineeError extends Error {
  override readonly name = 'MatineeError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The error itself where it is ours, else a wrapper that keeps it as the cause. */
export function asMatineeError(error: unknown, code: ErrorCode, message: string): MatineeError {
  return error instanceof MatineeError ? error : new MatineeError(code, message, { cause: error });
}
