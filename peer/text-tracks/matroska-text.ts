import type { Cue } from '../extras/extra.ts';
import { childOf, elements, MAX_HEADER_BYTES, readHeader, readVint, unsignedOf } from './ebml.ts';
import { type FileView, TextMalformed, unlessMalformed } from './file-view.ts';
import { type MatroskaTrack, matroskaTracks } from './matroska-tracks.ts';
import { shownCues } from './raw-cues.ts';
import {
  MAX_CUE_BYTES,
  MAX_TEXT_BYTES,
  MAX_TEXT_TRACKS,
  MAX_TRACK_CUES,
  type RawCue,
  type TextTracks,
} from './text-tracks.ts';
import { unpacked } from './unpack.ts';

/** Elements of a Matroska file (RFC 9559, section 5.1). */
const EBML = 0x1a45dfa3;
const SEGMENT = 0x18538067;
const SEEK_HEAD = 0x114d9b74;
const SEEK = 0x4dbb;
const SEEK_ID = 0x53ab;
const SEEK_POSITION = 0x53ac;
const INFO = 0x1549a966;
const TIMESTAMP_SCALE = 0x2ad7b1;
const TRACKS = 0x1654ae6b;
const CUES = 0x1c53bb6b;
const CUE_POINT = 0xbb;
const CUE_TIME = 0xb3;
const CUE_TRACK_POSITIONS = 0xb7;
const CUE_TRACK = 0xf7;
const CUE_CLUSTER_POSITION = 0xf1;
const CUE_RELATIVE_POSITION = 0xf0;
const CUE_DURATION = 0xb2;
const CLUSTER = 0x1f43b675;
const TIMESTAMP = 0xe7;
const SIMPLE_BLOCK = 0xa3;
const BLOCK_GROUP = 0xa0;
const BLOCK = 0xa1;
const BLOCK_DURATION = 0x9b;

/** What stands at the top of a file before its first cluster: a dozen elements, and fonts. */
const MAX_TOP_ELEMENTS = 1_000;

/** Bytes of an index or a list of tracks: ten times what a long film with many tracks has. */
const MAX_INDEX_BYTES = 16 * 1024 * 1024;

/** A file whose index does not name its texts is read through for them, if it is no larger than this. */
const MAX_WALKED_BYTES = 256 * 1024 * 1024;

/** Nanoseconds of a unit of time, where the file does not say. */
const TIMESTAMP_SCALE_NS = 1_000_000;

/** What an element of the file is, and where its data lies; `end` is exclusive. */
interface Place {
  id: number;
  start: number;
  end: number;
}

interface Top {
  segment: Place;
  /** By id; Tracks, Info and Cues, where they are. */
  parts: Map<number, Place>;
  /** Where the film begins; null where there is none. */
  firstCluster: number | null;
}

/** Where the index says that a text is. */
interface CuePlace {
  track: number;
  /** Both from the index; the duration may be missing. */
  time: number;
  duration: number | null;
  clusterAt: number;
  /** From the start of the cluster's data. */
  relativeAt: number;
}

/** A block with a text, timed in units of the file. */
interface TextBlock {
  track: number;
  time: number;
  duration: number | null;
  payload: Uint8Array;
}

/**
 * The text tracks of a Matroska or WebM file; null where it is none. Their texts lie all over the file: the index says where (mkvmerge and
 * ffmpeg write it so), and only those places are read. Where it does not, small files are read through, and of large ones there are no texts.
 */
export async function openMatroskaText(view: FileView): Promise<TextTracks | null> {
  if (!(await isEbml(view))) return null;
  const top = await readTop(view);
  const [tracksPlace, infoPlace] = [top.parts.get(TRACKS), top.parts.get(INFO)];
  if (!tracksPlace) return null;
  const { texts, pictures, unread } = matroskaTracks(await dataOf(view, tracksPlace));
  const tracks = texts.slice(0, MAX_TEXT_TRACKS);
  const scale = infoPlace && childOf(await dataOf(view, infoPlace), TIMESTAMP_SCALE);
  const unitMs = (scale ? unsignedOf(scale) : TIMESTAMP_SCALE_NS) / 1e6;
  return {
    names: tracks.map(({ name }) => name),
    pictures: pictures.slice(0, MAX_TEXT_TRACKS),
    unread: unread.slice(0, MAX_TEXT_TRACKS),
    read: (signal) => readTexts(view, top, tracks, unitMs, signal),
  };
}

async function isEbml(view: FileView): Promise<boolean> {
  const first = await view.bytes(0, Math.min(4, view.sizeBytes));
  return unsignedOf(first) === EBML;
}

