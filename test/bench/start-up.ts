import { randomBytes } from 'node:crypto';
import { link, mkdir, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import { FileStore } from '../../seed-server/store/file-store.ts';
import { ask } from '../tools/http-server.ts';
import { MadeRoom } from '../tools/made-room.ts';
import { startServer } from '../tools/running-server.ts';
import { temporaryFolder } from '../tools/temporary-folder.ts';
import { median } from './report.ts';

const ROOMS = 10_000;
const SEGMENTS = 3;
const ROUNDS = 3;
const GOAL_MS = 1000;

/** With both set, every room is looked through at start: for its size, and for whether it is still used. */
const ENV = { MAX_STORE_GB: '100', ROOM_DAYS: '30' };

/** Milliseconds from starting the program to the line that says it is open, and from then to a room's first answer. */
interface Start {
  openMs: number;
  answerMs: number;
}

export interface StartUpBench {
  full: Start[];
  empty: Start[];
}

/** Starts the server over a folder with 10,000 rooms, and over one with a single room, by turns. */
export async function benchStartUp(): Promise<StartUpBench> {
  const [full, empty] = [await temporaryFolder(), await temporaryFolder()];
  const bench: StartUpBench = { full: [], empty: [] };
  try {
    const [one, other] = [await storeOne(full.path), await storeOne(empty.path)];
    await multiply(join(full.path, 'rooms'), one.room);
    for (let round = 0; round < ROUNDS; round++) {
      bench.empty.push(await start(empty.path, other));
      bench.full.push(await start(full.path, one));
    }
    return bench;
  } finally {
    await full.remove();
    await empty.remove();
  }
}

/** The figures as lines for people. */
export function describeStartUp({ full, empty }: StartUpBench): string {
  const middle = (starts: readonly Start[], of: (start: Start) => number): number => median(starts.map(of));
  const openMs = middle(full, (start) => start.openMs);
  const verdict = openMs <= GOAL_MS ? 'reached' : 'missed';
  const beside = (name: string, of: (start: Start) => number): string =>
    `${name} ${middle(full, of).toFixed(0)} ms, with one room ${middle(empty, of).toFixed(0)} ms`;
  return [
    `start-up with ${ROOMS} rooms on disk (goal ${GOAL_MS} ms: ${verdict}):`,
    `  ${beside('until it is open', (start) => start.openMs)}`,
    `  ${beside('from then to the first answer about a room', (start) => start.answerMs)}`,
  ].join('\n');
}

async function start(dataDir: string, { room, token }: MadeRoom): Promise<Start> {
  const startMs = performance.now();
  const server = await startServer({ dataDir, env: ENV });
  try {
    const openMs = performance.now() - startMs;
    const headers = { authorization: `Bearer ${token}` };
    const { status } = await ask(`${server.url}/api/rooms/${room}`, { headers });
    if (status !== 200) throw new Error(`The room is not there: ${status}.`);
    return { openMs, answerMs: performance.now() - startMs - openMs };
  } finally {
    await server.stop();
  }
}

/** A room with a film of some segments, as an upload leaves it. */
async function storeOne(dataDir: string): Promise<MadeRoom> {
  const crypto = await chooseCrypto();
  const store = await FileStore.open(crypto, dataDir);
  const made = await MadeRoom.create(crypto);
  await store.putRecord(made.room, await made.record());
  const sizes = Array.from({ length: SEGMENTS }, () => 100_000);
  await store.putManifest(made.room, made.video, await made.grow(...sizes));
  for (const [n, bytes] of made.segments.entries())
    await store.putSegment(
      made.room,
      made.video,
      n,
      (async function* () {
        yield bytes;
      })(),
    );
  await store.close();
  return made;
}

/** The same room under 9,999 other ids, with the same files: nothing reads what is in them before somebody asks. */
async function multiply(rooms: string, room: string): Promise<void> {
  const entries = await readdir(join(rooms, room), { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(rooms, room).length + 1));
  const folders = [...new Set(files.map(dirname))];
  for (let i = 1; i < ROOMS; i++) {
    const copy = join(rooms, randomBytes(16).toString('base64url'));
    for (const folder of folders) await mkdir(join(copy, folder), { recursive: true });
    await Promise.all(files.map((file) => link(join(rooms, room, file), join(copy, file))));
  }
}
