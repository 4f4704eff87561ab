import { systemClock } from '../../peer/clock.ts';
import { hostVideo } from '../../peer/host/host-video.ts';
import { NodeViewer } from '../tools/node-viewer.ts';
import { originsOf } from '../tools/origin-of.ts';
import { cpuTimeOf } from '../tools/process-cpu.ts';
import { memoryOf } from '../tools/process-memory.ts';
import { startBuiltServer } from '../tools/running-server.ts';
import { hosting, RandomVideo, sizes } from '../unit/host-rig.ts';

const VIEWERS = 40;
const GOAL_BYTES = 2_000_000;
const GOAL_CORE_SHARE = 0.001;

/** What came is long given by then, and buffers of the joining are free again. */
const SETTLE_MS = 15_000;
const MEASURED_MS = 30_000;

/** What one more viewer who is connected and does nothing costs the server, the origin's process included. */
export interface IdleCost {
  bytes: number;
  coreShare: number;
  /** Of the origin's process alone. */
  originBytes: number;
  originCoreShare: number;
}

/** Connects 40 viewers to signaling and the origin, but not to each other, with all of a short film. Needs `npm run build`. */
export async function measureIdleViewers(): Promise<IdleCost> {
  const server = await startBuiltServer();
  const viewers: NodeViewer[] = [];
  try {
    const [origin] = await originsOf(server.pid);
    if (origin === undefined) throw new Error('The server has no origin.');
    const pids = [server.pid, origin];
    const video = new RandomVideo(sizes(4));
    const room = await hostVideo(hosting(video, server.url, { clock: systemClock }).options);
    const join = async (name: string) => {
      const viewer = await NodeViewer.join(server.url, room, name);
      viewer.member.setPeersAllowed(false);
      viewers.push(viewer);
      await viewer.until('the origin is there', ({ hasOrigin }) => hasOrigin);
      await viewer.until('the film is here', ({ member }) => member.viewer.hasPiece(3, 0));
    };
    // What the first one brings into memory all others share.
    await join('the first');
    const before = await measure(pids);
    for (let i = 0; i < VIEWERS; i++) await join(`viewer ${i}`);
    const after = await measure(pids);
    const each = after.map(({ bytes, coreShare }, i) => ({
      bytes: (bytes - (before[i]?.bytes ?? 0)) / VIEWERS,
      coreShare: (coreShare - (before[i]?.coreShare ?? 0)) / VIEWERS,
    }));
    const sum = (of: (one: { bytes: number; coreShare: number }) => number): number =>
      each.reduce((total, one) => total + of(one), 0);
    return {
      bytes: sum(({ bytes }) => bytes),
      coreShare: sum(({ coreShare }) => coreShare),
      originBytes: each[1]?.bytes ?? 0,
      originCoreShare: each[1]?.coreShare ?? 0,
    };
  } finally {
    for (const viewer of viewers) viewer.close();
    await server.stop();
  }
}

/** The figures as lines for people. */
export function describeIdleViewers({ bytes, coreShare, originBytes, originCoreShare }: IdleCost): string {
  const verdict = (isReached: boolean): string => (isReached ? 'reached' : 'missed');
  const mb = (value: number): string => `${(value / 1e6).toFixed(2)} MB`;
  const percent = (share: number): string => `${(share * 100).toFixed(3)} %`;
  return [
    `an idle viewer, of ${VIEWERS}:`,
    `  memory ${mb(bytes)}, of that the origin's process ${mb(originBytes)} (goal ${mb(GOAL_BYTES)}: ${verdict(bytes <= GOAL_BYTES)})`,
    `  of a core ${percent(coreShare)}, of that the origin's process ${percent(originCoreShare)} (goal ${percent(GOAL_CORE_SHARE)}: ${verdict(coreShare <= GOAL_CORE_SHARE)})`,
  ].join('\n');
}

/** What each process holds, and its share of a core over half a minute. */
async function measure(pids: readonly number[]): Promise<{ bytes: number; coreShare: number }[]> {
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const startMs = performance.now();
  const before = await Promise.all(pids.map(cpuTimeOf));
  await new Promise((resolve) => setTimeout(resolve, MEASURED_MS));
  const after = await Promise.all(pids.map(cpuTimeOf));
  const spentMs = performance.now() - startMs;
  const bytes = await Promise.all(pids.map(memoryOf));
  return pids.map((_, i) => ({
    bytes: bytes[i] ?? 0,
    coreShare: ((after[i]?.ranMs ?? 0) - (before[i]?.ranMs ?? 0)) / spentMs,
  }));
}
