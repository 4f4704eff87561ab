import { PIECE_HEADER_BYTES } from '../../peer/wire/frame.ts';
import { MESSAGES, type MessageName } from '../../peer/wire/messages.ts';
import type { Simulation } from './simulation.ts';
import type { Ledger } from './virtual-network.ts';
import type { Playing } from './virtual-player.ts';
import type { VirtualViewer } from './virtual-viewer.ts';

/** One viewer at the end of a run. */
export interface ViewerReport extends Playing {
  index: number;
  joinMs: number;
  presentMs: number;
  fromOriginBytes: number;
  fromPeersBytes: number;
  /** Media in any way received, wrong and duplicate pieces included. */
  receivedBytes: number;
  sentBytes: number;
  controlReceivedBytes: number;
  messagesReceived: number;
  rejectedPieces: number;
  isGone: boolean;
  isLiar: boolean;
}

/** A run in figures. What viewers went through is told of those only who do not lie; bytes are everybody's unless it says otherwise. */
export interface Summary {
  /** Media that left the origin's uplink / the film, or what of it was shown in the time of a run that ends earlier. */
  copies: number;
  /** The same with all that the origin sent. */
  copiesInAll: number;
  /** Copies that viewers who do not lie took from the origin. */
  copiesToHonest: number;
  /** 1 - media from the origin / all media received. */
  offload: number;
  startUpMs: { median: number; p95: number; max: number };
  viewers: number;
  started: number;
  finished: number;
  /** Viewers who were to see the end. */
  expected: number;
  stalled: number;
  stallCount: number;
  /** Stalled / (stalled + watched). */
  stallShare: number;
  longestStallMs: number;
  /** Of the watch time, what it took longer because films played slower for want of more. */
  slowedShare: number;
  /** Control bytes received / media bytes received. */
  controlShare: number;
  messagesPerViewerSec: number;
  /** Received pieces that were there already / all. */
  duplicateShare: number;
  signalsPerViewer: number;
  peakOriginLinks: number;
  degree: { min: number; mean: number; max: number };
  rejectedPieces: number;
  /** The most that one viewer had to reject from one other. */
  mostRejectedFromOne: number;
  /** Pairs of a viewer and a liar whom it lets in no more. */
  bans: number;
  virtualS: number;
}

/** The result of a run. All but `cost` is the same each time. */
export interface Report {
  scenario: string;
  seed: number;
  summary: Summary;
  /** Control frames that viewers received, by message. */
  control: Record<string, { count: number; bytes: number }>;
  perViewer: ViewerReport[];
}

const nameOfType = new Map<number, string>(
  (Object.keys(MESSAGES) as MessageName[]).map((name) => [MESSAGES[name].type, name]),
);

/** What a finished run shows. */
export function reportOn(scenario: string, simulation: Simulation): Report {
  const perViewer = simulation.viewers.map(viewerReport);
  return {
    scenario,
    seed: simulation.plan.seed,
    summary: summarise(simulation, perViewer),
    control: controlOf(simulation.viewers.map((viewer) => viewer.parts.host.received)),
    perViewer,
  };
}

function viewerReport(viewer: VirtualViewer): ViewerReport {
  const { host, plan, index } = viewer.parts;
  const { fromOriginBytes, fromPeersBytes } = viewer.member?.viewer.traffic() ?? {
    fromOriginBytes: 0,
    fromPeersBytes: 0,
  };
  return {
    index,
    joinMs: plan.joinMs,
    presentMs: viewer.presentMs,
    ...viewer.playing(),
    fromOriginBytes,
    fromPeersBytes,
    receivedBytes: host.received.mediaBytes,
    sentBytes: host.sent.mediaBytes,
    controlReceivedBytes: host.received.controlBytes,
    messagesReceived: messageCount(host.received),
    rejectedPieces: viewer.member?.viewer.rejectedPieces ?? 0,
    isGone: viewer.goneMs !== null,
    isLiar: plan.isLiar,
  };
}

function summarise(simulation: Simulation, all: ViewerReport[]): Summary {
  const { origin, broker, clock } = simulation;
  const honest = all.filter((viewer) => !viewer.isLiar);
  return {
    ...originFigures(simulation, honest),
    ...playingFigures(honest),
    expected: expectedCount(simulation),
    ...trafficFigures(simulation, all),
    signalsPerViewer: broker.messageCount / Math.max(1, all.length),
    peakOriginLinks: origin.peakLinks,
    degree: degreeOf(simulation),
    rejectedPieces: sum(all.map((viewer) => viewer.rejectedPieces)),
    mostRejectedFromOne: mostRejectedFromOne(simulation),
    bans: banCount(simulation),
    virtualS: clock.nowMs() / 1000,
  };
}

