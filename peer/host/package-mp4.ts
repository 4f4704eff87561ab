import { Mp4OutputFormat, NullTarget, Output } from 'mediabunny';
import type { Cut } from './package-cut.ts';
import { soundFirst, type TrackSetups, type WrittenSegment } from './package-tracks.ts';

/** The box's type, in ASCII. */
const MDAT = 0x6d646174;

/**
 * Writes a cut as fragmented MP4 (ISO/IEC 14496-12): its init segment (ftyp, moov) and one fragment (moof, mdat). A
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
  const mediaParts: Uint8Array[] = [];
  const isReframed = isReframedInMp4(setups);
  const format = new Mp4OutputFormat({
    fastStart: 'fragmented',
    minimumFragmentDuration: Number.POSITIVE_INFINITY,
    onFtyp: (box) => initParts.push(box),
    onMoov: (box) => initParts.push(withoutDates(box)),
    onMoof: (box) => mediaParts.push(withSequenceNumber(box, number)),
    ...(isReframed && { onMdat: (box: Uint8Array) => mediaParts.push(box) }),
  });
  await soundFirst(new Output({ format, target: new NullTarget() }), setups, cut);
  if (!isReframed) mediaParts.push(...mdatParts(setups, cut));
  return { init: initParts, media: mediaParts };
}

/** Streams whose decoder is not told by a description have marks between their frames (Annex B, ADTS) where MP4 has lengths. */
function isReframedInMp4({ video, audio }: TrackSetups): boolean {
  const isAnnexB = video && ['avc', 'hevc'].includes(video.codec) && !video.decoderConfig.description;
  const isAdts = audio && audio.codec === 'aac' && !audio.decoderConfig.description;
  return Boolean(isAnnexB || isAdts);
}

/**
 * The box with the packets as they are. mediabunny gives it as well, but copied into larger and larger arrays: more than a
 * quarter of all the time that packaging took.
 */
function mdatParts(setups: TrackSetups, cut: Cut): Uint8Array[] {
  const packets = [...(setups.audio ? cut.audio : []), ...(setups.video ? cut.video : [])];
  const head = new DataView(new ArrayBuffer(8));
  const sizeBytes = packets.reduce((sum, { byteLength }) => sum + byteLength, head.byteLength);
  head.setUint32(0, sizeBytes);
  head.setUint32(4, MDAT);
  return [new Uint8Array(head.buffer), ...packets.map(({ data }) => data)];
}

/** Box header (8), full box header (4), then mfhd inside moof the same: the number stands at byte 20. */
function withSequenceNumber(moof: Uint8Array, number: number): Uint8Array {
  view(moof).setUint32(20, number);
  return moof;
}

const DATED_BOXES = ['mvhd', 'tkhd', 'mdhd'];
const CONTAINER_BOXES = ['moov', 'trak', 'mdia'];

/** The same boxes with creation and modification times of 0, which means "not given". */
function withoutDates(boxes: Uint8Array): Uint8Array {
  for (let at = 0; at + 8 <= boxes.byteLength; ) {
    const sizeBytes = view(boxes).getUint32(at);
    const type = String.fromCharCode(...boxes.subarray(at + 4, at + 8));
    const body = boxes.subarray(at + 8, at + sizeBytes);
    if (CONTAINER_BOXES.includes(type)) withoutDates(body);
    if (DATED_BOXES.includes(type)) body.fill(0, 4, body[0] === 1 ? 20 : 12);
    at += sizeBytes;
  }
  return boxes;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
