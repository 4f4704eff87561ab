import { EncodedPacketSink, VideoSampleSink } from 'mediabunny';
import type { OpenedPictures } from '../../../peer/host/package.ts';
import { shrink } from './shrink-sample.ts';

/** Key frames of a film as small pictures. */
export class KeyFrames {
  readonly #pictures: OpenedPictures;
  readonly #packets: EncodedPacketSink;
  readonly #samples: VideoSampleSink;
  /** One for all of them: each is used up before the next is asked for. */
  readonly #canvas: OffscreenCanvas;

  static async open(pictures: OpenedPictures, widthPx: number): Promise<KeyFrames> {
    const { track } = pictures;
    const aspect = (await track.getDisplayHeight()) / (await track.getDisplayWidth());
    return new KeyFrames(pictures, new OffscreenCanvas(widthPx, Math.max(1, Math.round(widthPx * aspect))));
  }

  private constructor(pictures: OpenedPictures, canvas: OffscreenCanvas) {
    this.#pictures = pictures;
    this.#packets = new EncodedPacketSink(pictures.track);
    this.#samples = new VideoSampleSink(pictures.track);
    this.#canvas = canvas;
  }

  /** The key frame at or before a place of the film, which nothing else must be decoded for; good until the next is asked for. */
  async at(atS: number): Promise<OffscreenCanvas | null> {
    const { originS } = this.#pictures;
    const packet = await this.#packets.getKeyPacket(originS + atS, { metadataOnly: true });
    const sample = await this.#samples.getSample(packet?.timestamp ?? originS);
    if (!sample) return null;
    const { width, height } = this.#canvas;
    const isTurned = sample.rotation % 180 !== 0;
    const small = await shrink(sample, {
      widthPx: isTurned ? height : width,
      heightPx: isTurned ? width : height,
    });
    try {
      const context = this.#canvas.getContext('2d', { willReadFrequently: true });
      if (!context) return null;
      context.imageSmoothingQuality = 'high';
      small.drawWithFit(context, { fit: 'fill' });
    } finally {
      small.close();
    }
    return this.#canvas;
  }
}
