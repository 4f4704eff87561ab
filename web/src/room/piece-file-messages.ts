/** What a page and the worker with its file of pieces say to each other. Buffers are handed over, not copied. */

/** The file is divided into slots of this many bytes: those of a small piece. */
export const SLOT_BYTES = 16 * 1024;

/** `id` comes back with the answer. Writes and reads are made in the order in which they are asked for. */
export type ToPieceFile =
  | { type: 'write'; id: number; slot: number; data: Uint8Array<ArrayBuffer> }
  | { type: 'read'; id: number; slot: number; sizeBytes: number }
  | { type: 'close'; id: number };

export type FromPieceFile =
  /** The first message, where the file could be made. */
  | { type: 'opened'; slotCount: number }
  /** The first message, where it could not. Nothing follows. */
  | { type: 'refused'; reason: string }
  /** `data` are the bytes read; of a write, the same buffer for another use. */
  | { type: 'done'; id: number; data: Uint8Array<ArrayBuffer> }
  | { type: 'closed'; id: number }
  | { type: 'failed'; id: number; reason: string };
