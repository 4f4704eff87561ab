import {
  type AudioCodec,
  EncodedAudioPacketSource,
  type EncodedPacket,
  EncodedVideoPacketSource,
  Mp4OutputFormat,
  NullTarget,
  Output,
  type Rotation,
  type VideoCodec,
} from 'mediabunny';
import { type Bytes, concat } from '../bytes.ts';
import type { Cut } from './package-cut.ts';

/** How a track is written: the same for every segment, so that each one fits the one init segment. */
export interface VideoTrackSetup {
  codec: VideoCodec;
  decoderConfig: VideoDecoderConfig;
  /** The track's first packet: streams from MPEG-TS keep their decoder's parameters in it. */
  primingPacket: EncodedPacket;
  rotation: Rotation;
  isFlipped: boolean;
  /** Ticks per second of the source, so that its times are written exactly. */
  ticksPerS: number;
}

export interface AudioTrackSetup {
  codec: AudioCodec;
  decoderConfig: AudioDecoderConfig;
  primingPacket: EncodedPacket;
}

export interface TrackSetups {
  video: VideoTrackSetup;
  audio: AudioTrackSetup | null;
}

/** The boxes of one segment's file: what goes before the media, and the media. */
interface WrittenBoxes {
  init: Bytes;
  media: Bytes;
}

/** mediabunny takes no timescale finer than this. */
const TICKS_MAX_PER_S = 1_000_000;

/**
 * Writes a cut as fragmented MP4 (ISO/IEC 14496-12): its init segment (ftyp, moov) and one fragment (moof, mdat). A
 * fresh file per segment, because a writer kept for the whole video keeps a record of every sample of it for an index at
 * the end (mfra) that nobody here reads. The same input always gives the same bytes: an upload that is resumed later
 * must not encrypt other bytes under the key and counter it has used.
 */
export async function writeSegment(setups: TrackSetups, cut: Cut, number: number): Promise<WrittenBoxes> {
  const initParts: Uint8Array[] = [];
  const mediaParts: Uint8Array[] = [];
  const format = new Mp4OutputFormat({
    fastStart: 'fragmented',
    minimumFragmentDuration: Number.POSITIVE_INFINITY,
    onFtyp: (box) => initParts.push(box),
    onMoov: (box) => initParts.push(withoutDates(box)),
    onMoof: (box) => mediaParts.push(withSequenceNumber(box, number)),
    onMdat: (box) => mediaParts.push(box),
  });
  await writePackets(new Output({ format, target: new NullTarget() }), setups, cut);
  return { init: concat(...initParts), media: concat(...mediaParts) };
}

/** Sound goes first: it is small, and with it there the pictures can be shown while they are still arriving. */
async function writePackets(output: Output, { video, audio }: TrackSetups, cut: Cut): Promise<void> {
  const audioSource = audio && addAudioTrack(output, audio);
  const videoSource = addVideoTrack(output, video);
  await output.start();
  for (const packet of cut.audio) await audioSource?.add(packet);
  for (const packet of cut.video) await videoSource.add(packet);
  await output.finalize();
}

function addAudioTrack(output: Output, setup: AudioTrackSetup): EncodedAudioPacketSource {
  const source = new EncodedAudioPacketSource(setup.codec);
  output.addAudioTrack(source, { decoderConfig: setup.decoderConfig, primingPacket: setup.primingPacket });
  return source;
}

function addVideoTrack(output: Output, setup: VideoTrackSetup): EncodedVideoPacketSource {
  const source = new EncodedVideoPacketSource(setup.codec);
  output.addVideoTrack(source, {
    decoderConfig: setup.decoderConfig,
    primingPacket: setup.primingPacket,
    rotation: setup.rotation,
    flip: setup.isFlipped,
    // mediabunny makes the track's timescale out of this, and does nothing else with it when packets are copied.
    frameRate: Math.min(setup.ticksPerS, TICKS_MAX_PER_S),
  });
  return source;
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