async function readTexts(
  view: FileView,
  top: Top,
  tracks: readonly MatroskaTrack[],
  unitMs: number,
  signal: AbortSignal,
): Promise<Cue[][]> {
  const raw = new Map<number, RawCue[]>(tracks.map(({ number }) => [number, []]));
  let leftBytes = MAX_TEXT_BYTES;
  for await (const block of textBlocks(view, top, new Set(raw.keys()), signal)) {
    const track = tracks.find(({ number }) => number === block.track);
    const cues = raw.get(block.track);
    const payload = track && (await unpacked(track.packing, block.payload, MAX_CUE_BYTES));
    if (!cues || !payload || cues.length >= MAX_TRACK_CUES) continue;
    leftBytes -= payload.byteLength;
    if (leftBytes < 0) break;
    const startMs = Math.round(block.time * unitMs);
    const endMs = block.duration === null ? null : Math.round((block.time + block.duration) * unitMs);
    cues.push({ startMs, endMs, text: track.textOf(payload) });
  }
  return tracks.map(({ number }) => shownCues(raw.get(number) ?? []));
}

async function* textBlocks(
  view: FileView,
  top: Top,
  tracks: ReadonlySet<number>,
  signal: AbortSignal,
): AsyncGenerator<TextBlock, void, undefined> {
  const index = top.parts.get(CUES);
  const places = index ? cuePlaces(await dataOf(view, index), top.segment, tracks) : [];
  if (places.length > 0) yield* indexedBlocks(view, places, signal);
  else if (top.firstCluster !== null && view.sizeBytes <= MAX_WALKED_BYTES)
    yield* walkedBlocks(view, top.firstCluster, top.segment.end, tracks, signal);
}

/** In the order of the file, so that neighbours are read together. */
function cuePlaces(cues: Uint8Array, segment: Place, tracks: ReadonlySet<number>): CuePlace[] {
  const places: CuePlace[] = [];
  for (const point of elements(cues)) {
    if (point.id !== CUE_POINT) continue;
    const time = childOf(point.data, CUE_TIME);
    for (const { id, data } of elements(point.data)) {
      if (id !== CUE_TRACK_POSITIONS || !time) continue;
      const number = (wanted: number): number | null => {
        const found = childOf(data, wanted);
        return found && unsignedOf(found);
      };
      const [track, cluster, relative] = [
        number(CUE_TRACK),
        number(CUE_CLUSTER_POSITION),
        number(CUE_RELATIVE_POSITION),
      ];
      if (track === null || !tracks.has(track) || cluster === null || relative === null) continue;
      places.push({
        track,
        time: unsignedOf(time),
        duration: number(CUE_DURATION),
        clusterAt: segment.start + cluster,
        relativeAt: relative,
      });
    }
    if (places.length > MAX_TEXT_TRACKS * MAX_TRACK_CUES) break;
  }
  return places.sort((a, b) => a.clusterAt - b.clusterAt || a.relativeAt - b.relativeAt);
}

async function* indexedBlocks(
  view: FileView,
  places: readonly CuePlace[],
  signal: AbortSignal,
): AsyncGenerator<TextBlock, void, undefined> {
  let cluster: Place | null = null;
  let clusterAt = -1;
  for (const place of places) {
    signal.throwIfAborted();
    const found: TextBlock[] = [];
    try {
      if (!cluster || clusterAt !== place.clusterAt)
        cluster = await placeAt(view, place.clusterAt, view.sizeBytes);
      clusterAt = place.clusterAt;
      if (cluster.id !== CLUSTER) continue;
      const block = await placeAt(view, cluster.start + place.relativeAt, cluster.end);
      found.push(...(await blockAt(view, block, new Set([place.track]), (relative) => relative)));
    } catch (error) {
      // What the file does not have any more, or never had: a download that was cut off.
      if (!(error instanceof TextMalformed)) throw error;
    }
    for (const block of found)
      yield { ...block, time: place.time, duration: block.duration ?? place.duration };
  }
}

async function* walkedBlocks(
  view: FileView,
  from: number,
  until: number,
  tracks: ReadonlySet<number>,
  signal: AbortSignal,
): AsyncGenerator<TextBlock, void, undefined> {
  let clusterTime = 0;
  for (let at = from; at < until; ) {
    signal.throwIfAborted();
    let place: Place;
    const found: TextBlock[] = [];
    try {
      place = await placeAt(view, at, until);
      if (place.id === TIMESTAMP) clusterTime = unsignedOf(await view.part(place.start, place.end, 8));
      found.push(...(await blockAt(view, place, tracks, (relative) => clusterTime + relative)));
    } catch (error) {
      if (error instanceof TextMalformed) return;
      throw error;
    }
    yield* found;
    // Into clusters, past all else.
    at = place.id === CLUSTER ? place.start : place.end;
  }
}

