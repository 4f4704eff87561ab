import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { open, readdir, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { codeOf, makeFolders } from './durable.ts';

/** Bytes of a socket's path at most: macOS takes 104 with the zero at the end, Linux 108. */
const MAX_SOCKET_PATH_BYTES = 103;

/** How systems say that this file system, or this process, can have no sockets. A full disk may have room for no name. */
const NO_SOCKETS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL', 'EAFNOSUPPORT', 'ENOSPC', 'EDQUOT'];

/** What shows that a data folder is in use. */
export interface FolderLock {
  /** False where no socket can be had there, so that other servers are not kept away. */
  isExclusive: boolean;
  release(): Promise<void>;
}

/**
 * Takes a folder, which is made where it is missing, for this process until `release` or its end, however
 * that comes: a listening socket in the folder `lock`, which answers only while its owner lives. Keeps away
 * the processes of one machine, whatever containers they are in, not those of others that share a network folder.
 * Of two that start in the same moment at most one gets it.
 * @param inUse what is thrown where another living process has it.
 * @throws the system's error where it cannot be written.
 */
export async function lockFolder(path: string, inUse: () => Error): Promise<FolderLock> {
  const folder = join(path, 'lock');
  await makeFolders(folder);
  const reach = await reachable(folder);
  const name = randomBytes(4).toString('hex');
  try {
    const server = reach && (await listenAt(join(reach.path, name)));
    if (!server) return { isExclusive: false, release: async () => {} };
    const lock = { isExclusive: true, release: () => release(server, join(folder, name)) };
    // Listens first and looks then: of two that do so, at least one sees the other.
    if (!(await isAnotherAlive(folder, reach.path, name))) return lock;
    await lock.release();
    throw inUse();
  } finally {
    await reach?.close();
  }
}

/** The folder by a path that is short enough for sockets in it; null where there is none. */
export async function reachable(folder: string): Promise<{ path: string; close(): Promise<void> } | null> {
  if (process.platform === 'win32') return null;
  if (Buffer.byteLength(folder) + 1 + 8 <= MAX_SOCKET_PATH_BYTES) {
    return { path: folder, close: async () => {} };
  }
  if (process.platform !== 'linux') return null;
  const handle = await open(folder, 'r');
  return { path: `/proc/self/fd/${handle.fd}`, close: () => handle.close() };
}

/** Null where no socket can be had. */
async function listenAt(path: string): Promise<Server | null> {
  const server = createServer((socket) => socket.destroy());
  // Other users' servers, too, must be able to ask whether this one lives.
  server.listen({ path, readableAll: true, writableAll: true });
  try {
    await once(server, 'listening');
  } catch (error) {
    if (NO_SOCKETS.includes(codeOf(error) ?? '')) return null;
    throw error;
  }
  return server.unref();
}

async function release(server: Server, path: string): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  await closed;
  await rm(path, { force: true });
}

/** Whether anyone else listens in the folder. Removes the sockets that the dead left behind: their names never come again. */
async function isAnotherAlive(folder: string, reachPath: string, ownName: string): Promise<boolean> {
  for (const name of await readdir(folder)) {
    if (name === ownName) continue;
    if (await isListening(join(reachPath, name))) return true;
    await rm(join(folder, name), { force: true });
  }
  return false;
}

async function isListening(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    const code = codeOf(error);
    // Nobody listens, its owner has just removed it, or it ended while we waited.
    if (code === 'ECONNREFUSED' || code === 'ENOENT' || code === 'ECONNRESET') return false;
    // Linux: there is an owner, too busy to answer.
    if (code === 'EAGAIN') return true;
    throw error;
  } finally {
    socket.destroy();
  }
}
