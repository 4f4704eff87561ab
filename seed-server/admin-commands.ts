import { request } from 'node:http';
import { join, resolve } from 'node:path';
import { json } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import * as v from 'valibot';
import { systemClock } from '../peer/clock.ts';
import { chooseCrypto } from '../peer/crypto/choose.ts';
import { ADMIN_SOCKET } from './admin-server.ts';
import type { Config } from './config.ts';
import { openDataFolder } from './data-folder.ts';
import { Operator, type RoomSummary } from './operator.ts';
import { StartError } from './start-error.ts';
import { codeOf } from './store/durable.ts';
import { reachable } from './store/folder-lock.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** What the commands ask of whoever has the data folder: the running server, or else this process. */
type Desk = Pick<Operator, 'list' | 'remove' | 'removeUnused'>;

const failure = v.object({ code: v.string(), message: v.string() });
const ids = v.array(v.string());
const summaries = v.array(
  v.object({ id: v.string(), sizeBytes: v.number(), lastUseMs: v.number(), memberCount: v.number() }),
);

/** `matinee rooms`: a line for each room, with its size, last use and members. */
export async function listRooms(config: Config): Promise<string> {
  const rooms = await atDesk(config, (desk) => desk.list());
  return rooms.length === 0 ? 'There are no rooms.\n' : rooms.map(roomLine).join('');
}

/** `matinee rm ROOM`. @throws MatineeError where it is none. */
export async function removeRoom(config: Config, [room = '', ...more]: readonly string[]): Promise<string> {
  if (room === '' || more.length > 0) throw new StartError('matinee rm: name one room, by its id.');
  await atDesk(config, (desk) => desk.remove(room));
  return `Removed ${room}.\n`;
}

/** `matinee gc [--days N]`: removes unused rooms, and what a crash has left. */
export async function collectGarbage(config: Config, args: readonly string[]): Promise<string> {
  const days = daysIn(args) ?? config.roomDays;
  if (!Number.isFinite(days)) throw new StartError('matinee gc: say --days N, or set ROOM_DAYS.');
  const removed = await atDesk(config, (desk) => desk.removeUnused(days * DAY_MS));
  return `${removed.map((room) => `Removed ${room}.\n`).join('')}${removed.length} rooms removed.\n`;
}

function daysIn(args: readonly string[]): number | null {
  try {
    const { days } = parseArgs({ args: [...args], options: { days: { type: 'string' } } }).values;
    if (days === undefined) return null;
    if (/^\d{1,6}(\.\d{1,6})?$/.test(days)) return Number(days);
  } catch {
    // Whatever else is said is not understood either.
  }
  throw new StartError('matinee gc: --days must be a number such as 30 or 0.5.');
}

function roomLine({ id, sizeBytes, lastUseMs, memberCount }: RoomSummary): string {
  const size = `${(sizeBytes / 1e6).toFixed(1)} MB`.padStart(12);
  const members = memberCount === 0 ? '' : `  ${memberCount} in it now`;
  return `${id} ${size}  used ${new Date(lastUseMs).toISOString().slice(0, 16)}Z${members}\n`;
}

/** Does something at the running server's desk or, where none runs on the data folder, at one of our own. */
async function atDesk<T>(config: Config, act: (desk: Desk) => Promise<T>): Promise<T> {
  const dataDir = resolve(config.dataDir);
  try {
    return await act(serversDesk(dataDir));
  } catch (error) {
    // No server, or one that was killed and has left its socket.
    if (!['ENOENT', 'ECONNREFUSED'].includes(codeOf(error) ?? '')) throw error;
  }
  return await atOwnDesk(config, dataDir, act);
}

async function atOwnDesk<T>(config: Config, dataDir: string, act: (desk: Desk) => Promise<T>): Promise<T> {
  const limits = { allBytes: config.maxStoreBytes, roomBytes: config.maxRoomBytes };
  const { store, release } = await openDataFolder(await chooseCrypto(), dataDir, limits, () => {});
  try {
    await store.tidyUp();
    const parts = { rooms: store, clock: systemClock, membersIn: async () => 0, onRemoved: () => {} };
    return await act(new Operator(parts));
  } finally {
    await release();
  }
}

function serversDesk(dataDir: string): Desk {
  return {
    list: async () => v.parse(summaries, await askServer(dataDir, 'GET', '/rooms')),
    remove: async (room) => void (await askServer(dataDir, 'DELETE', `/rooms/${encodeURIComponent(room)}`)),
    removeUnused: async (unusedMs) =>
      v.parse(ids, await askServer(dataDir, 'POST', `/gc?days=${unusedMs / DAY_MS}`)),
  };
}

/** What the server answers. @throws the system's error where none is there; StartError with what it refuses. */
async function askServer(dataDir: string, method: string, path: string): Promise<unknown> {
  const reach = await reachable(dataDir);
  if (!reach) throw Object.assign(new Error('no sockets here'), { code: 'ENOENT' });
  try {
    const socketPath = join(reach.path, ADMIN_SOCKET);
    return await new Promise((resolve, reject) => {
      const asked = request({ socketPath, method, path }, (response) => {
        json(response).then((body) => {
          if (response.statusCode === 200) resolve(body);
          else reject(new StartError(v.parse(failure, body).message));
        }, reject);
      });
      asked.once('error', reject);
      asked.end();
    });
  } finally {
    await reach.close();
  }
}
