import { MAX_CUE_CHARS } from './extra.ts';

/** Tags of WebVTT and HTML, those of times and voices among them; what is no tag is a character like any other. */
const TAG = /(<\/?[A-Za-z][^<>]*>|<\d{1,3}:[\d:.]+>)/;

/** The tags that stay, with nothing in them but their names. */
const KEPT_TAG = /^<(\/?)([ibu])(?:[.\s][^<>]*)?>$/i;

/** An ampersand that begins no character reference. */
const BARE_AMPERSAND = /&(?!(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,8}\d{0,2});)/gi;

/** How subtitle programs say where and how a line is to be shown, in SRT files too. */
const OVERRIDES = /\{\\[^{}]*\}/g;

/** Control characters but for the line feed. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is to go
const CONTROLS = /[\u0000-\u0009\u000b-\u001f\u007f]/g;

/**
 * The text of a cue with no markup but `<i>`, `<b>` and `<u>`, as a VTTCue takes it: all else that looks like a tag is gone,
 * and what is left of the special characters is written as references. The same where it is done twice.
 */
export function safeCueText(text: string): string {
  const parts = text.replace(CONTROLS, '').split(TAG);
  return parts.map((part, i) => (i % 2 === 1 ? keptTag(part) : escaped(part))).join('');
}

/** The text of a cue as a subtitle file has it, made safe; empty where nothing is to be shown. */
export function cueTextOf(raw: string): string {
  const plain = raw.replaceAll('\r', '').replace(OVERRIDES, '').slice(0, MAX_CUE_CHARS);
  const lines = plain.split('\n').map((line) => line.trim());
  const text = safeCueText(lines.filter((line) => line !== '').join('\n'));
  return text.replace(/<[^<>]*>/g, '').trim() === '' ? '' : text;
}

function keptTag(tag: string): string {
  const [, slash = '', name] = KEPT_TAG.exec(tag) ?? [];
  return name ? `<${slash}${name.toLowerCase()}>` : '';
}

function escaped(text: string): string {
  return text.replace(BARE_AMPERSAND, '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
