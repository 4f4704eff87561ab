import type { FastifyReply, FastifyRequest } from 'fastify';
import { type ErrorCode, MatineeError } from '../../peer/errors.ts';
import type { CountRequest } from './request-limits.ts';

/** The statuses of failures that are the client's or the disk's; all others are our own fault. */
const STATUSES: Partial<Record<ErrorCode, number>> = {
  REQUEST_MALFORMED: 400,
  MANIFEST_MALFORMED: 400,
  SIGNATURE_WRONG: 403,
  TOKEN_WRONG: 403,
  REMOVED: 403,
  ROOM_LOCKED: 403,
  FIGURES_GUARDED: 401,
  ROOM_UNKNOWN: 404,
  NOT_FOUND: 404,
  HOSTING_NEEDS_PASSWORD: 403,
  BODY_TOO_SLOW: 408,
  ROOM_TAKEN: 409,
  MANIFEST_STALE: 409,
  SEGMENT_MISMATCH: 409,
  BODY_TOO_LARGE: 413,
  TOO_MANY: 429,
  // Time may cure it, so hosts try again.
  STORE_READ_ONLY: 503,
  STORE_FULL: 507,
};

const INTERNAL_ERROR = 500;

/** Seconds after which to ask again where nobody can tell. */
const RETRY_S = 5;

/** What whoever guesses tokens or rooms gets for an answer. */
const GUESSES: readonly string[] = ['TOKEN_WRONG', 'ROOM_UNKNOWN'] satisfies ErrorCode[];

/**
 * The failure that is told instead: TOO_MANY where this address has guessed too often. Only failures count, so whoever
 * shares an address with one who guesses, and has the right link, still gets in.
 */
export async function countedFailure(
  error: unknown,
  countRequest: CountRequest,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  if (!(error instanceof MatineeError) || !GUESSES.includes(error.code)) return error;
  try {
    await countRequest('wrongToken', request, reply);
    return error;
  } catch (tooMany) {
    return tooMany;
  }
}

/** Answers a failed request with {code, message}. */
export function sendFailure(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, code, message } = describeFailure(error);
  if (status >= INTERNAL_ERROR) request.log.error({ err: error }, 'a request failed');
  if (code === 'BODY_TOO_SLOW') cutOff(request, reply);
  if (code === 'TOO_MANY' && !reply.hasHeader('retry-after')) void reply.header('retry-after', RETRY_S);
  return reply.code(status).header('cache-control', 'no-store').send({ code, message });
}

/** Who keeps a connection busy with nearly nothing gets an answer, and is not waited for any longer. */
function cutOff(request: FastifyRequest, reply: FastifyReply): void {
  void reply.header('connection', 'close');
  reply.raw.once('finish', () => request.raw.destroy());
}

/** How a failure is told to a client. */
export function describeFailure(error: unknown): { status: number; code: ErrorCode; message: string } {
  if (error instanceof MatineeError) {
    const { code, message } = error;
    return { status: STATUSES[code] ?? INTERNAL_ERROR, code, message };
  }
  const status = statusOfFramework(error);
  if (status < INTERNAL_ERROR) {
    const message =
      status === 415
        ? 'Bodies must be application/octet-stream.'
        : 'This request makes no sense to the server.';
    return { status, code: 'REQUEST_MALFORMED', message };
  }
  return { status, code: 'INTERNAL', message: 'Something failed in the server. Try again in a moment.' };
}

/** Fastify's own errors carry a status. */
function statusOfFramework(error: unknown): number {
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : null;
  return typeof status === 'number' && status >= 400 && status < 600 ? status : INTERNAL_ERROR;
}
