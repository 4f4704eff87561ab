import type { IncomingMessage } from 'node:http';
import { type Bytes, concat } from '../../peer/bytes.ts';
import { MatineeError } from '../../peer/errors.ts';
import { MAX_SEGMENT_BYTES } from '../../peer/limits.ts';

/** Bytes of a record, a command or a manifest update at most: ten times that of a two-hour film sent at once. */
export const MAX_SMALL_BODY_BYTES = 4 * 1024 * 1024;

/**
 * A body as it comes in; stopping early leaves the rest unread, for `drain`.
 * @throws MatineeError BODY_TOO_LARGE where it says that it is larger than `maxBytes`.
 */
export function bodyChunks(request: IncomingMessage, maxBytes: number): AsyncIterable<Uint8Array> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const chunks = request.iterator({ destroyOnReturn: false });
  return { [Symbol.asyncIterator]: () => chunks };
}

/** A whole body. @throws MatineeError BODY_TOO_LARGE. */
export async function readBody(request: IncomingMessage, maxBytes = MAX_SMALL_BODY_BYTES): Promise<Bytes> {
  const parts: Uint8Array[] = [];
  let sumBytes = 0;
  for await (const chunk of bodyChunks(request, maxBytes)) {
    sumBytes += chunk.byteLength;
    if (sumBytes > maxBytes) throw tooLarge(maxBytes);
    parts.push(chunk);
  }
  return concat(...parts);
}

/** Lets what is still coming run into nothing, up to what an honest client may be sending; then cuts the line. */
export function drain(request: IncomingMessage): void {
  if (request.readableEnded || request.destroyed) return;
  let leftBytes = MAX_SEGMENT_BYTES;
  request.on('data', (chunk: Uint8Array) => {
    leftBytes -= chunk.byteLength;
    if (leftBytes < 0) request.destroy();
  });
}

function tooLarge(maxBytes: number): MatineeError {
  return new MatineeError('BODY_TOO_LARGE', `This is more than the ${maxBytes} bytes that fit here.`);
}
