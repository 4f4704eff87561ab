import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyRequest,
  LogController,
} from 'fastify';
import type { Crypto } from '../peer/crypto/crypto.ts';
import { MatineeError } from '../peer/errors.ts';
import { clientAddress, type IsTrustedProxy, NO_PROXIES } from '../signaling/client-address.ts';
import { CONNECTION_LIMITS, type ConnectionLimits, limitConnections } from '../signaling/connection-limit.ts';
import { SIGNALING_LIMITS } from '../signaling/limits.ts';
import { Rates } from '../signaling/rate.ts';
import { type HostingRules, OPEN_TO_ALL } from './hosting.ts';
import type { Metrics } from './metrics.ts';
import { roomDoor, toldDoor } from './room-door.ts';
import { BYTES_TYPE, type RoomChange } from './routes/api.ts';
import { drain } from './routes/body.ts';
import { countedFailure, describeFailure, sendFailure } from './routes/failure.ts';
import { addFigureRoutes, type Figures } from './routes/figures.ts';
import { HeldBodies } from './routes/held-bodies.ts';
import { addManifestRoutes } from './routes/manifests.ts';
import { MemberProofs } from './routes/member-proof.ts';
import { addPages } from './routes/pages.ts';
import {
  type CountRequest,
  limitRequests,
  type RequestKind,
  type RequestLimit,
} from './routes/request-limits.ts';
import { addRoomRoutes } from './routes/rooms.ts';
import { addRulesRoutes } from './routes/rules.ts';
import { securityHeaders } from './routes/security-headers.ts';
import { addSegmentRoutes } from './routes/segments.ts';
import type { Store } from './store/store.ts';

/** Milliseconds without a byte either way after which a connection is cut. */
const IDLE_TIMEOUT_MS = 60_000;

/** Milliseconds until a request must have come in whole: 64 MiB at 0.15 Mbit/s. */
const REQUEST_TIMEOUT_MS = 60 * 60 * 1000;

/** Milliseconds until a request's head must have come in, and how often that is looked at. */
const HEADERS_TIMEOUT_MS = 10_000;
const CHECK_EVERY_MS = 5000;

/** Requests of all members of one room: at 20 Mbit/s by pieces of 64 KiB a viewer makes 40 a second; this is more than a core answers. */
const READS_PER_SEC = 10_000;
const READS_AT_ONCE = 5 * READS_PER_SEC;
const MAX_READ_ROOMS = 20_000;

export interface HttpOptions {
  store: Store;
  crypto: Crypto;
  /** The built web app; where it is missing the pages say so. */
  webFolder: string;
  /** Gets method, route, status and duration of requests, and the first four characters of the room's id; no ids, no tokens. */
  log: FastifyBaseLogger;
  /** Something about this room was stored or removed. */
  onChange(room: string, change: RoomChange): void;
  /** A member of this room was let in. */
  onMember?(room: string): void;
  /** Default: a minute. */
  idleTimeoutMs?: number;
  /** Default: 10 s. */
  headersTimeoutMs?: number;
  /** Resolves when the line out may carry so many bytes of film more. Default: at once. */
  spendLine?(sizeBytes: number): Promise<void>;
  /** Who may host. Default: everybody. */
  hosting?: HostingRules;
  /** Whose X-Forwarded-For is believed. Default: nobody's. */
  isTrustedProxy?: IsTrustedProxy;
  /** Other limits than the usual ones. */
  requestLimits?: Partial<Record<RequestKind, RequestLimit>>;
  /** What the members of one room may ask together. Default: READS_PER_SEC of them. */
  roomReads?: Rates;
  connectionLimits?: ConnectionLimits;
  /** Certificate and key for https. Default: plain http. */
  tls?: { cert: Buffer; key: Buffer } | null;
  /** What is counted, and who may see it. Default: nothing is. */
  figures?: Figures | null;
}

