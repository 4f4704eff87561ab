/**
 * What strangers write, without what would let it reach beyond its own place on a page: characters that turn the direction
 * of what stands around them, control characters, towers of accents. It stays text; nothing here is about markup.
 */

/** Embeddings, overrides and isolates (Unicode UAX #9): a text left open would turn what comes after it. */
const DIRECTION = /[\u202A-\u202E\u2066-\u2069]/gu;

/** All that shows nothing, but for the two joiners that scripts and emoji need. */
const INVISIBLE = /(?![\u200C\u200D])\p{Cf}/gu;

const CONTROL_BUT_BREAKS = /(?![\n\t])\p{Cc}/gu;
const SPACES = /[\p{Z}\p{Cc}]+/gu;
const LONE_SURROGATES = /\p{Cs}/gu;

/** More marks on one letter than any script uses. */
const TOWERS = /(\p{M}{4})\p{M}+/gu;

/** A chat line as it may be shown: with its line breaks and tabs. */
export function plainText(text: string): string {
  return text
    .replace(LONE_SURROGATES, '\uFFFD')
    .replace(DIRECTION, '')
    .replace(CONTROL_BUT_BREAKS, '')
    .replace(TOWERS, '$1');
}

/** A name as it may be shown: one line, nothing in it that cannot be seen. Empty where nothing is left. */
export function plainName(name: string): string {
  return name
    .replace(LONE_SURROGATES, '\uFFFD')
    .replace(SPACES, ' ')
    .replace(INVISIBLE, '')
    .replace(TOWERS, '$1')
    .trim();
}
