import type { Bytes } from '../../../peer/bytes.ts';
import type { Clock } from '../../../peer/clock.ts';
import {
  decodeExtra,
  type Extra,
  encodeExtra,
  MAX_PICTURE_BYTES,
  MAX_PICTURES,
  MAX_POSTER_BYTES,
} from '../../../peer/extras/extra.ts';
import type { Cover, OpenedPictures } from '../../../peer/host/package.ts';
import { KeyFrames } from './key-frames.ts';

/** Where a picture to stand for the film is looked for, seconds: many begin in the dark. */
const POSTER_AT_S = [0, 2, 5, 10, 20, 40];
const POSTER_WIDTH_PX = 640;

/** A picture with less light and less in it than this (0 to 255) is as good as black. */
const BRIGHT_ENOUGH = 40;
const VARIED_ENOUGH = 20;

const THUMBNAIL_WIDTH_PX = 160;
const THUMBNAIL_EVERY_MS = 10_000;

/** Of a long film there are fewer: a megabyte for all of them. */
const MAX_THUMBNAILS = 300;

/** Qualities of JPEG that are tried, the better first, until a picture is small enough. */
const QUALITIES = [0.7, 0.5, 0.3, 0.1];

/** For each millisecond of work so many of rest, which the packaging of the film has for itself. */
const REST_SHARE = 1;

const MIME = 'image/jpeg';

/** What is needed to make pictures of a film. */
export interface PictureParts {
  pictures: OpenedPictures;
  durationMs: number;
  /** Extras of an earlier time: what is among them is not made again. */
  listed: readonly Bytes[];
  clock: Clock;
  signal: AbortSignal;
}

/**
 * The film's poster and its small pictures for the timeline as encoded extras, from its key frames; none where this browser
 * cannot decode them.
 */
export async function* makePictures(parts: PictureParts): AsyncGenerator<Bytes> {
  const { pictures, durationMs, listed } = parts;
  if (typeof OffscreenCanvas === 'undefined' || !(await pictures.track.canDecode())) return;
  const before = listed.map(decodeExtra);
  if (!hasPoster(before)) {
    const poster = await makePoster(pictures, durationMs);
    if (poster) yield encodeExtra(poster);
  }
  // Without an index each picture would mean to read all before it.
  if (pictures.hasIndex) yield* makeThumbnails(parts, before);
}

/** The cover of a file that has no pictures else, as a poster; null where it is none that this browser can show, or one is listed already. */
export async function makeCover({ bytes, mime }: Cover, listed: readonly Bytes[]): Promise<Bytes | null> {
  if (hasPoster(listed.map(decodeExtra))) return null;
  const image = await createImageBitmap(new Blob([bytes], { type: mime })).catch(() => null);
  if (!image) return null;
  const scale = Math.min(1, POSTER_WIDTH_PX / image.width, POSTER_WIDTH_PX / image.height);
  const [width, height] = [image.width, image.height].map((px) => Math.max(1, Math.round(px * scale)));
  const canvas = new OffscreenCanvas(width ?? 1, height ?? 1);
  const context = canvas.getContext('2d');
  if (context) context.imageSmoothingQuality = 'high';
  context?.drawImage(image, 0, 0, canvas.width, canvas.height);
  image.close();
  const made = await encoded(canvas, MAX_POSTER_BYTES);
  return made && encodeExtra({ kind: 'poster', mime: MIME, bytes: made });
}

async function makePoster(pictures: OpenedPictures, durationMs: number): Promise<Extra | null> {
  const frames = await KeyFrames.open(pictures, POSTER_WIDTH_PX);
  let [best, mostLight]: [Bytes | null, number] = [null, -1];
  for (const atS of POSTER_AT_S) {
    if (atS > 0 && atS * 1000 >= durationMs) break;
    const canvas = await frames.at(atS);
    if (!canvas) continue;
    const { light, variety } = lookAt(canvas);
    const isGood = light >= BRIGHT_ENOUGH && variety >= VARIED_ENOUGH;
    if (isGood || light > mostLight) best = await encoded(canvas, MAX_POSTER_BYTES);
    mostLight = Math.max(mostLight, light);
    if (isGood) break;
  }
  return best && { kind: 'poster', mime: MIME, bytes: best };
}

/** All of them together, so that they lie beside each other in the manifest. */
async function* makeThumbnails(
  { pictures, durationMs, clock, signal }: PictureParts,
  before: readonly Extra[],
): AsyncGenerator<Bytes> {
  const everyMs = Math.max(THUMBNAIL_EVERY_MS, Math.ceil(durationMs / MAX_THUMBNAILS / 1000) * 1000);
  const frames = await KeyFrames.open(pictures, THUMBNAIL_WIDTH_PX);
  const made: Bytes[] = [];
  const fromMs = before.reduce(
    (endMs, extra) =>
      extra.kind === 'thumbnails' ? Math.max(endMs, extra.startMs + extra.pictures.length * everyMs) : endMs,
    0,
  );
  for (let atMs = fromMs; atMs < durationMs && !signal.aborted; atMs += everyMs) {
    const beganMs = clock.nowMs();
    const canvas = await frames.at(atMs / 1000);
    const bytes = canvas && (await encoded(canvas, MAX_PICTURE_BYTES));
    // What is missing would put all after it in the wrong place.
    if (!bytes) break;
    made.push(bytes);
    await rest(clock, (clock.nowMs() - beganMs) * REST_SHARE);
  }
  if (signal.aborted) return;
  for (let first = 0; first < made.length; first += MAX_PICTURES) {
    const startMs = fromMs + first * everyMs;
    const chunk = made.slice(first, first + MAX_PICTURES);
    yield encodeExtra({ kind: 'thumbnails', startMs, everyMs, mime: MIME, pictures: chunk });
  }
}

function hasPoster(extras: readonly Extra[]): boolean {
  return extras.some(({ kind }) => kind === 'poster');
}

/** How bright a picture is, and how far its pixels are from that on the average; 0 to 255. */
function lookAt(canvas: OffscreenCanvas): { light: number; variety: number } {
  const small = new OffscreenCanvas(32, 18);
  const context = small.getContext('2d', { willReadFrequently: true });
  if (!context) return { light: 0, variety: 0 };
  context.drawImage(canvas, 0, 0, small.width, small.height);
  const { data } = context.getImageData(0, 0, small.width, small.height);
  const lights: number[] = [];
  for (let at = 0; at < data.length; at += 4)
    lights.push(0.299 * (data[at] ?? 0) + 0.587 * (data[at + 1] ?? 0) + 0.114 * (data[at + 2] ?? 0));
  const light = mean(lights);
  return { light, variety: mean(lights.map((each) => Math.abs(each - light))) };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

async function encoded(canvas: OffscreenCanvas, maxBytes: number): Promise<Bytes | null> {
  for (const quality of QUALITIES) {
    const blob = await canvas.convertToBlob({ type: MIME, quality });
    if (blob.type === MIME && blob.size <= maxBytes) return new Uint8Array(await blob.arrayBuffer());
  }
  return null;
}

function rest(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.after(ms, () => resolve()));
}
