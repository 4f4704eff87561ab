/** What turns the direction of text, so that a name ends in ".mp4" for the eye only and swallows the words after it. */
const DIRECTIONS = /\p{Bidi_Control}/gu;

/** Line ends and other characters that are no text. */
const CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}]+/gu;

/**
 * A film's title as it is safe to show beside other words: on one line, read in the direction of its letters.
 * @param maxChars UTF-16 units at most; a character is never cut in two.
 */
export function plainTitle(text: string, maxChars = Number.POSITIVE_INFINITY): string {
  const plain = text.replace(DIRECTIONS, '').replace(CONTROLS, ' ').trim();
  if (plain.length <= maxChars) return plain;
  const cut = plain.slice(0, maxChars);
  return /[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut;
}
