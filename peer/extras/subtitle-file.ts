import { MatineeError } from '../errors.ts';
import { MAX_DURATION_MS } from '../limits.ts';
import { assCues } from './ass-file.ts';
import { cueTextOf } from './cue-text.ts';
import type { Cue } from './extra.ts';
import { isTtml, ttmlCues } from './ttml.ts';

/** Bytes of a subtitle file: ten times what a talkative film has. */
const MAX_SUBTITLE_FILE_BYTES = 4 * 1024 * 1024;

/** Cues of a file: a film has 1,500. */
const MAX_FILE_CUES = 20_000;

/** "00:01:02,500 --> 00:01:04,000" of SRT and "01:02.500 --> 01:04.000" of WebVTT, and what is written in their place. */
const TIMING =
  /^\s*(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,3}))?\s*-->\s*(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,3}))?(?:\s|$)/;

/** What windows-1252 has from 0x80 to 0x9f; a space where nothing. */
const WESTERN = '€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ';

/** A cue's number in an SRT file. */
const NUMBERING = /^\s*\d+\s*$/;

/** How long a cue is shown where the file does not say. */
const LASTS_MS = 5_000;

/**
 * The cues of a subtitle file (SRT, WebVTT, ASS, SSA or TTML), in the order they begin; they may overlap.
 * @throws MatineeError FILE_NOT_SUBTITLES where it is no such file, or too large for one.
 */
export function readSubtitles(name: string, bytes: Uint8Array): Cue[] {
  mustBeSmall(name, bytes.byteLength);
  const cues = cuesIn(decodeText(bytes));
  if (cues.length > MAX_FILE_CUES) throw tooMuch(name);
  if (cues.length === 0) throw notSubtitles(name);
  return cues.sort(([a], [b]) => a - b);
}

/** @throws MatineeError FILE_NOT_SUBTITLES where a file has so many bytes that it need not be read. */
export function mustBeSmall(name: string, sizeBytes: number): void {
  if (sizeBytes > MAX_SUBTITLE_FILE_BYTES) throw tooMuch(name);
}

/** By its byte order mark; without one UTF-8 where it can be that, else what Windows wrote in the west. */
function decodeText(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // Node (seen in 22) reads it as Latin-1 and leaves control characters where windows-1252 has others.
    const text = new TextDecoder('windows-1252').decode(bytes);
    return text.replace(/[\u0080-\u009f]/g, (control) => WESTERN[control.charCodeAt(0) - 0x80] ?? '');
  }
}

/** By what is in it, whatever its name says. */
function cuesIn(text: string): Cue[] {
  const lines = text.split(/\r\n|\r|\n/);
  const cues = cuesOf(lines);
  if (cues.length > 0) return cues;
  return (isTtml(text) ? ttmlCues(text) : assCues(lines)).flatMap(
    ({ startMs, endMs, text: words }): Cue[] => {
      const [fromMs, untilMs] = [Math.round(startMs), Math.round(endMs ?? startMs + LASTS_MS)];
      const shown = cueTextOf(words);
      const isIn = untilMs > fromMs && untilMs <= MAX_DURATION_MS;
      return shown !== '' && isIn ? [[fromMs, untilMs, shown]] : [];
    },
  );
}

/** Looks for times alone: headers, numbers, notes and styles are whatever stands between the texts. */
function cuesOf(lines: readonly string[]): Cue[] {
  const cues: Cue[] = [];
  for (let at = 0; at < lines.length; at++) {
    const times = timesOf(lines[at] ?? '');
    if (!times) continue;
    const first = at + 1;
    while (at + 1 < lines.length && lines[at + 1]?.trim() !== '' && !timesOf(lines[at + 1] ?? '')) at += 1;
    // Without a blank line between them the last line is the number of the next cue.
    const isNext = at >= first && timesOf(lines[at + 1] ?? '') !== null && NUMBERING.test(lines[at] ?? '');
    const text = cueTextOf(lines.slice(first, isNext ? at : at + 1).join('\n'));
    const [startMs, endMs] = times;
    if (text !== '' && endMs > startMs && endMs <= MAX_DURATION_MS) cues.push([startMs, endMs, text]);
  }
  return cues;
}

function timesOf(line: string): [startMs: number, endMs: number] | null {
  const found = TIMING.exec(line);
  if (!found) return null;
  const [, ...fields] = found;
  return [msOf(fields.slice(0, 4)), msOf(fields.slice(4))];
}

/** "5" after the comma is half a second. */
function msOf([hours = '0', minutes = '0', seconds = '0', fraction = '0']: (string | undefined)[]): number {
  return (
    (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000 + Number(fraction.padEnd(3, '0'))
  );
}

function notSubtitles(name: string): MatineeError {
  return new MatineeError(
    'FILE_NOT_SUBTITLES',
    `There are no subtitles in “${name}” that Matinee can read. Take an .srt, .vtt, .ass or .ttml file, or take the video without it.`,
  );
}

function tooMuch(name: string): MatineeError {
  return new MatineeError(
    'FILE_NOT_SUBTITLES',
    `“${name}” is too large for subtitles of a film. Take an .srt, .vtt, .ass or .ttml file, or take the video without it.`,
  );
}
