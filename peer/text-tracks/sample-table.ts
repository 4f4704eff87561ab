import { viewOf } from '../bytes.ts';
import { type Box, boxAlong, u32 } from './boxes.ts';
import { type FileView, TextMalformed } from './file-view.ts';
import { MAX_TRACK_CUES } from './text-tracks.ts';

/** Samples of a track: a cue and the gap after it are one each. */
export const MAX_SAMPLES = 2 * MAX_TRACK_CUES;

/** Bytes of one table: sixteen for each sample are more than any of them has. */
const MAX_TABLE_BYTES = 16 * MAX_SAMPLES;

/** A piece of a track's data, timed in ticks of the track. */
export interface Sample {
  at: number;
  sizeBytes: number;
  startTicks: number;
  durationTicks: number;
}

/** A table of a sample table box: what is in it after version and flags. */
type Table = DataView | null;

/**
 * The samples of a track from its sample table (ISO/IEC 14496-12, section 8.6 and 8.7), in the order of the file.
 * @throws TextMalformed where the tables do not fit together, or there are more than a text track has.
 */
export async function readSamples(view: FileView, stbl: Box): Promise<Sample[]> {
  const table = async (type: string): Promise<Table> => {
    const box = await boxAlong(view, stbl, type);
    return box && viewOf(await view.part(box.start, box.end, MAX_TABLE_BYTES));
  };
  const sizes = sizesOf(await table('stsz'));
  const [stco, co64] = [await table('stco'), await table('co64')];
  const chunks = stco ? numbers(stco, 4) : numbers(co64, 8);
  const places = placesOf(sizes, chunks, await table('stsc'));
  return timed(sizes, places, await table('stts'));
}

function sizesOf(stsz: Table): number[] {
  if (!stsz) return [];
  const [same, count] = [u32(stsz, 4), u32(stsz, 8)];
  if (count > MAX_SAMPLES) throw new TextMalformed(`${count} samples`);
  return Array.from({ length: count }, (_, i) => same || u32(stsz, 12 + 4 * i));
}

/** The numbers of a table with nothing else in it. */
function numbers(table: Table, byteCount: 4 | 8): number[] {
  if (!table) return [];
  const count = u32(table, 4);
  if (count > MAX_SAMPLES) throw new TextMalformed(`${count} chunks`);
  return Array.from({ length: count }, (_, i) =>
    byteCount === 4 ? u32(table, 8 + 4 * i) : u32(table, 8 + 8 * i) * 2 ** 32 + u32(table, 12 + 8 * i),
  );
}

/** Chunks lie where a table says; how many samples are in each, a second one does, for runs of alike chunks. */
function placesOf(sizes: readonly number[], chunks: readonly number[], stsc: Table): number[] {
  const places: number[] = [];
  const runCount = stsc ? u32(stsc, 4) : 0;
  let lastFirst = 0;
  for (let run = 0; stsc && run < runCount; run++) {
    const [first, perChunk] = [u32(stsc, 8 + 12 * run), u32(stsc, 12 + 12 * run)];
    // Each run begins after the one before: else few bytes could ask for any number of steps.
    if (first <= lastFirst || perChunk === 0) throw new TextMalformed(`a run of chunks from ${first}`);
    lastFirst = first;
    const after = run + 1 < runCount ? u32(stsc, 8 + 12 * (run + 1)) : chunks.length + 1;
    for (let chunk = first; chunk < after && places.length < sizes.length; chunk++) {
      let at = chunks[chunk - 1];
      if (at === undefined) throw new TextMalformed(`no chunk ${chunk}`);
      for (let i = 0; i < perChunk && places.length < sizes.length; i++) {
        const sizeBytes = sizes[places.length] ?? 0;
        places.push(at);
        at += sizeBytes;
      }
    }
  }
  return places;
}

function timed(sizes: readonly number[], places: readonly number[], stts: Table): Sample[] {
  const samples: Sample[] = [];
  const runCount = stts ? u32(stts, 4) : 0;
  let startTicks = 0;
  for (let run = 0; stts && run < runCount; run++) {
    const [count, durationTicks] = [u32(stts, 8 + 8 * run), u32(stts, 12 + 8 * run)];
    for (let i = 0; i < count && samples.length < places.length; i++) {
      const [at = 0, sizeBytes = 0] = [places[samples.length], sizes[samples.length]];
      samples.push({ at, sizeBytes, startTicks, durationTicks });
      startTicks += durationTicks;
    }
  }
  return samples;
}
