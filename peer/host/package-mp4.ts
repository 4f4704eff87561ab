import { Mp4OutputFormat, NullTarget, Output } from 'mediabunny';
import { viewOf } from '../bytes.ts';
import { chunksOf, type Run, runsOf } from './mp4-chunks.ts';
import type { Cut } from './package-cut.ts';
import { soundFirst, type TrackSetups, type WrittenSegment } from './package-tracks.ts';

/**
 * Chromium shows nothing of a fragment that has both pictures and sound before all of it is there: a start would wait for the whole
 * first segment, ten seconds and more of some films. So a segment is several fragments, each about so long.
 */
const CHUNK_S = 0.5;

/** An mdat box has its size and its name before the samples. */
const MDAT_HEADER_BYTES = 8;

/**
 * Writes a cut as fragmented MP4 (ISO/IEC 14496-12): its init segment (ftyp, moov) and fragments (moof, mdat). A
 * fresh file per segment, because a writer kept for the whole video keeps a record of every sample of it for an index at
 * the end (mfra) that nobody here reads. The same input always gives the same bytes: an upload that is resumed later
 * must not encrypt other bytes under the key and counter it has used.
 */
export async function writeMp4Segment(
  setups: TrackSetups,
  cut: Cut,
  number: number,
): Promise<WrittenSegment> {
  const initParts: Uint8Array[] = [];
  let runs: Run[] = [];
  let mdat: Uint8Array = new Uint8Array();
  const isReframed = isReframedInMp4(setups);
  const format = new Mp4OutputFormat({
    fastStart: 'fragmented',
    minimumFragmentDuration: Number.POSITIVE_INFINITY,
    onFtyp: (box) => initParts.push(box),
    onMoov: (box) => initParts.push(withoutDates(box)),
    onMoof: (box) => (runs = runsOf(box)),
    // mediabunny always gives it, but copied into larger and larger arrays: more than a quarter of all the time that packaging took.
    ...(isReframed && { onMdat: (box: Uint8Array) => (mdat = box) }),
  });
  await soundFirst(new Output({ format, target: new NullTarget() }), setups, cut);
  const { sound, pictures } = tracksOf(setups, cut);
  const data = isReframed
    ? samplesIn(mdat, runs)
    : [sound, pictures].filter(isThere).map((packets) => packets.map((packet) => packet.data));
  return { init: initParts, media: chunksOf(runs, data, chunkEnds(setups, cut), number) };
}

/** What is written of each track, in the order of the tracks. A fragment has none that has nothing in it. */
function tracksOf({ audio, video }: TrackSetups, cut: Cut) {
  return { sound: audio ? cut.audio : [], pictures: video ? cut.video : [] };
}

function isThere({ length }: { length: number }): boolean {
  return length > 0;
}

/** Of each chunk, how many packets of each track come before its end: of sound what begins before the next chunk's first picture. */
function chunkEnds(setups: TrackSetups, cut: Cut): number[][] {
  const { sound, pictures } = tracksOf(setups, cut);
  const ends: [number, number][] = [];
  let chunkS = cut.startS;
  let soundEnd = 0;
  for (const [picture, { timestamp }] of pictures.entries()) {
    if (!setups.audio || timestamp < chunkS + CHUNK_S) continue;
    while ((sound[soundEnd]?.timestamp ?? Number.POSITIVE_INFINITY) < timestamp) soundEnd += 1;
    ends.push([soundEnd, picture]);
    chunkS = timestamp;
  }
  return [...ends, [sound.length, pictures.length]].map((end) =>
    end.filter((_, track) => isThere(track === 0 ? sound : pictures)),
  );
}

/** The samples of each run, which lie there one after the other. */
function samplesIn(mdat: Uint8Array, runs: readonly Run[]): Uint8Array[][] {
  let at = MDAT_HEADER_BYTES;
  return runs.map(({ sizes }) =>
    sizes.map((size) => {
      at += size;
      return mdat.subarray(at - size, at);
    }),
  );
}

/** Streams whose decoder is not told by a description have marks between their frames (Annex B, ADTS) where MP4 has lengths. */
function isReframedInMp4({ video, audio }: TrackSetups): boolean {
  const isAnnexB = video && ['avc', 'hevc'].includes(video.codec) && !video.decoderConfig.description;
  const isAdts = audio && audio.codec === 'aac' && !audio.decoderConfig.description;
  return Boolean(isAnnexB || isAdts);
}

const DATED_BOXES = ['mvhd', 'tkhd', 'mdhd'];
const CONTAINER_BOXES = ['moov', 'trak', 'mdia'];

/** The same boxes with creation and modification times of 0, which means "not given". */
function withoutDates(boxes: Uint8Array): Uint8Array {
  for (let at = 0; at + 8 <= boxes.byteLength; ) {
    const sizeBytes = viewOf(boxes).getUint32(at);
    const type = String.fromCharCode(...boxes.subarray(at + 4, at + 8));
    const body = boxes.subarray(at + 8, at + sizeBytes);
    if (CONTAINER_BOXES.includes(type)) withoutDates(body);
    if (DATED_BOXES.includes(type)) body.fill(0, 4, body[0] === 1 ? 20 : 12);
    at += sizeBytes;
  }
  return boxes;
}
