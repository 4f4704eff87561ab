import { plainAssText } from '../extras/ass-file.ts';

/** The text in what a format calls a cue, with markup that only `cueTextOf` is left to take away. */

/** SubRip's and WebVTT's text as it is. */
export function plainText(payload: Uint8Array): string {
  return new TextDecoder().decode(payload).replaceAll('\0', '');
}

/** WebVTT as WebM has it: the cue's name and its settings on a line each, then its text. */
export function webmText(payload: Uint8Array): string {
  return plainText(payload).split(/\r?\n/).slice(2).join('\n');
}

/** Fields before the text of an ASS or SSA event as Matroska has it. */
const ASS_FIELDS = 8;

/** The text of an ASS or SSA event without styles, drawings and remarks. */
export function assText(payload: Uint8Array): string {
  const text = plainText(payload).split(',').slice(ASS_FIELDS).join(',');
  return plainAssText(text);
}
