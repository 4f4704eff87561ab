import { VideoSample } from 'mediabunny';

/** Bytes of a picture that are copied out at once, RGBA: a few rows of it. */
const STRIP_BYTES = 1024 * 1024;

/** Rows are copied in twos, for the colours of most pictures are stored for two rows together. */
const STRIP_ROWS = 2;

interface Size {
  widthPx: number;
  heightPx: number;
}

/**
 * The same picture with no more pixels than needed, each the mean of those it stands for; closes the one that was given. A browser that draws
 * a frame on a canvas keeps four bytes for each of its pixels until a garbage collection that nothing of that size hurries (seen in Chromium:
 * 3.7 MB for each frame of 720p), so what is drawn is to be small. Where it is small already, or the browser does not give its
 * pixels as RGBA, it is the picture that was given.
 */
export async function shrink(sample: VideoSample, most: Size): Promise<VideoSample> {
  const { left, top, width, height } = sample.visibleRect;
  const [widthPx, heightPx] = [Math.min(most.widthPx, width), Math.min(most.heightPx, height)];
  if (widthPx === width && heightPx === height) return sample;
  const rows = Math.max(STRIP_ROWS, Math.floor(STRIP_BYTES / (4 * width * STRIP_ROWS)) * STRIP_ROWS);
  const strip = new Uint8Array(4 * width * rows);
  const mean = new MeanPixels({ widthPx: width, heightPx: height }, { widthPx, heightPx });
  try {
    for (let y = 0; y < height; y += rows) {
      const rect = { x: left, y: top + y, width, height: Math.min(rows, height - y) };
      const options = { format: 'RGBA', rect } as const;
      // One that does not know the wish would copy what it has, in another format.
      if (sample.allocationSize(options) !== 4 * width * rect.height) return sample;
      await sample.copyTo(strip, options);
      mean.addRows(strip, y, rect.height);
    }
  } catch {
    return sample;
  }
  const { rotation, flip, timestamp } = sample;
  sample.close();
  const shape = { codedWidth: widthPx, codedHeight: heightPx, rotation, flip, timestamp };
  return new VideoSample(mean.pixels(), { format: 'RGBA', ...shape });
}

/** Adds up pixels of a picture for each of a smaller one. */
class MeanPixels {
  readonly #of: Size;
  readonly #to: Size;
  readonly #columns: Uint32Array;
  readonly #sums: Float32Array;

  constructor(of: Size, to: Size) {
    this.#of = of;
    this.#to = to;
    this.#columns = Uint32Array.from({ length: of.widthPx }, (_, x) =>
      Math.floor((x * to.widthPx) / of.widthPx),
    );
    // Red, green, blue, and how many.
    this.#sums = new Float32Array(4 * to.widthPx * to.heightPx);
  }

  /** Rows from `firstRow` on, RGBA. */
  addRows(rgba: Uint8Array, firstRow: number, count: number): void {
    const [{ widthPx, heightPx }, to, columns, sums] = [this.#of, this.#to, this.#columns, this.#sums];
    for (let row = 0, at = 0; row < count; row++) {
      const line = Math.floor(((firstRow + row) * to.heightPx) / heightPx) * to.widthPx;
      for (let x = 0; x < widthPx; x++, at += 4) {
        const sum = 4 * (line + (columns[x] ?? 0));
        for (let part = 0; part < 3; part++)
          sums[sum + part] = (sums[sum + part] ?? 0) + (rgba[at + part] ?? 0);
        sums[sum + 3] = (sums[sum + 3] ?? 0) + 1;
      }
    }
  }

  /** All of them, RGBA. */
  pixels(): Uint8Array<ArrayBuffer> {
    const sums = this.#sums;
    const rgba = new Uint8Array(sums.length);
    for (let at = 0; at < sums.length; at += 4) {
      const count = sums[at + 3] ?? 1;
      for (let part = 0; part < 3; part++) rgba[at + part] = Math.round((sums[at + part] ?? 0) / count);
      rgba[at + 3] = 255;
    }
    return rgba;
  }
}
