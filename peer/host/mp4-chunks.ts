import { concat, totalBytes, viewOf } from '../bytes.ts';

/** Boxes of a fragment (ISO/IEC 14496-12, 8.8): a name in ASCII each. */
const [MOOF, MFHD, TRAF, TFHD, TFDT, TRUN, MDAT] = ['moof', 'mfhd', 'traf', 'tfhd', 'tfdt', 'trun', 'mdat'];

const HEADER_BYTES = 8;

/** The data of a full box begins with its version and flags. */
const FLAGS_BYTES = 4;

/** What a trun has, by its flags: the flags of its first sample, and of each sample four fields of four bytes. */
const FIRST_FLAGS = 0x4;
const DURATIONS = 0x100;
const SIZES = 0x200;
const ENTRY_FIELDS = [DURATIONS, SIZES, 0x400, 0x800];

/** Where a tfhd has what holds for all samples: behind the track's number. */
const DEFAULT_DURATION_AT = FLAGS_BYTES + 4;
const DEFAULT_SIZE_AT = FLAGS_BYTES + 8;

/** More than a segment has chunks. */
const CHUNKS_PER_SEGMENT = 65_536;

/** One track's part of a fragment. */
export interface Run {
  /** The data of its tfhd: it holds for any part of the run. */
  tfhd: Uint8Array;
  /** When each sample is decoded, in the track's ticks. */
  startTicks: readonly number[];
  flags: number;
  firstFlags: Uint8Array;
  /** What the trun has of all samples, as many bytes of each. */
  entries: Uint8Array;
  entryBytes: number;
  /** Bytes of each sample. */
  sizes: readonly number[];
}

/** What a chunk holds of one track: the samples from one up to, not including, another. */
interface Part {
  run: Run;
  from: number;
  to: number;
  data: readonly Uint8Array[];
}

/** The runs of a fragment, in its order. Reads what mediabunny writes: data follows the moof, and tfhd has all defaults. */
export function runsOf(moof: Uint8Array): Run[] {
  const trafs = [...boxesIn(moof.subarray(HEADER_BYTES))].filter(({ type }) => type === TRAF);
  return trafs.map(({ data }) => runOf(data));
}

/**
 * A fragment as several that follow one another (the chunks of CMAF, ISO/IEC 23000-19, 7.3.2.3): each can be played before the next is there.
 * @param runs what the fragment has of each track.
 * @param data the samples of each track, in the same order.
 * @param ends of each chunk, how many samples of each track come before its end.
 * @param number the segment's: chunks of a later one have higher numbers.
 */
export function chunksOf(
  runs: readonly Run[],
  data: readonly (readonly Uint8Array[])[],
  ends: readonly (readonly number[])[],
  number: number,
): Uint8Array[] {
  return ends.flatMap((end, chunk) => {
    const parts = runs.map((run, track) => {
      const [from, to] = [ends[chunk - 1]?.[track] ?? 0, end[track] ?? 0];
      return { run, from, to, data: data[track]?.slice(from, to) ?? [] };
    });
    return chunkOf(
      parts.filter(({ from, to }) => from < to),
      number * CHUNKS_PER_SEGMENT + chunk,
    );
  });
}

function chunkOf(parts: readonly Part[], number: number): Uint8Array[] {
  const trafs = parts.map(trafOf);
  const moof = box(MOOF, fullBox(MFHD, 0, 0, uint32(number)), ...trafs.map(({ bytes }) => bytes));
  // Where the data lies can be told once it is known how long this box is.
  let dataAt = moof.byteLength + HEADER_BYTES;
  let end = moof.byteLength - totalBytes(trafs.map(({ bytes }) => bytes));
  const data: Uint8Array[] = [];
  for (const [i, part] of parts.entries()) {
    end += trafs[i]?.bytes.byteLength ?? 0;
    viewOf(moof).setUint32(end - (trafs[i]?.dataAtFromEnd ?? 0), dataAt);
    dataAt += totalBytes(part.data);
    data.push(...part.data);
  }
  return [moof, boxHeader(MDAT, dataAt - moof.byteLength - HEADER_BYTES), ...data];
}

