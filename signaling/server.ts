import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ServerOptions, WebSocketServer } from 'ws';
import type { SignalingBus } from './bus.ts';
import { type AddressOf, clientAddress, NO_PROXIES } from './client-address.ts';
import { Connection, type ConnectionLog } from './connection.ts';
import type { Door } from './door.ts';
import { Gate, limitsWith, slowDoor } from './gate.ts';
import type { SignalingLimits } from './limits.ts';
import { MemoryBus } from './memory-bus.ts';
import { type IceServer, MAX_MESSAGE_BYTES } from './messages.ts';
import type { SignalingTally } from './session.ts';
import type { TurnSettings } from './turn.ts';

export type { Admission, Door } from './door.ts';

const HEARTBEAT_MS = 30_000;
const JOIN_WITHIN_MS = 10_000;

/** How long clients get to answer a close before their sockets are cut: those we refuse, and all when we end. */
const REFUSING_MS = 5000;
const CLOSING_MS = 1000;

/** Close code for a server that ends (RFC 6455 section 7.4.1). */
const GOING_AWAY = 1001;

/**
 * Parts that a message may come in, and pieces of it that the network may cut it into. Clients send each in one; a thousand parts
 * of a byte would take a hundred times the memory of what they carry.
 */
const MAX_FRAGMENTS = 32;
const MAX_BUFFERED_CHUNKS = 512;

/** Answers to upgrades that are refused. */
const NOT_FOUND = '404 Not Found';
const TOO_MANY = '429 Too Many Requests\r\nRetry-After: 5';

export interface SignalingOptions {
  /** Already made, listening or not; it stays the caller's. Upgrades to other paths are answered with 404. */
  server: Server;
  /** For example `/signal`. */
  path: string;
  door: Door;
  /** The secret by which the origin proves itself; null where there is none. */
  originKey: string | null;
  iceServers: IceServer[];
  /** Further ones for who came by this name (the Host header of the connection). Default: none. */
  iceServersAt?(host: string | undefined): IceServer[];
  /** TURN servers that share a secret with us; null or left out: there are none. */
  turn?: TurnSettings | null;
  /** Gives 0 (inclusive) to 1 (exclusive); draws neighbours. */
  random: () => number;
  log: ConnectionLog;
  /** Is told what happens, for the operator's figures. */
  tally?: SignalingTally;
  /** Default: memory. */
  bus?: SignalingBus;
  /** Milliseconds between two pings; a socket that answered none meanwhile is cut. Default 30 s. */
  heartbeatMs?: number;
  /** Milliseconds until the first message must have come. Default 10 s. */
  joinWithinMs?: number;
  /** Milliseconds that a client which is refused gets to answer that. Default 5 s. */
  refusingMs?: number;
  /** Whom a connection counts for. Default: whoever is at its other end. */
  addressOf?: AddressOf;
  /** Other limits than the usual ones, for tests and measurements. */
  limits?: Partial<SignalingLimits>;
}

export interface Signaling {
  /** Who may be in this room has changed: asks the door again for everyone who is in, and ends the connections of those it keeps out. */
  recheck(room: string): void;
  /** Ends every connection and stops listening for upgrades; the HTTP server lives on. */
  close(): Promise<void>;
  counts(): { connections: number; members: number; rooms: number; isOriginHere: boolean };
}

/** Answers signaling connections at one path of an HTTP server. The messages are in messages.ts. */
export function attachSignaling(options: SignalingOptions): Signaling {
  const bus = options.bus ?? new MemoryBus(options.random, () => performance.now());
  const limits = limitsWith(options.limits);
  const gate = new Gate(limits);
  const addressOf = options.addressOf ?? clientAddress(NO_PROXIES);
  const door = slowDoor(options.door, limits, () => performance.now());
  const desk = { ...options, bus, door };
  // The types of ws do not know these yet.
  const settings: ServerOptions & Record<'closeTimeout' | 'maxFragments' | 'maxBufferedChunks', number> = {
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    maxFragments: MAX_FRAGMENTS,
    maxBufferedChunks: MAX_BUFFERED_CHUNKS,
    perMessageDeflate: false,
    // After a message that is too long ws reads no more, the answer to its close neither.
    closeTimeout: options.refusingMs ?? REFUSING_MS,
  };
  const sockets = new WebSocketServer(settings);
  const connections = new Set<Connection>();
  sockets.on('connection', (socket, { headers }: IncomingMessage) => {
    const own = options.iceServersAt?.(headers.host) ?? [];
    const itsDesk = own.length > 0 ? { ...desk, iceServers: [...own, ...desk.iceServers] } : desk;
    const connection = new Connection(socket, itsDesk, options.log, options.joinWithinMs ?? JOIN_WITHIN_MS);
    connections.add(connection);
    socket.once('close', () => connections.delete(connection));
  });
  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const address = addressOf(request);
    // One that is closed already would never tell so.
    if (socket.destroyed) return;
    if (pathOf(request) !== options.path) refuseUpgrade(socket, NOT_FOUND);
    else if (!gate.canEnter(address, performance.now())) refuseUpgrade(socket, TOO_MANY);
    else {
      // The bare socket: a handshake may fail, and then there is no other.
      socket.once('close', () => gate.leave(address));
      sockets.handleUpgrade(request, socket, head, (open) => sockets.emit('connection', open, request));
    }
  };
  const heartbeat = setInterval(() => {
    for (const connection of connections) connection.beat();
  }, options.heartbeatMs ?? HEARTBEAT_MS);
  options.server.on('upgrade', onUpgrade);
  return {
    recheck(room) {
      // The bare door: those who are in are nobody's rush.
      for (const connection of connections) connection.recheck(room, options.door);
    },
    async close() {
      clearInterval(heartbeat);
      options.server.off('upgrade', onUpgrade);
      await closeAll(sockets);
    },
    counts: () => ({ connections: connections.size, ...bus.counts() }),
  };
}

function pathOf(request: IncomingMessage): string {
  return request.url?.split('?', 1)[0] ?? '';
}

function refuseUpgrade(socket: Duplex, answer: string): void {
  // A socket that breaks while it is told so is closed all the same.
  socket.once('error', () => socket.destroy());
  socket.end(`HTTP/1.1 ${answer}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
}

async function closeAll(sockets: WebSocketServer): Promise<void> {
  const open = [...sockets.clients];
  const allClosed = Promise.all(
    open.map((socket) => new Promise<void>((resolve) => socket.once('close', () => resolve()))),
  );
  for (const socket of open) socket.close(GOING_AWAY);
  const cut = setTimeout(() => {
    for (const socket of open) socket.terminate();
  }, CLOSING_MS);
  await allClosed;
  clearTimeout(cut);
  await new Promise<void>((resolve) => sockets.close(() => resolve()));
}
