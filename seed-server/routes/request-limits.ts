import fastifyRateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { MatineeError } from '../../peer/errors.ts';
import type { AddressOf } from '../../signaling/client-address.ts';

/** So many requests of a kind from one address. */
export interface RequestLimit {
  count: number;
  withinMs: number;
}

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;

/**
 * The kinds of requests, each counted for itself. One address may be a school behind one NAT, so what members do has room
 * for many, and what only guessing or filling the disk needs has not.
 */
export const REQUEST_LIMITS = {
  /** Pages, manifests, segments, ranges of them. At 20 Mbit/s by pieces of 64 KiB a viewer makes 40 a second; this is for 25 such. */
  read: { count: 10_000, withinMs: 10 * SECOND_MS },
  /** Manifests, segments and commands of hosts. Each segment is synced to disk, which few disks do 300 times a second. */
  write: { count: 3000, withinMs: 10 * SECOND_MS },
  /** New rooms. People make one for a film. */
  register: { count: 30, withinMs: 10 * MINUTE_MS },
  /** Tokens that are wrong and rooms that are not there. An old link is tried a few times by each who has it. */
  wrongToken: { count: 60, withinMs: MINUTE_MS },
  /** Passwords for hosting, right ones too: whoever guesses learns no more by the answer that comes too late. */
  password: { count: 5, withinMs: MINUTE_MS },
} as const satisfies Record<string, RequestLimit>;

export type RequestKind = keyof typeof REQUEST_LIMITS;

/** Addresses remembered for each kind; of more, those seen last. */
const MAX_ADDRESSES = 20_000;

/** Counts a request. @throws MatineeError TOO_MANY, with the Retry-After header set. */
export type CountRequest = (kind: RequestKind, request: FastifyRequest, reply: FastifyReply) => Promise<void>;

/** Limits requests to every route by address and kind; the returned function counts for the kinds that a route has to name. */
export async function limitRequests(
  app: FastifyInstance,
  addressOf: AddressOf,
  changes: Partial<Record<RequestKind, RequestLimit>> = {},
): Promise<CountRequest> {
  await app.register(fastifyRateLimit, {
    global: false,
    cache: MAX_ADDRESSES,
    keyGenerator: (request) => addressOf(request.raw),
  });
  const limits = { ...REQUEST_LIMITS, ...changes };
  const limiters = new Map(
    Object.entries(limits).map(([kind, { count, withinMs }]) => [
      kind,
      app.createRateLimit({ max: count, timeWindow: withinMs }),
    ]),
  );
  const countRequest: CountRequest = async (kind, request, reply) => {
    const counted = await limiters.get(kind)?.(request);
    if (!counted || counted.isAllowed || !counted.isExceeded) return;
    void reply.header('retry-after', Math.max(1, counted.ttlInSeconds));
    throw tooMany(kind, counted.ttlInSeconds);
  };
  app.addHook('onRequest', async (request, reply) => await countRequest(kindOf(request), request, reply));
  return countRequest;
}

function kindOf({ method, routeOptions }: FastifyRequest): RequestKind {
  if (method === 'GET' || method === 'HEAD') return 'read';
  return method === 'PUT' && routeOptions.url === '/api/rooms/:room' ? 'register' : 'write';
}

function tooMany(kind: RequestKind, seconds: number): MatineeError {
  const what = {
    read: 'requests',
    write: 'requests',
    register: 'new rooms',
    wrongToken: 'tries with links that open nothing',
    password: 'tries to host',
  }[kind];
  const when = seconds > 90 ? `in ${Math.ceil(seconds / 60)} minutes` : `in ${Math.max(1, seconds)} seconds`;
  return new MatineeError('TOO_MANY', `Too many ${what} from your network. Try again ${when}.`);
}
