import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { extname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import { systemClock } from '../peer/clock.ts';
import { chooseCrypto } from '../peer/crypto/choose.ts';
import { SendBudget } from '../peer/swarm/send-budget.ts';
import { clientAddress, trustedProxies } from '../signaling/client-address.ts';
import { MemoryBus } from '../signaling/memory-bus.ts';
import { attachSignaling } from '../signaling/server.ts';
import { openAdminSocket } from './admin-server.ts';
import { followCertificate, readCertificate } from './certificate.ts';
import type { Config } from './config.ts';
import { openDataFolder } from './data-folder.ts';
import { buildHttp } from './http.ts';
import { authority, listen } from './listen.ts';
import { createLog } from './log.ts';
import { Metrics } from './metrics.ts';
import { Operator } from './operator.ts';
import { OriginProcess } from './origin-process.ts';
import { roomDoor, toldDoor } from './room-door.ts';
import type { RoomChange } from './routes/api.ts';
import { StartError } from './start-error.ts';
import { History } from './status/history.ts';
import { codeOf } from './store/durable.ts';
import { type ExpiringRooms, RoomExpiry } from './store/expiry.ts';
import { openStun, type StunServer, stunServerAt } from './stun.ts';

const SIGNAL_PATH = '/signal';
const WEB_FOLDER = fileURLToPath(new URL('../web/dist', import.meta.url));
/** Beside this file in the sources and in the build alike, which lie in folders of the same depth. */
const ORIGIN_SCRIPT = fileURLToPath(new URL(`./origin${extname(import.meta.url)}`, import.meta.url));

const BYTES_PER_MBIT = 1_000_000 / 8;

const NO_COUNTS = { members: 0, rooms: 0, sentBytes: 0 };

const LOOPBACK = '127.0.0.1';

const DAY_MS = 24 * 60 * 60 * 1000;

/** How long answers in progress may take once the server is to end. */
const LAST_ANSWERS_MS = 1000;

export interface SeedServer {
  /** http or https address at which this machine reaches it. */
  url: string;
  /** Ends the origin, signaling and HTTP, in this order. */
  close(): Promise<void>;
}

/**
 * Starts the whole server: store, HTTP, signaling and the origin in its own process.
 * @throws StartError with a sentence that says what is in the way.
 */
export async function startSeedServer(config: Config): Promise<SeedServer> {
  const log = createLog(config.logLevel);
  const crypto = await chooseCrypto();
  const dataDir = resolve(config.dataDir);
  const limits = { allBytes: config.maxStoreBytes, roomBytes: config.maxRoomBytes };
  const certificate = config.tls && (await readCertificate(config.tls));
  const { store, release } = await openDataFolder(crypto, dataDir, limits, (message) => log.warn(message));
  const originKey = randomBytes(32).toString('base64url');
  let origin: OriginProcess | null = null;
  const onChange = (room: string, change: RoomChange): void => {
    origin?.changed(room);
    if (change === 'members') signaling.recheck(room);
  };
  const bus = new MemoryBus(Math.random, () => performance.now());
  const expiry = expiryOf(config, store, bus, log, (room) => onChange(room, 'members'));
  const onMember = (room: string): void => expiry?.noteMember(room);
  const isTrustedProxy = trustedProxies(config.trustedProxies);
  const metrics = new Metrics({
    signaling: () => signaling.counts(),
    origin: () => ({ counts: origin?.counts ?? NO_COUNTS, startCount: origin?.startCount ?? 0 }),
    storedRooms: async () => (await store.listRooms()).length,
  });
  // By HTTP alone no more than the line may carry; and what goes this way the origin does not send.
  const plainBudget = new SendBudget(systemClock, config.originMbit && config.originMbit * BYTES_PER_MBIT);
  const history = new History(systemClock, () => metrics.now());
  const app = await buildHttp({
    store,
    crypto,
    webFolder: WEB_FOLDER,
    log,
    onChange,
    onMember,
    hosting: config,
    isTrustedProxy,
    tls: certificate,
    spendLine: async (sizeBytes) => {
      await plainBudget.take(sizeBytes);
      if (config.originMbit !== null) origin?.spent(sizeBytes);
    },
    figures: { metrics, history, token: config.metricsToken },
  });
  const signaling = attachSignaling({
    server: app.server,
    path: SIGNAL_PATH,
    door: toldDoor(roomDoor(store, crypto), onMember),
    originKey,
    iceServers: config.iceServers,
    iceServersAt: (host) => (stun ? stunServerAt(host, stun.port) : []),
    turn: config.turn,
    tally: {
      joined: () => metrics.joined(),
      refused: (code) => metrics.failed('signaling', code),
      reported: (bytes) => metrics.reported(bytes),
    },
    random: Math.random,
    log,
    bus,
    addressOf: clientAddress(isTrustedProxy),
  });
  let ownDoor: Server | null = null;
  let stun: StunServer | null = null;
  const forgetCertificate = config.tls
    ? followCertificate(config.tls, app.server as object as HttpsServer, log)
    : () => {};
  const operator = new Operator({
    rooms: store,
    clock: systemClock,
    membersIn: async (room) => (await bus.members(room, null, [], Number.POSITIVE_INFINITY)).length,
    onRemoved: (room) => onChange(room, 'members'),
  });
  let closeAdmin = async (): Promise<void> => {};
  const close = async (): Promise<void> => {
    history.close();
    plainBudget.close();
    forgetCertificate();
    await closeAdmin();
    expiry?.close();
    await origin?.close();
    await signaling.close();
    ownDoor?.close();
    await stun?.close();
    await closeHttp(app);
    await release();
  };
  try {
    history.start();
    closeAdmin = await openAdminSocket(dataDir, operator);
    stun = await stunOf(config, log);
    const openAt = await listen(app, config.host, config.port);
    // Thousands of rooms take a while to look through: nobody needs to wait for that.
    store
      .tidyUp()
      .then(() => log.info('the data folder is tidy'))
      .catch((error: unknown) => log.warn(`the data folder could not be tidied up: ${String(error)}`));
    void expiry?.start();
    // A certificate is for the world's name of us, not for this machine's: the origin comes in by a door of its own.
    ownDoor = config.tls && (await openOwnDoor(app.server));
    const doorAt = ownDoor ? { host: LOOPBACK, port: (ownDoor.address() as AddressInfo).port } : openAt;
    origin = startOrigin(config, dataDir, originKey, `ws://${authority(doorAt)}${SIGNAL_PATH}`, log);
    return { url: `${config.tls ? 'https' : 'http'}://${authority(openAt)}`, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Our own STUN server, where there is to be one. Without it all works but direct connections between some viewers, so a port that
 * nobody asked for and somebody else has is no reason not to start.
 * @throws StartError where the port that was asked for cannot be had.
 */
async function stunOf(
  { stunPort, isStunAsked }: Config,
  log: ReturnType<typeof createLog>,
): Promise<StunServer | null> {
  if (stunPort === null) return null;
  try {
    return await openStun(stunPort);
  } catch (error) {
    const sentence = `UDP port ${stunPort} cannot be had for STUN (${codeOf(error) ?? String(error)}). Set STUN_PORT to another one, or to 0 for none.`;
    if (isStunAsked) throw new StartError(sentence, { cause: error });
    log.warn(sentence);
    return null;
  }
}

/** Plain signaling for this machine alone, at any free port. */
async function openOwnDoor(server: Server): Promise<Server> {
  const door = createServer((_request, response) => void response.writeHead(404).end());
  door.on('upgrade', (...upgrade) => server.emit('upgrade', ...upgrade));
  door.listen(0, LOOPBACK);
  await once(door, 'listening');
  return door;
}

/** Null where rooms are kept for ever. */
function expiryOf(
  { roomDays }: Config,
  rooms: ExpiringRooms,
  bus: MemoryBus,
  log: ReturnType<typeof createLog>,
  onRemoved: (room: string) => void,
): RoomExpiry | null {
  if (roomDays === Number.POSITIVE_INFINITY) return null;
  return new RoomExpiry({
    rooms,
    keepMs: roomDays * DAY_MS,
    clock: systemClock,
    hasMembers: async (room) => (await bus.members(room, null, [], 1)).length > 0,
    onRemoved,
    log,
  });
}

function startOrigin(
  { originMbit, originPeers, originUdpPorts: ports, logLevel }: Config,
  dataDir: string,
  originKey: string,
  signalingUrl: string,
  log: ReturnType<typeof createLog>,
): OriginProcess {
  return new OriginProcess({
    script: ORIGIN_SCRIPT,
    environment: {
      SIGNALING_URL: signalingUrl,
      ORIGIN_KEY: originKey,
      DATA_DIR: dataDir,
      ORIGIN_MBIT: String(originMbit ?? 0),
      ORIGIN_PEERS: String(originPeers),
      ORIGIN_UDP_PORTS: ports ? `${ports.min}-${ports.max}` : '',
      LOG_LEVEL: logLevel,
    },
    log,
  });
}

async function closeHttp(app: FastifyInstance): Promise<void> {
  const cut = setTimeout(() => app.server.closeAllConnections(), LAST_ANSWERS_MS);
  await app.close();
  clearTimeout(cut);
}
