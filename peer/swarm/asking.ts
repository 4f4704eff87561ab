import { MAX_PIPELINE_PIECES } from '../limits.ts';
import type { Link } from '../wire/link.ts';
import type { Ask } from './picker.ts';

/** A piece by its numbers. */
export interface PieceName {
  segment: number;
  piece: number;
}

/** Asks a peer for pieces. `others`: viewers besides it that we are connected to. */
export function sendRequests(link: Link, asks: readonly Ask[], others: number): void {
  for (const [segment, group] of inFrames(asks)) {
    const inMs = Math.round(Math.min(...group.map((ask) => ask.inMs)));
    link.send('request', { segment, pieces: group.map(({ piece }) => piece), inMs, others });
  }
}

/** Tells a peer that these need not be sent any more. */
export function sendCancels(link: Link, names: readonly PieceName[]): void {
  for (const [segment, group] of inFrames(names))
    link.send('cancel', { segment, pieces: group.map(({ piece }) => piece) });
}

/** By segment, and no more than MAX_PIPELINE_PIECES at once: what one frame names. */
function inFrames<T extends PieceName>(names: readonly T[]): [number, T[]][] {
  const frames: [number, T[]][] = [];
  const open = new Map<number, T[]>();
  for (const name of names) {
    const group = open.get(name.segment);
    if (group && group.length < MAX_PIPELINE_PIECES) {
      group.push(name);
    } else {
      const fresh = [name];
      open.set(name.segment, fresh);
      frames.push([name.segment, fresh]);
    }
  }
  return frames;
}
