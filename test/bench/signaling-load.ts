import { availableParallelism } from 'node:os';
import { WebSocket } from 'ws';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import type { FromServer } from '../../signaling/messages.ts';
import { ask } from '../tools/http-server.ts';
import { MadeRoom } from '../tools/made-room.ts';
import { memberKey, signedJoin } from '../tools/member-keys.ts';
import { type CpuTime, cpuTimeOf, pinTo } from '../tools/process-cpu.ts';
import { memoryOf } from '../tools/process-memory.ts';
import { startServer } from '../tools/running-server.ts';

const IDLE_MEMBERS = 2000;
const ROOMS = 20;
const JOINS_PER_SEC = 200;
const JOIN_S = 10;

/** Long enough to have one heartbeat of every connection in it. */
const IDLE_S = 30;

/** Members that come at a time while the rooms fill. */
const FILLING_AT_ONCE = 50;

/** Addresses of this machine that members come from, so that none goes beyond what one may have. */
const ADDRESSES = 100;

/** The server's core; the members have the others. */
const SERVER_CORE = 0;

/** What a member says first: to signaling its join, as soon as it has the nonce; to the baseline as many characters. */
type Greet = (socket: WebSocket, member: number) => Promise<void>;

/** A server under load. Shares are of one core. */
export interface SignalingLoad {
  bytesPerConnection: number;
  idleShare: number;
  joinShare: number;
  /** How long the server's process was kept waiting for its core by others while members joined, as a share of that time. */
  waitingShare: number;
  /** From connecting to the welcome, rising. */
  joinMs: number[];
  refusedCount: number;
}

export interface SignalingBench {
  ours: SignalingLoad;
  baseline: SignalingLoad;
  isPinned: boolean;
}

/**
 * A real seed server, held to one core, with 2,000 members idle in its rooms: what they cost, and how quickly it lets in 200
 * others a second. The same with a server that only echoes. Null where there is no /proc to read (Linux has it).
 */
export async function benchSignaling(): Promise<SignalingBench | null> {
  if (process.platform !== 'linux') return null;
  const isPinned = await pinMembers();
  return { ours: await loadOurs(), baseline: await loadEcho(), isPinned };
}

/** The figures as lines for people. */
export function describeSignaling(bench: SignalingBench | null): string {
  if (bench === null) return 'signaling under load: NOT MEASURED, it needs Linux';
  const { ours, baseline, isPinned } = bench;
  const beside = (name: string, of: (load: SignalingLoad) => number, unit: string): string =>
    `${name} ${of(ours).toFixed(1)} ${unit}, bare ws ${of(baseline).toFixed(1)}: ratio ${(of(ours) / of(baseline)).toFixed(2)}`;
  const percentile = (share: number) => (load: SignalingLoad) =>
    load.joinMs[Math.floor(load.joinMs.length * share)] ?? Number.NaN;
  return [
    `signaling, ${IDLE_MEMBERS} idle members in ${ROOMS} rooms${isPinned ? ', server on one core' : ' (NOT pinned to a core: no taskset)'}:`,
    `  ${beside('memory of each', (load) => load.bytesPerConnection / 1000, 'kB')}`,
    `  idle, heartbeats included: ${percent(ours.idleShare)} of the core`,
    `  ${JOINS_PER_SEC} joins a second for ${JOIN_S} s besides: ${ours.joinMs.length} let in, ${ours.refusedCount} refused`,
    `  ${beside('core', (load) => load.joinShare * 100, '%')}; kept from it by others ${percent(ours.waitingShare)} (bare ws ${percent(baseline.waitingShare)}) of the time`,
    ...([0.5, 0.95, 0.99] as const).map(
      (share) => `  ${beside(`connecting to welcome, p${share * 100}`, percentile(share), 'ms')}`,
    ),
  ].join('\n');
}

async function loadOurs(): Promise<SignalingLoad> {
  const server = await startServer();
  try {
    const rooms = await register(server.url);
    const url = `${server.url.replace('http', 'ws')}/signal`;
    return await load(server.pid, url, (socket, member) => {
      const { room, token } = rooms[member % ROOMS] as MadeRoom;
      return greetAsMember(socket, (nonce) => signedJoin(memberKey(member), room, token, nonce));
    });
  } finally {
    await server.stop();
  }
}

async function loadEcho(): Promise<SignalingLoad> {
  const server = await startServer({ program: 'test/bench/echo-server.ts' });
  try {
    const text = JSON.stringify(signedJoin(memberKey(0), 'a'.repeat(22), 'T'.repeat(43), 'A'.repeat(43)));
    return await load(server.pid, server.url.replace('http', 'ws'), (socket) => {
      socket.once('open', () => socket.send(text));
      return new Promise((resolve) => socket.once('message', () => resolve()));
    });
  } finally {
    await server.kill('SIGKILL');
  }
}

