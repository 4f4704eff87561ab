import type { IncomingMessage } from 'node:http';
import { type Bytes, concat } from '../../peer/bytes.ts';
import { MatineeError } from '../../peer/errors.ts';
import { MAX_SEGMENT_BYTES } from '../../peer/limits.ts';
import { BODY_PACE, keepPace, type Pace } from './body-pace.ts';

/** Bytes of a manifest update at most: ten times that of a two-hour film sent at once. */
export const MAX_SMALL_BODY_BYTES = 4 * 1024 * 1024;

/** Bytes of a room record or a take-down at most; honest ones have some 200. */
export const MAX_COMMAND_BYTES = 1024;

/** Milliseconds that the rest of a body which nobody reads may go on coming: a segment at 10 Mbit/s. */
const DRAIN_MS = 60_000;

/**
 * A body as it comes in; stopping early leaves the rest unread, for `drain`. Reading it rejects with BODY_TOO_SLOW
 * where it does not keep pace.
 * @throws MatineeError BODY_TOO_LARGE where it says that it is larger than `maxBytes`.
 */
export function bodyChunks(
  request: IncomingMessage,
  maxBytes: number,
  pace = BODY_PACE,
): AsyncIterable<Uint8Array> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  return keepPace(request.iterator({ destroyOnReturn: false }), pace);
}

export interface BodyLimits {
  maxBytes: number;
  /** Default: BODY_PACE. */
  pace?: Pace;
  /** Is told of bytes before they are held; may throw. */
  hold?(sizeBytes: number): void;
}

/** A whole body. @throws MatineeError BODY_TOO_LARGE, BODY_TOO_SLOW; what `hold` throws. */
export async function readBody(
  request: IncomingMessage,
  { maxBytes, pace = BODY_PACE, hold = () => {} }: BodyLimits,
): Promise<Bytes> {
  const parts: Uint8Array[] = [];
  let sumBytes = 0;
  for await (const chunk of bodyChunks(request, maxBytes, pace)) {
    sumBytes += chunk.byteLength;
    if (sumBytes > maxBytes) throw tooLarge(maxBytes);
    hold(chunk.byteLength);
    parts.push(chunk);
  }
  return concat(...parts);
}

/** Lets what is still coming run into nothing, up to what an honest client may be sending; then cuts the line. */
export function drain(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return;
  const { socket } = request;
  const cut = setTimeout(() => request.destroy(), DRAIN_MS);
  const forget = () => {
    clearTimeout(cut);
    request.off('close', forget);
    socket.off('close', forget);
  };
  request.once('close', forget);
  // Once it is answered, Node does not tell a request any more that its connection has gone in the middle of the body.
  socket.once('close', forget);
  let leftBytes = MAX_SEGMENT_BYTES;
  request.on('data', (chunk: Uint8Array) => {
    leftBytes -= chunk.byteLength;
    if (leftBytes < 0) request.destroy();
  });
}

function tooLarge(maxBytes: number): MatineeError {
  return new MatineeError('BODY_TOO_LARGE', `This is more than the ${maxBytes} bytes that fit here.`);
}
