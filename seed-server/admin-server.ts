import { once } from 'node:events';
import { chmod, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { MatineeError } from '../peer/errors.ts';
import type { Operator } from './operator.ts';
import { reachable } from './store/folder-lock.ts';

/** The socket's name in the data folder. */
export const ADMIN_SOCKET = 'admin';

/** Only who may write the data folder may command. */
const OWNER_ONLY = 0o600;

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Lets the command line of this machine command a running server, by HTTP over a socket in its data folder: `GET /rooms`,
 * `DELETE /rooms/<room>`, `POST /gc?days=<number>`. Resolves with the end of it. The folder is this process's alone.
 * Where the system has no sockets in folders (Windows), there is none: the commands then need the server stopped.
 */
export async function openAdminSocket(dataDir: string, operator: Operator): Promise<() => Promise<void>> {
  const reach = await reachable(dataDir);
  if (!reach) return async () => {};
  const server = createServer((request, response) => void answer(operator, request, response));
  const path = join(reach.path, ADMIN_SOCKET);
  // Of a server that was killed.
  await rm(path, { force: true });
  try {
    server.listen(path);
    await once(server, 'listening');
    await chmod(path, OWNER_ONLY);
  } finally {
    await reach.close();
  }
  return () => close(server, join(dataDir, ADMIN_SOCKET));
}

async function close(server: Server, path: string): Promise<void> {
  server.close();
  server.closeAllConnections();
  await rm(path, { force: true });
}

async function answer(operator: Operator, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const said = await act(operator, request);
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(said));
  } catch (error) {
    const isOurs = error instanceof MatineeError;
    const { code, message } = isOurs ? error : { code: 'INTERNAL', message: String(error) };
    response.writeHead(isOurs ? 400 : 500).end(JSON.stringify({ code, message }));
  }
}

async function act(operator: Operator, { method, url = '/' }: IncomingMessage): Promise<object> {
  const { pathname, searchParams } = new URL(url, 'http://matinee');
  const [, what, room] = pathname.split('/');
  if (method === 'GET' && what === 'rooms') return await operator.list();
  if (method === 'DELETE' && what === 'rooms' && room) {
    await operator.remove(room);
    return {};
  }
  const days = Number(searchParams.get('days') ?? Number.NaN);
  if (method === 'POST' && what === 'gc' && days >= 0) return await operator.removeUnused(days * DAY_MS);
  throw new MatineeError(
    'REQUEST_MALFORMED',
    'This server does not know that command. Is it of another version?',
  );
}
