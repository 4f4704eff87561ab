import { viewOf } from '../bytes.ts';
import { type Box, boxAlong, boxesIn, boxesOf, u32 } from './boxes.ts';
import { type FileView, TextMalformed, unlessMalformed } from './file-view.ts';
import { MAX_SAMPLES, type Sample } from './sample-table.ts';

/** Fragments that are looked through: of two seconds each they are more than five hours. */
const MAX_FRAGMENTS = 10_000;

/** Bytes of the box that says what is in a fragment: some kB, for all tracks together. */
const MAX_MOOF_BYTES = 1024 * 1024;

/** Flags of tfhd and trun (ISO/IEC 14496-12, section 8.8.7 and 8.8.8): what they have beside what they always have. */
const TFHD = { dataAt: 1, description: 2, duration: 8, size: 0x10, isMoofBased: 0x2_0000 };
const TRUN = {
  dataOffset: 1,
  firstFlags: 4,
  duration: 0x100,
  size: 0x200,
  flags: 0x400,
  compositionOffset: 0x800,
};

/** What holds for each sample that says nothing else. */
interface Defaults {
  durationTicks: number;
  sizeBytes: number;
}

/** What of a track was found so far. */
interface Found {
  samples: Sample[];
  endTicks: number;
}

/**
 * The samples of some tracks in the fragments of a file (moof, trun), in the order of the file, by track id; none where the file has no fragments.
 * All fragments are looked at, a small part of each; where the file is cut off, or damaged, what comes before that counts.
 * @throws the signal's reason once it aborts.
 */
export async function readFragments(
  view: FileView,
  moov: Box,
  ids: readonly number[],
  signal: AbortSignal,
): Promise<Map<number, Sample[]>> {
  const found = new Map(ids.map((id): [number, Found] => [id, { samples: [], endTicks: 0 }]));
  const mvex = await boxAlong(view, moov, 'mvex');
  if (mvex && ids.length > 0) {
    const defaults = await defaultsIn(view, mvex);
    await unlessMalformed(undefined, async () => {
      for await (const { at, bytes } of fragments(view)) {
        signal.throwIfAborted();
        takeFragment(bytes, at, defaults, found);
      }
    });
  }
  return new Map([...found].map(([id, { samples }]) => [id, samples]));
}

async function defaultsIn(view: FileView, mvex: Box): Promise<Map<number, Defaults>> {
  const defaults = new Map<number, Defaults>();
  for await (const { type, start, end } of boxesIn(view, mvex.start, mvex.end)) {
    if (type !== 'trex') continue;
    const trex = viewOf(await view.part(start, end, 100));
    defaults.set(u32(trex, 4), { durationTicks: u32(trex, 12), sizeBytes: u32(trex, 16) });
  }
  return defaults;
}

/** The boxes that say what is in a fragment, and where each begins. */
async function* fragments(view: FileView): AsyncGenerator<{ at: number; bytes: Uint8Array }> {
  let at = 0;
  // Each has its data in a box beside it; some have an index and a word about the time as well.
  for await (const { type, start, end } of boxesIn(view, 0, view.sizeBytes, 4 * MAX_FRAGMENTS)) {
    if (type === 'moof') yield { at, bytes: await view.part(start, end, MAX_MOOF_BYTES) };
    at = end;
  }
}

function takeFragment(
  moof: Uint8Array,
  moofAt: number,
  defaults: ReadonlyMap<number, Defaults>,
  found: ReadonlyMap<number, Found>,
): void {
  // Where nothing is said the data of a track comes after that of the one before.
  let dataAt = moofAt;
  for (const { type, data } of boxesOf(moof)) {
    if (type !== 'traf') continue;
    const parts = [...boxesOf(data)].map((part) => ({ type: part.type, view: viewOf(part.data) }));
    const tfhd = parts.find((part) => part.type === 'tfhd')?.view;
    if (!tfhd) throw new TextMalformed('a fragment of no track');
    const id = u32(tfhd, 4);
    const head = readHead(tfhd, defaults.get(id) ?? { durationTicks: 0, sizeBytes: 0 });
    const base = head.dataAt ?? (head.isMoofBased ? moofAt : dataAt);
    const track = found.get(id) ?? null;
    const tfdt = parts.find((part) => part.type === 'tfdt')?.view;
    if (track && tfdt) track.endTicks = startTicks(tfdt);
    dataAt = base;
    for (const { type: kind, view } of parts)
      if (kind === 'trun') dataAt = takeRun(view, base, dataAt, head, track);
  }
}

function readHead(
  tfhd: DataView,
  before: Defaults,
): Defaults & { dataAt: number | null; isMoofBased: boolean } {
  const flags = u32(tfhd, 0);
  let at = 8;
  const next = (flag: number, byteCount: 4 | 8): number | null => {
    if (!(flags & flag)) return null;
    at += byteCount;
    return byteCount === 4 ? u32(tfhd, at - 4) : u64(tfhd, at - 8);
  };
  const dataAt = next(TFHD.dataAt, 8);
  next(TFHD.description, 4);
  const durationTicks = next(TFHD.duration, 4) ?? before.durationTicks;
  const sizeBytes = next(TFHD.size, 4) ?? before.sizeBytes;
  return { dataAt, durationTicks, sizeBytes, isMoofBased: (flags & TFHD.isMoofBased) !== 0 };
}

/** @returns where the data of the run ends. */
function takeRun(
  trun: DataView,
  base: number,
  dataAt: number,
  defaults: Defaults,
  track: Found | null,
): number {
  const flags = u32(trun, 0);
  const count = u32(trun, 4);
  let from = 8;
  let at = dataAt;
  if (flags & TRUN.dataOffset) {
    // Signed.
    at = base + (u32(trun, from) | 0);
    from += 4;
  }
  if (flags & TRUN.firstFlags) from += 4;
  const fields = [TRUN.duration, TRUN.size, TRUN.flags, TRUN.compositionOffset].filter(
    (flag) => flags & flag,
  );
  // What has nothing of its own needs no bytes for any number of them.
  if (!track && !(flags & TRUN.size)) return at + count * defaults.sizeBytes;
  for (let i = 0; i < count; i++) {
    const own = (flag: number): number | null =>
      flags & flag ? u32(trun, from + 4 * fields.indexOf(flag)) : null;
    const sizeBytes = own(TRUN.size) ?? defaults.sizeBytes;
    if (track) {
      const durationTicks = own(TRUN.duration) ?? defaults.durationTicks;
      if (track.samples.length === MAX_SAMPLES) throw new TextMalformed('too many samples');
      track.samples.push({ at, sizeBytes, startTicks: track.endTicks, durationTicks });
      track.endTicks += durationTicks;
    }
    at += sizeBytes;
    from += 4 * fields.length;
  }
  return at;
}

function startTicks(tfdt: DataView): number {
  const isLong = u32(tfdt, 0) >>> 24 === 1;
  return isLong ? u64(tfdt, 4) : u32(tfdt, 4);
}

function u64(view: DataView, at: number): number {
  return u32(view, at) * 2 ** 32 + u32(view, at + 4);
}
