import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { systemClock } from '../../peer/clock.ts';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import { type HostedRoom, hostVideo } from '../../peer/host/host-video.ts';
import { roomRequests } from '../../peer/host/room-requests.ts';
import { takeDown } from '../../peer/host/take-down.ts';
import { describeFootprint, type Footprint, footprintOf } from '../tools/footprint.ts';
import { NodeViewer } from '../tools/node-viewer.ts';
import { originsOf } from '../tools/origin-of.ts';
import { canMeasureMemory } from '../tools/process-memory.ts';
import { type RunningServer, startServer } from '../tools/running-server.ts';
import { tell } from '../tools/tell.ts';
import { hosting, RandomVideo, sizes } from './host-rig.ts';

/** `npm run soak` takes an hour; this is the short form. */
const SOAK_MS = Number(process.env.MATINEE_SOAK_MS ?? 20_000);
const PROGRAM = process.env.MATINEE_SOAK_PROGRAM ?? 'seed-server/main.ts';

const VIEWERS = 4;
const SEGMENTS = 12;
const SEGMENT_BYTES = 300_000;
/** Where everybody jumps to; segments take two seconds. */
const SEEK_TO_MS = 16_000;

/**
 * What each of the two processes may hold more of after the last cycle than after the first one: an allocator gives back what
 * was freed when it likes, and one leaked connection takes about a megabyte and two threads.
 */
const MAX_GROWTH_BYTES = 30_000_000;

/** How long threads and sockets get to end when everybody has left: HTTP keeps a connection open for some seconds. */
const SETTLE_MS = 90_000;
const LOOK_EVERY_MS = 500;
/** Nothing is expected to end any more when so many looks in a row saw the same: the origin collects twice, five seconds apart. */
const SAME_LOOKS = 24;

const crypto = await chooseCrypto();

const soak = suite('a server that people come to and leave');

soak('should hold no more when all have left than after the first ones had', async () => {
  if (!canMeasureMemory) {
    tell('SKIPPED: only Linux tells what a process really holds.');
    return;
  }
  // Each cycle hosts from an address of its own, for new rooms are limited by address.
  const server = await startServer({ program: PROGRAM, env: { TRUST_PROXY: 'loopback' } });
  try {
    const startMs = performance.now();
    const [originPid, ...others] = await originsOf(server.pid);
    assert.ok(originPid !== undefined && others.length === 0, 'there is one origin');
    const look = () => Promise.all([footprintOf(server.pid), footprintOf(originPid)]);
    await cycle(server, 0);
    const first = await settled(look);
    tellCycle(0, first);
    let last = first;
    for (let n = 1; n === 1 || performance.now() - startMs < SOAK_MS; n++) {
      await cycle(server, n);
      last = await settledTo(first, look);
      tellCycle(n, last);
    }
    assert.equal(await originsOf(server.pid), [originPid], 'the origin lived through it');
    for (const [i, now] of last.entries()) {
      const before = first[i] ?? now;
      const growthBytes = now.memoryBytes - before.memoryBytes;
      assert.ok(growthBytes < MAX_GROWTH_BYTES, `process ${i} grew by ${growthBytes} bytes`);
      assert.ok(isDown(now, before), `${describeFootprint(now)}, was ${describeFootprint(before)}`);
    }
    for (const folder of ['rooms', 'temporary'])
      assert.equal(await readdir(join(server.dataDir, folder)), [], `${folder} is empty`);
  } finally {
    await server.stop();
  }
});

soak.run();

