import { MAX_PAGE_SEGMENTS, MAX_PAGES } from '../limits.ts';

const MAX_SEGMENTS = MAX_PAGES * MAX_PAGE_SEGMENTS;

/** What one peer says it holds: whole segments, and single pieces of others. */
export class Availability {
  readonly #whole = new Set<number>();
  readonly #parts = new Map<number, Set<number>>();

  /** Takes runs of whole segments, [first, count]. */
  addWhole(runs: readonly (readonly [number, number])[]): void {
    for (const [first, runCount] of runs) {
      const end = Math.min(first + runCount, MAX_SEGMENTS);
      for (let segment = first; segment < end; segment++) {
        this.#whole.add(segment);
        this.#parts.delete(segment);
      }
    }
  }

  /** Takes single pieces of a segment, as bits, low bit first. */
  addBits(segment: number, bits: Uint8Array): void {
    if (this.#whole.has(segment)) return;
    const pieces = this.#parts.get(segment) ?? new Set();
    for (let piece = 0; piece < bits.byteLength * 8; piece++) if (hasBit(bits, piece)) pieces.add(piece);
    this.#parts.set(segment, pieces);
  }

  /** Forgets runs of segments, [first, count]. */
  drop(runs: readonly (readonly [number, number])[]): void {
    for (const [first, runCount] of runs) {
      const end = Math.min(first + runCount, MAX_SEGMENTS);
      for (let segment = first; segment < end; segment++) {
        this.#whole.delete(segment);
        this.#parts.delete(segment);
      }
    }
  }

  /** Notes that the peer turned out not to have this piece: nothing it said of that segment is believed any more. */
  disbelieve(segment: number): void {
    this.#whole.delete(segment);
    this.#parts.delete(segment);
  }

  has(segment: number, piece: number): boolean {
    return this.#whole.has(segment) || (this.#parts.get(segment)?.has(piece) ?? false);
  }
}

function hasBit(bits: Uint8Array, index: number): boolean {
  return (((bits[index >> 3] ?? 0) >> (index & 7)) & 1) === 1;
}

/** Piece numbers as bits, low bit first, as short as they can be. */
export function toBits(pieces: Iterable<number>): Uint8Array<ArrayBuffer> {
  const list = [...pieces];
  const bits = new Uint8Array((Math.max(0, ...list) >> 3) + 1);
  for (const piece of list) bits[piece >> 3] = (bits[piece >> 3] ?? 0) | (1 << (piece & 7));
  return bits;
}

/** Sorted numbers as runs [first, count]. */
export function toRuns(numbers: Iterable<number>): [number, number][] {
  const runs: [number, number][] = [];
  for (const number of [...numbers].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last && last[0] + last[1] === number) last[1] += 1;
    else runs.push([number, 1]);
  }
  return runs;
}