/** The HTTP side of the seed server (PROTOCOL.md, "HTTP"), ready to listen; closing it is the caller's. */
export async function buildHttp(options: HttpOptions): Promise<FastifyInstance> {
  const { isTrustedProxy = NO_PROXIES, headersTimeoutMs = HEADERS_TIMEOUT_MS } = options;
  const timing = {
    headersTimeout: headersTimeoutMs,
    connectionsCheckingInterval: Math.min(CHECK_EVERY_MS, headersTimeoutMs),
  };
  // The types of an app tell http from https; nothing here cares.
  const transport: object = options.tls ? { https: { ...options.tls, ...timing } } : { http: timing };
  const app: FastifyInstance = fastify({
    ...transport,
    loggerInstance: options.log,
    // Ours (addLogging) says less: no addresses.
    logController: new LogController({ disableRequestLogging: true }),
    exposeHeadRoutes: false,
    connectionTimeout: options.idleTimeoutMs ?? IDLE_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
  });
  limitConnections(app.server, isTrustedProxy, options.connectionLimits ?? CONNECTION_LIMITS);
  // Signaling counts its own; this only bounds what a flood of both can open.
  app.server.maxConnections = CONNECTION_LIMITS.inAll + SIGNALING_LIMITS.connections;
  takeBytesOnly(app);
  addLogging(app, options.log);
  const metrics = options.figures?.metrics ?? null;
  if (metrics) addCounting(app, metrics);
  app.addHook('onRequest', async ({ headers }, reply) => void reply.headers(securityHeaders(headers.host)));
  // A client that is still sending would take a closed connection for a broken one and never read the answer.
  app.addHook('onSend', async ({ raw }) => drain(raw));
  const countRequest = await limitRequests(app, clientAddress(isTrustedProxy), options.requestLimits);
  app.setErrorHandler(async (error, request, reply) => {
    const told = await countedFailure(error, countRequest, request, reply);
    metrics?.failed('http', describeFailure(told).code);
    return sendFailure(told, request, reply);
  });
  app.setNotFoundHandler((request, reply) =>
    sendFailure(new MatineeError('NOT_FOUND', 'There is nothing at this address.'), request, reply),
  );
  await app.register(async (inner) => addApi(inner, options, countRequest));
  const { figures } = options;
  if (figures) await app.register(async (inner) => addFigureRoutes(inner, figures));
  await addPages(app, options.webFolder);
  await app.ready();
  return app;
}

function addApi(app: FastifyInstance, options: HttpOptions, countRequest: CountRequest): void {
  const { store, crypto, onChange, onMember = () => {}, hosting = OPEN_TO_ALL } = options;
  const door = toldDoor(roomDoor(store, crypto), onMember);
  const { spendLine = async () => {} } = options;
  const proofs = new MemberProofs();
  const bodies = new HeldBodies(clientAddress(options.isTrustedProxy ?? NO_PROXIES));
  const { roomReads = new Rates(READS_AT_ONCE, READS_PER_SEC, MAX_READ_ROOMS) } = options;
  const api = { store, crypto, onChange, hosting, countRequest, door, proofs, bodies, roomReads, spendLine };
  // What a token opens is nobody else's to keep.
  app.addHook('onRequest', async (_request, reply) => void reply.header('cache-control', 'no-store'));
  for (const path of ['/healthz', '/api/health']) app.get(path, async () => ({ status: 'ok' }));
  addRoomRoutes(app, api);
  addRulesRoutes(app, api);
  addManifestRoutes(app, api);
  addSegmentRoutes(app, api);
}

/** Bodies are left unread for the routes, which know how much they may hold. */
function takeBytesOnly(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(BYTES_TYPE, (_request, _body, done) => done(null));
}

function addLogging(app: FastifyInstance, log: FastifyBaseLogger): void {
  app.addHook('onResponse', async (request, reply) => {
    log.info(
      {
        method: request.method,
        route: request.routeOptions.url ?? 'none',
        room: roomInPath(request),
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
      },
      'answered',
    );
  });
}

function addCounting(app: FastifyInstance, metrics: Metrics): void {
  app.addHook('onResponse', async (request, reply) => {
    const { url = 'none', method = request.method } = request.routeOptions;
    // A route's methods are few; what a stranger calls one is anything.
    const name = typeof method === 'string' ? method : request.method;
    const receivedBytes = Number(request.headers['content-length']) || 0;
    const sentBytes = Number(reply.getHeader('content-length')) || 0;
    metrics.answered(url, name, reply.statusCode, receivedBytes, sentBytes);
  });
}

function roomInPath({ params }: FastifyRequest): string | undefined {
  const hasRoom = typeof params === 'object' && params !== null && 'room' in params;
  return hasRoom ? String(params.room).slice(0, 4) : undefined;
}
