import { randomBytes } from 'node:crypto';
import { link, mkdir, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import { FileStore } from '../../seed-server/store/file-store.ts';
import { ask } from '../tools/http-server.ts';
import { MadeRoom } from '../tools/made-room.ts';
import { BUILT_PROGRAM, startServer } from '../tools/running-server.ts';
import { type TemporaryFolder, temporaryFolder } from '../tools/temporary-folder.ts';
import { median } from './report.ts';

const ROOM_COUNTS = [0, 1000, 10_000];
const SEGMENTS = 3;
const ROUNDS = 5;
const GOAL_MS = 1000;

/** What `npm start` runs, and the sources, run by tsx. */
const PROGRAMS = { built: BUILT_PROGRAM, sources: 'seed-server/main.ts' };

/** With both set, every room is looked through at start: for its size, and for whether it is still used. */
const ENV = { MAX_STORE_GB: '100', ROOM_DAYS: '30' };

/** Milliseconds from starting the program to a 200 from /healthz, and from then to a room's first answer, where there are rooms. */
interface Start {
  healthyMs: number;
  answerMs: number | null;
}

interface Series {
  program: keyof typeof PROGRAMS;
  roomCount: number;
  starts: Start[];
}

export type StartUpBench = readonly Series[];

/** Starts the built server and the sources over folders with no room, with 1,000 and with 10,000, by turns. */
export async function benchStartUp(): Promise<StartUpBench> {
  const folders: { folder: TemporaryFolder; one: MadeRoom | null; roomCount: number }[] = [];
  try {
    for (const roomCount of ROOM_COUNTS) {
      const folder = await temporaryFolder();
      folders.push({
        folder,
        roomCount,
        one: roomCount > 0 ? await storeRooms(folder.path, roomCount) : null,
      });
    }
    const names = Object.keys(PROGRAMS) as (keyof typeof PROGRAMS)[];
    const all = folders.flatMap(({ folder, one, roomCount }) =>
      names.map((program) => ({ folder, one, program, roomCount, starts: [] as Start[] })),
    );
    for (let round = 0; round < ROUNDS; round++)
      for (const { program, folder, one, starts } of all)
        starts.push(await start(PROGRAMS[program], folder.path, one));
    return all;
  } finally {
    for (const { folder } of folders) await folder.remove();
  }
}

/** The figures as lines for people. */
export function describeStartUp(bench: StartUpBench): string {
  const lines = bench.map(({ program, roomCount, starts }) => {
    const healthyMs = median(starts.map((each) => each.healthyMs));
    const answers = starts.flatMap(({ answerMs }) => answerMs ?? []);
    const verdict =
      program === 'built' ? ` (goal ${GOAL_MS}: ${healthyMs <= GOAL_MS ? 'reached' : 'missed'})` : '';
    const more = answers.length > 0 ? `; a room's first answer ${median(answers).toFixed(0)} ms later` : '';
    return `  ${program}, ${roomCount} rooms: ${healthyMs.toFixed(0)} ms${verdict}${more}`;
  });
  return [`start-up, from the process's start to a 200 from /healthz, median of ${ROUNDS}:`, ...lines].join(
    '\n',
  );
}

async function start(program: string, dataDir: string, one: MadeRoom | null): Promise<Start> {
  const startMs = performance.now();
  const server = await startServer({ program, dataDir, env: ENV });
  try {
    await mustAnswer(`${server.url}/healthz`);
    const healthyMs = performance.now() - startMs;
    if (!one) return { healthyMs, answerMs: null };
    await mustAnswer(`${server.url}/api/rooms/${one.room}`, { authorization: `Bearer ${one.token}` });
    return { healthyMs, answerMs: performance.now() - startMs - healthyMs };
  } finally {
    await server.stop();
  }
}

async function mustAnswer(url: string, headers: Record<string, string> = {}): Promise<void> {
  const { status } = await ask(url, { headers });
  if (status !== 200) throw new Error(`${url} answers ${status}.`);
}

/** So many rooms with the same film; resolves to one of them. */
async function storeRooms(dataDir: string, count: number): Promise<MadeRoom> {
  const one = await storeOne(dataDir);
  await multiply(join(dataDir, 'rooms'), one.room, count);
  return one;
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

/** The same room under other ids until there are so many, with the same files: nothing reads what is in them before somebody asks. */
async function multiply(rooms: string, room: string, count: number): Promise<void> {
  const entries = await readdir(join(rooms, room), { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(rooms, room).length + 1));
  const folders = [...new Set(files.map(dirname))];
  for (let i = 1; i < count; i++) {
    const copy = join(rooms, randomBytes(16).toString('base64url'));
    for (const folder of folders) await mkdir(join(copy, folder), { recursive: true });
    await Promise.all(files.map((file) => link(join(rooms, room, file), join(copy, file))));
  }
}
