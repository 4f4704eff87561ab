import type { Bytes } from '../bytes.ts';
import { decodeCbor, encodeCbor } from '../cbor.ts';
import { MatineeError } from '../errors.ts';
import { MAX_FRAME_BYTES, MAX_PAGE_PIECES, PIECE_BYTES } from '../limits.ts';
import { type Bodies, MESSAGES, type Message, type MessageName } from './messages.ts';

/** Bytes before a piece's ciphertext: type, 0, piece number (u16), segment number (u32), both big-endian. */
export const PIECE_HEADER_BYTES = 8;

const nameOfType = new Map<number, MessageName>(
  (Object.keys(MESSAGES) as MessageName[]).map((name) => [MESSAGES[name].type, name]),
);

/** The frame of a control message: its type byte, then its body in canonical CBOR. */
export function encodeFrame<N extends Exclude<MessageName, 'piece'>>(name: N, body: Bodies[N]): Bytes {
  const encoded = encodeCbor(body);
  const frame = new Uint8Array(1 + encoded.byteLength);
  frame[0] = MESSAGES[name].type;
  frame.set(encoded, 1);
  return frame;
}

/**
 * A piece frame with its header written; the caller fills the ciphertext in from PIECE_HEADER_BYTES on, which saves a copy. It is made
 * at the beginning of `memory`, which has room for it, whatever was there before; left out: in new memory.
 */
export function allocatePieceFrame(
  segment: number,
  piece: number,
  dataBytes: number,
  memory: Bytes = new Uint8Array(PIECE_HEADER_BYTES + dataBytes),
): Bytes {
  const frame = memory.subarray(0, PIECE_HEADER_BYTES + dataBytes);
  const header = new DataView(frame.buffer, frame.byteOffset);
  header.setUint16(0, MESSAGES.piece.type << 8);
  header.setUint16(2, piece);
  header.setUint32(4, segment);
  return frame;
}

/**
 * The message in a frame; a piece's data is a view into it.
 * @throws MatineeError FRAME_MALFORMED where the frame is too long, of no known type, or its body breaks the schema.
 */
export function decodeFrame(frame: Bytes): Message {
  if (frame.byteLength > MAX_FRAME_BYTES) throw new MatineeError('FRAME_MALFORMED', 'frame too long');
  const name = nameOfType.get(frame[0] ?? 0);
  if (!name) throw new MatineeError('FRAME_MALFORMED', `no message has type ${frame[0]}`);
  if (name === 'piece') return { name, body: decodePiece(frame) };
  const body = decodeCbor(MESSAGES[name].body, frame.subarray(1), 'FRAME_MALFORMED', name);
  return { name, body } as Message;
}

function decodePiece(frame: Bytes): Bodies['piece'] {
  const dataBytes = frame.byteLength - PIECE_HEADER_BYTES;
  if (dataBytes < 1 || dataBytes > PIECE_BYTES)
    throw new MatineeError('FRAME_MALFORMED', 'piece of a wrong length');
  const header = new DataView(frame.buffer, frame.byteOffset, PIECE_HEADER_BYTES);
  const piece = header.getUint16(2);
  if (header.getUint8(1) !== 0 || piece >= MAX_PAGE_PIECES) {
    throw new MatineeError('FRAME_MALFORMED', 'piece with a wrong header');
  }
  return { segment: header.getUint32(4), piece, data: frame.subarray(PIECE_HEADER_BYTES) };
}
