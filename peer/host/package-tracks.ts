import {
  type AudioCodec,
  EncodedAudioPacketSource,
  type EncodedPacket,
  EncodedVideoPacketSource,
  type Output,
  type Rotation,
  type VideoCodec,
} from 'mediabunny';
import type { Cut } from './package-cut.ts';

/** How a track is written: the same for every segment, so that each one fits the one init segment. */
export interface VideoTrackSetup {
  codec: VideoCodec;
  decoderConfig: VideoDecoderConfig;
  /** The track's first packet: streams from MPEG-TS keep their decoder's parameters in it. */
  primingPacket: EncodedPacket;
  rotation: Rotation;
  isFlipped: boolean;
  /** Ticks per second of the source, so that its times are written exactly; null in WebM, which has milliseconds. */
  ticksPerS: number | null;
}

export interface AudioTrackSetup {
  codec: AudioCodec;
  decoderConfig: AudioDecoderConfig;
  primingPacket: EncodedPacket;
}

export interface TrackSetups {
  video: VideoTrackSetup | null;
  audio: AudioTrackSetup | null;
}

/** One segment as a container writes it: what goes before all media, and the segment's own media, in parts. */
export interface WrittenSegment {
  init: readonly Uint8Array[];
  media: readonly Uint8Array[];
}

/** mediabunny takes no timescale finer than this. */
const TICKS_MAX_PER_S = 1_000_000;

/** Adds both tracks and their packets to an output, and finishes it. */
export type WritePackets = (output: Output, setups: TrackSetups, cut: Cut) => Promise<void>;

/** Sound goes first: it is small, and with it there the pictures can be shown while they are still arriving. */
export const soundFirst: WritePackets = (output, setups, cut) =>
  writeInOrder(output, setups, cut, (audio, video) => [...audio, ...video]);

/** In the order in which they are shown, as a file whose packets lie one after the other wants it. */
export const interleaved: WritePackets = (output, setups, cut) =>
  writeInOrder(output, setups, cut, (audio, video) => {
    const merged: Placed[] = [];
    let next = 0;
    for (const picture of video) {
      while (audio[next] && (audio[next]?.packet.timestamp ?? 0) <= picture.packet.timestamp) {
        merged.push(...audio.slice(next, next + 1));
        next += 1;
      }
      merged.push(picture);
    }
    return [...merged, ...audio.slice(next)];
  });

interface Placed {
  packet: EncodedPacket;
  add(packet: EncodedPacket): Promise<void>;
}

async function writeInOrder(
  output: Output,
  { video, audio }: TrackSetups,
  cut: Cut,
  inOrder: (audio: Placed[], video: Placed[]) => Placed[],
): Promise<void> {
  const audioSource = audio && addAudioTrack(output, audio);
  const videoSource = video && addVideoTrack(output, video);
  await output.start();
  const sound = audioSource
    ? cut.audio.map((packet) => ({ packet, add: (it: EncodedPacket) => audioSource.add(it) }))
    : [];
  const pictures = videoSource
    ? cut.video.map((packet) => ({ packet, add: (it: EncodedPacket) => videoSource.add(it) }))
    : [];
  for (const { packet, add } of inOrder(sound, pictures)) await add(packet);
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
    // In MP4 mediabunny makes the track's timescale out of this, and nothing else when packets are copied. In WebM it would
    // become the duration of every picture, and browsers would see a hole behind each last one.
    ...(setup.ticksPerS !== null && { frameRate: Math.min(setup.ticksPerS, TICKS_MAX_PER_S) }),
  });
  return source;
}
