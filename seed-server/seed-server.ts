import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import { chooseCrypto } from '../peer/crypto/choose.ts';
import { attachSignaling } from '../signaling/server.ts';
import type { Config } from './config.ts';
import { buildHttp } from './http.ts';
import { authority, listen } from './listen.ts';
import { createLog } from './log.ts';
import { OriginProcess } from './origin-process.ts';
import { roomDoor } from './room-door.ts';
import { StartError } from './start-error.ts';
import { codeOf } from './store/durable.ts';
import { FileStore } from './store/file-store.ts';
import type { Store } from './store/store.ts';

const SIGNAL_PATH = '/signal';
const WEB_FOLDER = fileURLToPath(new URL('../web/dist', import.meta.url));
const ORIGIN_SCRIPT = fileURLToPath(new URL('./origin.ts', import.meta.url));

/** How long answers in progress may take once the server is to end. */
const LAST_ANSWERS_MS = 1000;

export interface SeedServer {
  /** http address at which this machine reaches it. */
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
  const store = await openStore(crypto, dataDir, config.maxStoreBytes);
  const originKey = randomBytes(32).toString('base64url');
  let origin: OriginProcess | null = null;
  const onChange = (room: string): void => origin?.changed(room);
  const app = await buildHttp({ store, crypto, webFolder: WEB_FOLDER, log, onChange });
  const signaling = attachSignaling({
    server: app.server,
    path: SIGNAL_PATH,
    door: roomDoor(store, crypto),
    originKey,
    iceServers: config.iceServers,
    random: Math.random,
    log,
  });
  const close = async (): Promise<void> => {
    await origin?.close();
    await signaling.close();
    await closeHttp(app);
  };
  try {
    const openAt = await listen(app, config.host, config.port);
    origin = startOrigin(config, dataDir, originKey, `ws://${authority(openAt)}${SIGNAL_PATH}`, log);
    return { url: `http://${authority(openAt)}`, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function startOrigin(
  { originMbit, originPeers, logLevel }: Config,
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
      LOG_LEVEL: logLevel,
    },
    log,
  });
}

async function openStore(
  crypto: Awaited<ReturnType<typeof chooseCrypto>>,
  dataDir: string,
  maxBytes: number,
): Promise<Store> {
  try {
    return await FileStore.open(crypto, dataDir, maxBytes);
  } catch (error) {
    throw new StartError(
      `The data folder ${dataDir} cannot be written (${codeOf(error) ?? String(error)}). Set DATA_DIR to a folder that this user may write.`,
      { cause: error },
    );
  }
}

async function closeHttp(app: FastifyInstance): Promise<void> {
  const cut = setTimeout(() => app.server.closeAllConnections(), LAST_ANSWERS_MS);
  await app.close();
  clearTimeout(cut);
}