async function load(pid: number, url: string, greet: Greet): Promise<SignalingLoad> {
  await pinTo(SERVER_CORE, pid);
  const crowd = new Crowd(url, greet);
  try {
    // Once through, so that what is made only once is no connection's.
    for (let member = 0; member < FILLING_AT_ONCE; member++) await crowd.enter(member);
    crowd.leave();
    const emptyBytes = await memoryOf(pid);
    await crowd.fill(IDLE_MEMBERS);
    const bytesPerConnection = ((await memoryOf(pid)) - emptyBytes) / IDLE_MEMBERS;
    const idle = await shareOf(pid, () => pause(IDLE_S * 1000));
    const joining = await shareOf(pid, () => crowd.keepComing(IDLE_MEMBERS));
    const joinMs = joining.value.filter((ms) => ms !== null).sort((a, b) => a - b);
    return {
      bytesPerConnection,
      idleShare: idle.ran,
      joinShare: joining.ran,
      waitingShare: joining.waited,
      joinMs,
      refusedCount: joining.value.length - joinMs.length,
    };
  } finally {
    crowd.leave();
  }
}

/** Members that come from many addresses and stay. */
class Crowd {
  readonly #url: string;
  readonly #greet: Greet;
  readonly #sockets: WebSocket[] = [];

  constructor(url: string, greet: Greet) {
    this.#url = url;
    this.#greet = greet;
  }

  /** Resolves with the milliseconds from connecting to the welcome; null where it is refused. */
  async enter(member: number): Promise<number | null> {
    const startMs = performance.now();
    const localAddress = `127.0.1.${1 + (member % ADDRESSES)}`;
    const socket = new WebSocket(this.#url, { localAddress, perMessageDeflate: false });
    this.#sockets.push(socket);
    const isIn = this.#greet(socket, member).then(() => true);
    const isOut = new Promise<boolean>((resolve) => {
      socket.on('error', () => resolve(false));
      socket.once('close', () => resolve(false));
    });
    return (await Promise.race([isIn, isOut])) ? performance.now() - startMs : null;
  }

  /** Rejects where somebody is refused. */
  async fill(count: number): Promise<void> {
    let next = 0;
    const fillOne = async (): Promise<void> => {
      while (next < count)
        if ((await this.enter(next++)) === null) throw new Error('The server refused a member.');
    };
    await Promise.all(Array.from({ length: FILLING_AT_ONCE }, fillOne));
  }

  /** Members come at an even rate, whether or not those before are in; resolves with how each fared. */
  async keepComing(firstMember: number): Promise<(number | null)[]> {
    const startMs = performance.now();
    const coming: Promise<number | null>[] = [];
    for (let i = 0; i < JOINS_PER_SEC * JOIN_S; i++) {
      await pause(startMs + (i * 1000) / JOINS_PER_SEC - performance.now());
      coming.push(this.enter(firstMember + i));
    }
    return await Promise.all(coming);
  }

  leave(): void {
    for (const socket of this.#sockets.splice(0)) socket.terminate();
  }
}

/** Resolves once the server has welcomed this member; never where it refuses, which ends the connection. */
function greetAsMember(socket: WebSocket, joinFor: (nonce: string) => object): Promise<void> {
  return new Promise((resolve) => {
    socket.on('message', (data) => {
      const message = JSON.parse(String(data)) as FromServer;
      if (message.type === 'hello') socket.send(JSON.stringify(joinFor(message.nonce)));
      else if (message.type === 'welcome') resolve();
    });
  });
}

async function register(url: string): Promise<MadeRoom[]> {
  const crypto = await chooseCrypto();
  const rooms = await Promise.all(Array.from({ length: ROOMS }, () => MadeRoom.create(crypto)));
  for (const made of rooms) {
    const { status } = await ask(`${url}/api/rooms/${made.room}`, {
      method: 'PUT',
      body: await made.record(),
    });
    if (status !== 201) throw new Error(`A room could not be made: ${status}.`);
  }
  return rooms;
}

/** What a process had of its core while something was done, and what came of that. */
async function shareOf<T>(
  pid: number,
  work: () => Promise<T>,
): Promise<{ ran: number; waited: number; value: T }> {
  const [before, startMs] = [await cpuTimeOf(pid), performance.now()];
  const value = await work();
  const [after, spentMs] = [await cpuTimeOf(pid), performance.now() - startMs];
  const share = (of: (time: CpuTime) => number): number => (of(after) - of(before)) / spentMs;
  return { ran: share(({ ranMs }) => ranMs), waited: share(({ waitedMs }) => waitedMs), value };
}

/** Keeps this process off the server's core; resolves with whether cores can be chosen here. */
async function pinMembers(): Promise<boolean> {
  const core = Math.min(SERVER_CORE + 1, availableParallelism() - 1);
  return await pinTo(core, process.pid);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