/** What is in a block, or a group around it, if it is of one of these tracks: none or one. */
async function blockAt(
  view: FileView,
  place: Place,
  tracks: ReadonlySet<number>,
  timeOf: (relative: number) => number,
): Promise<TextBlock[]> {
  if (place.id === SIMPLE_BLOCK) {
    if (!(await isOfTrack(view, place, tracks))) return [];
    return textBlock(await view.part(place.start, place.end, MAX_CUE_BYTES), tracks, timeOf, null);
  }
  if (place.id !== BLOCK_GROUP) return [];
  const block = await placeAt(view, place.start, place.end);
  if (block.id === BLOCK && !(await isOfTrack(view, block, tracks))) return [];
  if (place.end - place.start > MAX_CUE_BYTES) return [];
  const group = await view.bytes(place.start, place.end);
  const duration = childOf(group, BLOCK_DURATION);
  const data = childOf(group, BLOCK);
  return data ? textBlock(data, tracks, timeOf, duration && unsignedOf(duration)) : [];
}

/** Looked at alone, so that pictures need not be read. */
async function isOfTrack(
  view: FileView,
  { start, end }: Place,
  tracks: ReadonlySet<number>,
): Promise<boolean> {
  const head = await view.bytes(start, Math.min(end, start + 8));
  return tracks.has(readVint(head).value);
}

/** A block: the track's number, the time from its cluster's in two bytes, flags, and the text where several are not laced together. */
function textBlock(
  data: Uint8Array,
  tracks: ReadonlySet<number>,
  timeOf: (relative: number) => number,
  duration: number | null,
): TextBlock[] {
  const { value: track, byteCount } = readVint(data);
  if (!tracks.has(track) || data.byteLength < byteCount + 3) return [];
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const isLaced = (view.getUint8(byteCount + 2) & 0x06) !== 0;
  if (isLaced) return [];
  return [{ track, time: timeOf(view.getInt16(byteCount)), duration, payload: data.subarray(byteCount + 3) }];
}

/** What stands before the film, and what the seek head names of what stands after it. */
async function readTop(view: FileView): Promise<Top> {
  const header = await placeAt(view, 0, view.sizeBytes);
  const segment = await placeAt(view, header.end, view.sizeBytes);
  if (segment.id !== SEGMENT) throw new TextMalformed('no segment');
  const parts = new Map<number, Place>();
  let firstCluster: number | null = null;
  let at = segment.start;
  for (let count = 0; count < MAX_TOP_ELEMENTS && at < segment.end && firstCluster === null; count++) {
    const place = await placeAt(view, at, segment.end);
    if (place.id === CLUSTER) firstCluster = at;
    else if (!parts.has(place.id)) parts.set(place.id, place);
    at = place.end;
  }
  const seekHead = parts.get(SEEK_HEAD);
  for (const [id, position] of seekHead ? seeks(await dataOf(view, seekHead)) : []) {
    if (parts.has(id) || ![INFO, TRACKS, CUES].includes(id)) continue;
    // It may name what was cut off.
    const place = await unlessMalformed(null, () => placeAt(view, segment.start + position, segment.end));
    if (place?.id === id) parts.set(id, place);
  }
  return { segment, parts, firstCluster };
}

/** Ids and where they are, from the start of the segment's data. */
function seeks(seekHead: Uint8Array): [id: number, position: number][] {
  const found: [number, number][] = [];
  for (const { id, data } of elements(seekHead)) {
    const [idBytes, position] = id === SEEK ? [childOf(data, SEEK_ID), childOf(data, SEEK_POSITION)] : [];
    if (idBytes && position) found.push([unsignedOf(idBytes), unsignedOf(position)]);
  }
  return found;
}

async function dataOf(view: FileView, { start, end }: Place): Promise<Uint8Array> {
  return await view.part(start, end, MAX_INDEX_BYTES);
}

/** An element whose size is not known goes on to its parent's end. One that is cut off ends there too. */
async function placeAt(view: FileView, at: number, parentEnd: number): Promise<Place> {
  const head = await view.bytes(at, Math.min(at + MAX_HEADER_BYTES, parentEnd, view.sizeBytes));
  const { id, headerBytes, dataBytes } = readHeader(head);
  const start = at + headerBytes;
  return { id, start, end: dataBytes === null ? parentEnd : Math.min(start + dataBytes, parentEnd) };
}