/** The box of a part, and how far before its end it says where its data lies. */
function trafOf({ run, from, to }: Part): { bytes: Uint8Array; dataAtFromEnd: number } {
  const start = new Uint8Array(8);
  viewOf(start).setBigUint64(0, BigInt(run.startTicks[from] ?? 0));
  // The first sample of the fragment is the one that differs.
  const [flags, firstFlags] =
    from === 0 ? [run.flags, run.firstFlags] : [run.flags & ~FIRST_FLAGS, new Uint8Array()];
  const rest = [firstFlags, run.entries.subarray(from * run.entryBytes, to * run.entryBytes)];
  const trun = fullBox(TRUN, 1, flags, uint32(to - from), uint32(0), ...rest);
  const bytes = box(TRAF, box(TFHD, run.tfhd), fullBox(TFDT, 1, 0, start), trun);
  return { bytes, dataAtFromEnd: 4 + totalBytes(rest) };
}

function runOf(traf: Uint8Array): Run {
  const boxes = new Map([...boxesIn(traf)].map(({ type, data }) => [type, data]));
  const [tfhd, tfdt, trun] = [boxes.get(TFHD), boxes.get(TFDT), boxes.get(TRUN)];
  if (!tfhd || !tfdt || !trun) throw new Error('A track of a fragment lacks a box.');
  const flags = viewOf(trun).getUint32(0) & 0xffffff;
  const count = viewOf(trun).getUint32(FLAGS_BYTES);
  // Behind the count is where the data lies.
  const firstFlagsAt = FLAGS_BYTES + 8;
  const entriesAt = firstFlagsAt + (flags & FIRST_FLAGS ? 4 : 0);
  const entryBytes = 4 * ENTRY_FIELDS.filter((field) => flags & field).length;
  const entries = trun.subarray(entriesAt, entriesAt + count * entryBytes);
  const field = (flag: number, at: number, otherwiseAt: number): number[] => {
    if (!(flags & flag)) return new Array<number>(count).fill(viewOf(tfhd).getUint32(otherwiseAt));
    const all = viewOf(entries);
    return Array.from({ length: count }, (_, i) => all.getUint32(i * entryBytes + at));
  };
  let ticks = Number(viewOf(tfdt).getBigUint64(FLAGS_BYTES));
  const startTicks = field(DURATIONS, 0, DEFAULT_DURATION_AT).map((duration) => {
    ticks += duration;
    return ticks - duration;
  });
  return {
    tfhd,
    startTicks,
    flags,
    firstFlags: trun.subarray(firstFlagsAt, entriesAt),
    entries,
    entryBytes,
    sizes: field(SIZES, flags & DURATIONS ? 4 : 0, DEFAULT_SIZE_AT),
  };
}

/** What lies in a box. For what mediabunny has just written: nothing is checked. */
function* boxesIn(bytes: Uint8Array): Generator<{ type: string; data: Uint8Array }, void, undefined> {
  for (let at = 0; at + HEADER_BYTES <= bytes.byteLength; ) {
    const end = at + viewOf(bytes).getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + HEADER_BYTES));
    yield { type, data: bytes.subarray(at + HEADER_BYTES, end) };
    at = end;
  }
}

function fullBox(type: string, version: number, flags: number, ...content: Uint8Array[]): Uint8Array {
  return box(type, uint32(version * 0x1000000 + flags), ...content);
}

function box(type: string, ...content: Uint8Array[]): Uint8Array {
  return concat(boxHeader(type, totalBytes(content)), ...content);
}

function boxHeader(type: string, contentBytes: number): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES);
  viewOf(header).setUint32(0, HEADER_BYTES + contentBytes);
  for (let i = 0; i < 4; i++) header[4 + i] = type.charCodeAt(i);
  return header;
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setUint32(0, value);
  return bytes;
}
