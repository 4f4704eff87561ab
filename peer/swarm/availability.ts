import { MatineeError } from '../errors.ts';
import { MAX_PAGE_SEGMENTS, MAX_PAGES } from '../limits.ts';

const MAX_SEGMENTS = MAX_PAGES * MAX_PAGE_SEGMENTS;

/** Segments of which a peer may tell single pieces: far more than an honest one holds in part. The oldest are forgotten. */
const MAX_PARTS = 4096;

type Runs = readonly (readonly [number, number])[];

/** What one peer says it holds: whole segments, and single pieces of others. At most about a megabyte, whatever it says. */
export class Availability {
  /** One byte for each segment, 1 where it is whole; as long as it has to be. */
  #whole = new Uint8Array(64);
  /** The pieces of others as bits, low bit first. */
  readonly #parts = new Map<number, Uint8Array>();

  /**
   * Takes runs of whole segments, [first, count].
   * @throws MatineeError FRAME_MALFORMED where they are not in order: that would make much work of a short frame.
   */
  addWhole(runs: Runs): void {
    for (const [first, end] of inOrder(runs)) {
      this.#makeRoom(end);
      this.#whole.fill(1, first, end);
      this.#forgetParts(first, end);
    }
  }

  /** Takes single pieces of a segment, as bits, low bit first. */
  addBits(segment: number, bits: Uint8Array): void {
    if (this.#isWhole(segment)) return;
    const known = this.#parts.get(segment);
    this.#parts.set(segment, known ? union(known, bits) : bits.slice());
    const [oldest] = this.#parts.keys();
    if (this.#parts.size > MAX_PARTS && oldest !== undefined) this.#parts.delete(oldest);
  }

  /** Forgets runs of segments, [first, count]. @throws as addWhole. */
  drop(runs: Runs): void {
    for (const [first, end] of inOrder(runs)) {
      this.#whole.fill(0, first, end);
      this.#forgetParts(first, end);
    }
  }

  /** Notes that the peer turned out not to have this piece: nothing it said of that segment is believed any more. */
  disbelieve(segment: number): void {
    this.#whole.fill(0, segment, segment + 1);
    this.#parts.delete(segment);
  }

  has(segment: number, piece: number): boolean {
    if (this.#isWhole(segment)) return true;
    const bits = this.#parts.get(segment);
    return bits !== undefined && hasBit(bits, piece);
  }

  #isWhole(segment: number): boolean {
    return this.#whole[segment] === 1;
  }

  #makeRoom(end: number): void {
    if (end <= this.#whole.length) return;
    const longer = new Uint8Array(Math.min(MAX_SEGMENTS, 2 * end));
    longer.set(this.#whole);
    this.#whole = longer;
  }

  #forgetParts(first: number, end: number): void {
    if (end - first < this.#parts.size) {
      for (let segment = first; segment < end; segment++) this.#parts.delete(segment);
      return;
    }
    for (const segment of this.#parts.keys())
      if (segment >= first && segment < end) this.#parts.delete(segment);
  }
}

/** Runs as [first, end], each after the one before, none beyond the longest film. */
function* inOrder(runs: Runs): Iterable<[number, number]> {
  let endBefore = 0;
  for (const [first, runCount] of runs) {
    if (first < endBefore) throw new MatineeError('FRAME_MALFORMED', 'runs of segments out of order');
    endBefore = first + runCount;
    yield [Math.min(first, MAX_SEGMENTS), Math.min(endBefore, MAX_SEGMENTS)];
  }
}

function union(a: Uint8Array, b: Uint8Array): Uint8Array {
  const all = new Uint8Array(Math.max(a.byteLength, b.byteLength));
  all.set(a);
  for (let i = 0; i < b.byteLength; i++) all[i] = (all[i] ?? 0) | (b[i] ?? 0);
  return all;
}

/** Whether this piece's bit is set. */
export function hasBit(bits: Uint8Array, index: number): boolean {
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