function originFigures(
  { plan, film, originHost }: Simulation,
  honest: ViewerReport[],
): Pick<Summary, 'copies' | 'copiesInAll' | 'copiesToHonest'> {
  const shownShare = plan.endMs === null ? 1 : Math.min(1, plan.endMs / film.durationMs);
  const filmBytes = film.sizeBytes * shownShare;
  const { mediaBytes, controlBytes } = originHost.sent;
  return {
    copies: mediaBytes / filmBytes,
    copiesInAll: (mediaBytes + controlBytes) / filmBytes,
    copiesToHonest: sum(honest.map((viewer) => viewer.fromOriginBytes)) / filmBytes,
  };
}

function playingFigures(
  viewers: ViewerReport[],
): Pick<
  Summary,
  | 'startUpMs'
  | 'viewers'
  | 'started'
  | 'finished'
  | 'stalled'
  | 'stallCount'
  | 'stallShare'
  | 'slowedShare'
  | 'longestStallMs'
> {
  const startUps = viewers.flatMap(({ startUpMs }) => startUpMs ?? []).sort((a, b) => a - b);
  const stallMs = sum(viewers.map((viewer) => viewer.stallMs));
  const watchedMs = sum(viewers.map((viewer) => viewer.watchedMs));
  return {
    startUpMs: { median: quantile(startUps, 0.5), p95: quantile(startUps, 0.95), max: startUps.at(-1) ?? 0 },
    viewers: viewers.length,
    started: startUps.length,
    finished: viewers.filter((viewer) => viewer.isFinished).length,
    stalled: viewers.filter((viewer) => viewer.stallCount > 0).length,
    stallCount: sum(viewers.map((viewer) => viewer.stallCount)),
    stallShare: stallMs / Math.max(1, stallMs + watchedMs),
    slowedShare: sum(viewers.map((viewer) => viewer.slowedMs)) / Math.max(1, watchedMs),
    longestStallMs: Math.max(0, ...viewers.map((viewer) => viewer.longestStallMs)),
  };
}

function trafficFigures(
  { viewers }: Simulation,
  reports: ViewerReport[],
): Pick<Summary, 'offload' | 'controlShare' | 'messagesPerViewerSec' | 'duplicateShare'> {
  const total = (of: (report: ViewerReport) => number): number => sum(reports.map(of));
  const mediaBytes = Math.max(
    1,
    total((viewer) => viewer.receivedBytes),
  );
  const usedBytes = sum(viewers.map((viewer) => viewer.acceptedBytes + viewer.wrongBytes));
  const presentS = Math.max(1, total((viewer) => viewer.presentMs) / 1000);
  return {
    offload: 1 - total((viewer) => viewer.fromOriginBytes) / mediaBytes,
    controlShare: total((viewer) => viewer.controlReceivedBytes) / mediaBytes,
    messagesPerViewerSec: total((viewer) => viewer.messagesReceived) / presentS,
    duplicateShare: Math.max(0, mediaBytes - usedBytes) / mediaBytes,
  };
}

function degreeOf({ degrees: { min, max, sum: all, samples } }: Simulation): Summary['degree'] {
  return { min: samples > 0 ? min : 0, mean: all / Math.max(1, samples), max };
}

function mostRejectedFromOne({ viewers }: Simulation): number {
  return Math.max(0, ...viewers.flatMap((viewer) => [...viewer.rejectedFrom.values()]));
}

/** Viewers whose plan lets them see the end; liars are not asked. */
function expectedCount({ plan }: Simulation): number {
  if (plan.endMs !== null) return 0;
  return plan.viewers.filter(
    (viewer) => !viewer.isLiar && viewer.leaveMs === null && viewer.vanishMs === null,
  ).length;
}

function banCount({ viewers }: Simulation): number {
  const liarIds = viewers.flatMap(({ parts, member }) => (parts.plan.isLiar && member ? member.selfId : []));
  return sum(viewers.map(({ member }) => liarIds.filter((id) => member?.viewer.isBanned(id)).length));
}

function controlOf(ledgers: Ledger[]): Report['control'] {
  const control: Report['control'] = {};
  for (const { counts, bytes } of ledgers) {
    for (const [type, count] of counts) {
      const name = nameOfType.get(type) ?? `type ${type}`;
      const row = control[name] ?? { count: 0, bytes: 0 };
      control[name] = row;
      row.count += count;
      row.bytes += name === 'piece' ? count * PIECE_HEADER_BYTES : (bytes.get(type) ?? 0);
    }
  }
  return control;
}

function messageCount({ counts }: Ledger): number {
  return sum([...counts].map(([type, count]) => (type === MESSAGES.piece.type ? 0 : count)));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}

/** Nearest rank: the smallest value that at least this share does not exceed. */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}
