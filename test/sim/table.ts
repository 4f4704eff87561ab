import type { Summary } from './report.ts';
import type { Moment } from './timeline.ts';

/** What a run cost the machine it ran on. */
export interface Cost {
  realS: number;
  cpuS: number;
  viewerSeconds: number;
}

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
const ms = (duration: number): string => `${Math.round(duration)} ms`;

/** The rows of a run's table: what, and how much. */
export function rowsOf(s: Summary, cost: Cost): [string, string][] {
  return [
    [
      'copies (media / all bytes / to honest)',
      [s.copies, s.copiesInAll, s.copiesToHonest].map((copies) => copies.toFixed(3)).join(' / '),
    ],
    ['offload', percent(s.offload)],
    [
      'start-up median / p95 / max',
      [s.startUpMs.median, s.startUpMs.p95, s.startUpMs.max].map(ms).join(' / '),
    ],
    ['viewers started / finished / expected', `${s.started} / ${s.finished} / ${s.expected} of ${s.viewers}`],
    ['viewers with stalls (stalls)', `${s.stalled} (${s.stallCount})`],
    ['stalled share of watch time', percent(s.stallShare)],
    ['longest stall', ms(s.longestStallMs)],
    ['longer by playing slower', percent(s.slowedShare)],
    ['control / media bytes', percent(s.controlShare)],
    ['messages per viewer and second', s.messagesPerViewerSec.toFixed(1)],
    ['duplicate media', percent(s.duplicateShare)],
    ['signaling messages per viewer', s.signalsPerViewer.toFixed(1)],
    ['peak origin connections', String(s.peakOriginLinks)],
    ['degree min / mean / max', `${s.degree.min} / ${s.degree.mean.toFixed(1)} / ${s.degree.max}`],
    ['rejected pieces (from one / bans)', `${s.rejectedPieces} (${s.mostRejectedFromOne} / ${s.bans})`],
    [
      'virtual / real / CPU',
      `${s.virtualS.toFixed(1)} s / ${cost.realS.toFixed(1)} s / ${cost.cpuS.toFixed(1)} s`,
    ],
    ['CPU per viewer-second', `${((1000 * cost.cpuS) / Math.max(1, cost.viewerSeconds)).toFixed(2)} ms`],
  ];
}

/** The table as lines of text. */
export function tableOf(title: string, rows: readonly [string, string][]): string {
  const width = Math.max(...rows.map(([what]) => what.length));
  return [title, ...rows.map(([what, value]) => `  ${what.padEnd(width)}  ${value}`)].join('\n');
}

const COLUMNS: readonly [string, (moment: Moment) => string][] = [
  ['s', ({ atS }) => String(atS)],
  ['present', ({ present }) => String(present)],
  ['waiting', ({ waiting }) => String(waiting)],
  ['MB/s', ({ receivedBytesPerSec }) => (receivedBytesPerSec / 1e6).toFixed(2)],
  ['useless', ({ uselessShare }) => percent(uselessShare)],
  ['origin up', ({ originUpShare }) => percent(originUpShare)],
  ['viewers up', ({ viewersUpShare }) => percent(viewersUpShare)],
  ['ahead s', ({ meanAheadS }) => meanAheadS.toFixed(1)],
  ['least', ({ minAheadS }) => minAheadS.toFixed(1)],
  ['degree', ({ meanDegree }) => meanDegree.toFixed(1)],
];

/** What happened on the way, a line for each stretch. */
export function timelineTable(moments: readonly Moment[]): string {
  const lines = [COLUMNS.map(([name]) => name), ...moments.map((m) => COLUMNS.map(([, show]) => show(m)))];
  return lines.map((cells) => cells.map((cell) => cell.padStart(10)).join('')).join('\n');
}