/** A film is hosted and another one given up half way; four come, talk, jump; two of them go and two others come; the room is removed; all go. */
async function cycle({ url }: RunningServer, n: number): Promise<void> {
  const fetchFrom: typeof fetch = (input, init) => {
    const headers = new Headers(init?.headers);
    headers.set('x-forwarded-for', `10.0.${Math.floor(n / 250)}.${n % 250}`);
    return fetch(input, { ...init, headers });
  };
  const video = new RandomVideo(sizes(SEGMENTS, SEGMENT_BYTES));
  const real = { clock: systemClock, fetch: fetchFrom };
  const room = await hostVideo(hosting(video, url, real).options);
  await giveUpHalfWay(url, real);
  const viewers: NodeViewer[] = [];
  const come = async (count: number) => {
    const newcomers = await Promise.all(
      Array.from({ length: count }, (_, i) => NodeViewer.join(url, room, `viewer ${viewers.length + i}`)),
    );
    viewers.push(...newcomers);
    await Promise.all(newcomers.map(isWatching));
  };
  await come(VIEWERS);
  for (const [i, { member }] of viewers.entries()) await member.viewer.say(`line ${i} of ${n}`);
  await all(viewers, 'it sees all lines', ({ member }) => member.viewer.lines.length === VIEWERS);
  for (const { member } of viewers) member.viewer.setPlayhead(SEEK_TO_MS);
  await all(viewers, 'it has the film from there on', ({ member }) =>
    member.viewer.hasPiece(SEGMENTS - 1, 0),
  );
  for (const viewer of viewers.splice(0, 2)) viewer.close();
  await come(2);
  await all(viewers, 'it sees what was said before', ({ member }) => member.viewer.lines.length === VIEWERS);
  await remove(url, room, fetchFrom);
  for (const viewer of viewers) viewer.close();
}

async function isWatching(viewer: NodeViewer): Promise<void> {
  await viewer.until('the origin is there', ({ hasOrigin }) => hasOrigin);
  await viewer.until('the film comes', ({ receivedBytes }) => receivedBytes > 0);
}

async function all(
  viewers: readonly NodeViewer[],
  what: string,
  isSo: (viewer: NodeViewer) => boolean,
): Promise<void> {
  await Promise.all(viewers.map((viewer) => viewer.until(what, isSo)));
}

/** An upload that its person cancels as soon as the link works, with segments on their way. */
async function giveUpHalfWay(url: string, real: object): Promise<void> {
  const cancel = new AbortController();
  const video = new RandomVideo(sizes(SEGMENTS, 10 * SEGMENT_BYTES));
  const { options } = hosting(video, url, {
    ...real,
    signal: cancel.signal,
    onRoom: () => cancel.abort(),
  });
  const ended = await hostVideo(options).then(
    () => 'done',
    (error: { code: string }) => error.code,
  );
  assert.is(ended, 'ABORTED');
}

async function remove(url: string, room: HostedRoom, fetchFrom: typeof fetch): Promise<void> {
  const io = { fetch: fetchFrom, crypto, clock: systemClock };
  assert.ok(await takeDown(io, room, roomRequests(url, room.roomId, room.videoId)), 'the room was removed');
}

type Look = () => Promise<Footprint[]>;

/** What both processes hold once nothing ends any more, or after a minute and a half. */
async function settled(look: Look): Promise<Footprint[]> {
  const untilMs = performance.now() + SETTLE_MS;
  let same = 0;
  let before = await look();
  while (same < SAME_LOOKS && performance.now() < untilMs) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    const now = await look();
    same = now.every((each, i) => counts(each) === counts(before[i])) ? same + 1 : 0;
    before = now;
  }
  return before;
}

/** What both processes hold once it is no more than it was, or after a minute and a half. */
async function settledTo(first: readonly Footprint[], look: Look): Promise<Footprint[]> {
  const untilMs = performance.now() + SETTLE_MS;
  for (;;) {
    const now = await look();
    const isBack = now.every((each, i) => isDown(each, first[i] ?? each));
    if (isBack || performance.now() > untilMs) return now;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

function counts(footprint: Footprint | undefined): string {
  return [footprint?.threads, footprint?.sockets, footprint?.files].join();
}

function isDown(now: Footprint, before: Footprint): boolean {
  return now.threads <= before.threads && now.sockets <= before.sockets && now.files <= before.files;
}

function tellCycle(n: number, [main, origin]: readonly Footprint[]): void {
  if (main && origin)
    tell(`after cycle ${n}: server ${describeFootprint(main)}; origin ${describeFootprint(origin)}`);
}
