import * as v from 'valibot';
import type { Bytes } from '../bytes.ts';
import { byteString, count, decodeCbor, encodeCbor } from '../cbor.ts';
import { MAX_DURATION_MS } from '../limits.ts';

/**
 * What goes with a film beside its pictures and sound: PROTOCOL.md, "Extras". An extra travels as a segment that takes no
 * time; this is what is in one, once it is decrypted.
 */

/** Bytes of one extra at most. What is more goes into several. */
export const MAX_EXTRA_BYTES = 1024 * 1024;

/** Subtitles: tracks of a film, cues in one extra, and characters of one cue (each of which may be written as `&amp;`). */
export const MAX_SUBTITLE_TRACKS = 32;
const MAX_CUES = 5_000;
export const MAX_CUE_CHARS = 1_000;
const MAX_CUE_MARKUP_CHARS = 5 * MAX_CUE_CHARS;
export const MAX_LABEL_CHARS = 80;
const LANGUAGE_TAG = /^[a-z]{2,3}(-[A-Za-z0-9]{1,8}){0,3}$/;

/** Bytes of the picture that stands for the film. */
export const MAX_POSTER_BYTES = 100_000;

/** Small pictures in one extra, and bytes of one: honest ones have 4 kB. */
export const MAX_PICTURES = 64;
export const MAX_PICTURE_BYTES = 15_000;

const atMs = count(MAX_DURATION_MS);
const mime = v.picklist(['image/jpeg', 'image/webp']);

const subtitles = v.strictObject({
  kind: v.literal('subtitles'),
  /** Extras of the same track go together. */
  track: count(MAX_SUBTITLE_TRACKS - 1),
  /** What is known of it beside its language, such as "forced"; may be empty. */
  label: v.pipe(v.string(), v.maxLength(MAX_LABEL_CHARS)),
  /** BCP 47; "und" where it is not known. */
  language: v.pipe(v.string(), v.regex(LANGUAGE_TAG)),
  isDefault: v.boolean(),
  /** From, until (exclusive), and the text: lines with `<i>`, `<b>` and `<u>` alone. */
  cues: v.pipe(
    v.array(
      v.pipe(
        v.strictTuple([atMs, atMs, v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_CUE_MARKUP_CHARS))]),
        v.check(([startMs, endMs]) => endMs > startMs, 'a cue that ends before it begins'),
      ),
    ),
    v.maxLength(MAX_CUES),
  ),
});

const poster = v.strictObject({
  kind: v.literal('poster'),
  mime,
  bytes: byteString(1, MAX_POSTER_BYTES),
});

const thumbnails = v.strictObject({
  kind: v.literal('thumbnails'),
  /** What the first picture shows; the next ones follow `everyMs` apart. */
  startMs: atMs,
  everyMs: v.pipe(atMs, v.minValue(1_000)),
  mime,
  pictures: v.pipe(v.array(byteString(1, MAX_PICTURE_BYTES)), v.minLength(1), v.maxLength(MAX_PICTURES)),
});

const extra = v.variant('kind', [subtitles, poster, thumbnails]);

export type Extra = v.InferOutput<typeof extra>;
export type Subtitles = v.InferOutput<typeof subtitles>;
export type Poster = v.InferOutput<typeof poster>;
export type Thumbnails = v.InferOutput<typeof thumbnails>;

/** From and until in milliseconds, and the text. */
export type Cue = Subtitles['cues'][number];

/** Whether a text is the language of subtitles as an extra may name it. */
export function isLanguageTag(text: string): boolean {
  return LANGUAGE_TAG.test(text);
}

/** The bytes of an extra before they are encrypted. */
export function encodeExtra(value: Extra): Bytes {
  return encodeCbor(value);
}

/** @throws MatineeError EXTRA_MALFORMED. */
export function decodeExtra(bytes: Uint8Array): Extra {
  return decodeCbor(extra, bytes, 'EXTRA_MALFORMED', 'extra');
}

/** A subtitle track as extras that are each no larger than one may be. */
export function subtitleExtras(track: Omit<Subtitles, 'kind' | 'cues'>, cues: readonly Cue[]): Extra[] {
  const extras: Subtitles[] = [];
  let sizeBytes = 0;
  for (const cue of cues) {
    // Three bytes a UTF-16 unit at most, and the numbers.
    const cueBytes = 3 * cue[2].length + 20;
    const last = extras.at(-1);
    if (last && last.cues.length < MAX_CUES && sizeBytes + cueBytes < MAX_EXTRA_BYTES - 1000) {
      last.cues.push(cue);
      sizeBytes += cueBytes;
    } else {
      extras.push({ kind: 'subtitles', ...track, cues: [cue] });
      sizeBytes = cueBytes;
    }
  }
  return extras;
}
