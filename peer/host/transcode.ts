import {
  AudioSampleSink,
  AudioSampleSource,
  type EncodedPacket,
  type InputAudioTrack,
  type InputVideoTrack,
  MkvOutputFormat,
  NullTarget,
  Output,
  Quality,
  VideoSampleSink,
  VideoSampleSource,
} from 'mediabunny';
import type { PacketReader } from './packet-reader.ts';
import type { VideoTarget } from './video-target.ts';

/** Opus: stereo that nobody tells from its source, and what every decoder runs at. */
const AUDIO_BITS_PER_SEC = 128_000;
const AUDIO_HZ = 48_000;
const MAX_CHANNELS = 2;

/** So that segments are two seconds long. */
const KEY_FRAME_EVERY_S = 2;

/** A stream that is decoded and encoded anew as its packets are asked for; its decoder's description is known after the first one. */
export interface TranscodedReader<Config> extends PacketReader {
  readonly config: Config | null;
  /** Lets go of decoder and encoder. */
  close(): Promise<void>;
}

interface Sample {
  close(): void;
}

interface Encoder<Kind extends Sample> {
  output: Output;
  add(sample: Kind): Promise<void>;
}

/**
 * A sound encoded as Opus, mixed down to two channels at most. Needs WebCodecs.
 * @throws MatineeError what reading the file throws; the browser's own errors where its codecs fail.
 */
export function transcodedAudio(
  track: InputAudioTrack,
  channels: number,
): TranscodedReader<AudioDecoderConfig> {
  return new Transcoder({
    samples: (atS) => new AudioSampleSink(track).samples(atS),
    encoder(onPacket) {
      const source = new AudioSampleSource({
        codec: 'opus',
        quality: new Quality({ bitrate: AUDIO_BITS_PER_SEC }),
        transform: { numberOfChannels: Math.min(MAX_CHANNELS, channels), sampleRate: AUDIO_HZ },
        onEncodedPacket: (packet, meta) => onPacket(packet, meta?.decoderConfig),
      });
      const output = blindOutput();
      output.addAudioTrack(source);
      return { output, add: (sample) => source.add(sample) };
    },
  });
}

/** A picture encoded as H.264: upright, in square pixels, of the target's size. Needs WebCodecs. Throws as transcodedAudio. */
export function transcodedVideo(
  track: InputVideoTrack,
  target: VideoTarget,
): TranscodedReader<VideoDecoderConfig> {
  return new Transcoder({
    samples: (atS) => new VideoSampleSink(track).samples(atS),
    encoder(onPacket) {
      const source = new VideoSampleSource({
        codec: 'avc',
        fullCodecString: target.codecString,
        quality: new Quality({ bitrate: target.bitsPerSec }),
        keyFrameInterval: KEY_FRAME_EVERY_S,
        sizeChangeBehavior: 'fill',
        transform: { width: target.widthPx, height: target.heightPx, alpha: 'discard' },
        onEncodedPacket: (packet, meta) => onPacket(packet, meta?.decoderConfig),
      });
      const output = blindOutput();
      output.addVideoTrack(source);
      return { output, add: (sample) => source.add(sample) };
    },
  });
}

/** A file for nobody: the encoders of mediabunny want one to write to. Kept in no memory, as it only appends. */
function blindOutput(): Output {
  return new Output({ format: new MkvOutputFormat({ appendOnly: true }), target: new NullTarget() });
}

interface TranscoderParts<Kind extends Sample, Config> {
  samples(atS: number): AsyncGenerator<Kind, void, unknown>;
  encoder(onPacket: (packet: EncodedPacket, config: Config | undefined) => void): Encoder<Kind>;
}

class Transcoder<Kind extends Sample, Config> implements TranscodedReader<Config> {
  config: Config | null = null;
  readonly #parts: TranscoderParts<Kind, Config>;
  readonly #made: EncodedPacket[] = [];
  #samples: AsyncGenerator<Kind, void, unknown> | null = null;
  #encoder: Encoder<Kind> | null = null;
  #hasEnded = false;
  #last: EncodedPacket | null = null;

  constructor(parts: TranscoderParts<Kind, Config>) {
    this.#parts = parts;
  }

  /** An encoder goes on: who begins again where another reader was opened gets the packet that nobody has used yet. */
  async first(atS: number): Promise<EncodedPacket | null> {
    if (this.#encoder) return this.#last;
    this.#samples = this.#parts.samples(atS);
    this.#encoder = this.#parts.encoder((packet, config) => {
      this.config ??= config ?? null;
      this.#made.push(packet);
    });
    await this.#encoder.output.start();
    return await this.next();
  }

  async next(): Promise<EncodedPacket | null> {
    while (this.#made.length === 0 && !this.#hasEnded) await this.#encodeOne();
    this.#last = this.#made.shift() ?? null;
    return this.#last;
  }

  async close(): Promise<void> {
    const isFinished = this.#hasEnded;
    this.#hasEnded = true;
    await this.#samples?.return();
    if (!isFinished) await this.#encoder?.output.cancel();
  }

  async #encodeOne(): Promise<void> {
    const { value: sample } = (await this.#samples?.next()) ?? {};
    if (!sample) {
      await this.#encoder?.output.finalize();
      this.#hasEnded = true;
      return;
    }
    try {
      await this.#encoder?.add(sample);
    } finally {
      sample.close();
    }
  }
}
