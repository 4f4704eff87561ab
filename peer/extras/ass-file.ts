/** A text of an ASS or SSA file and when it is shown. */
export interface AssCue {
  startMs: number;
  /** Exclusive. */
  endMs: number;
  text: string;
}

/** Vector drawings, which some put beside the words. */
const DRAWING = /\{[^{}]*\\p[1-9][^{}]*\}/;

const SECTION = /^\s*\[([^\]]*)\]\s*$/;
const TIME = /^(\d{1,3}):(\d{1,2}):(\d{1,2})(?:[.:](\d{1,3}))?$/;

/** The order of an event's fields where the file does not say. */
const FIELDS = ['layer', 'start', 'end', 'style', 'name', 'marginl', 'marginr', 'marginv', 'effect', 'text'];

/** The text of an ASS or SSA event without styles, drawings and remarks. */
export function plainAssText(text: string): string {
  if (DRAWING.test(text)) return '';
  return text
    .replace(/\{[^{}]*\}/g, '')
    .replace(/\\[Nn]/g, '\n')
    .replace(/\\h/g, ' ');
}

/** The events of an ASS or SSA file, their words alone, in its order; none where it is no such file. */
export function assCues(lines: readonly string[]): AssCue[] {
  const cues: AssCue[] = [];
  let isIn = false;
  let fields: readonly string[] = FIELDS;
  for (const line of lines) {
    const section = SECTION.exec(line)?.[1];
    if (section !== undefined) isIn = section.trim().toLowerCase() === 'events';
    const [, kind = '', rest = ''] = /^\s*(Format|Dialogue)\s*:(.*)$/i.exec(line) ?? [];
    if (!isIn || kind === '') continue;
    if (kind.toLowerCase() === 'format') fields = rest.split(',').map((name) => name.trim().toLowerCase());
    else cues.push(...eventOf(rest, fields));
  }
  return cues;
}

/** None where its times are none. */
function eventOf(rest: string, fields: readonly string[]): AssCue[] {
  const parts = rest.split(',');
  const partOf = (name: string): string => parts[fields.indexOf(name)]?.trim() ?? '';
  const [startMs, endMs] = [msOf(partOf('start')), msOf(partOf('end'))];
  if (startMs === null || endMs === null) return [];
  // The last field is the text, commas and all.
  return [{ startMs, endMs, text: plainAssText(parts.slice(fields.length - 1).join(',')) }];
}

function msOf(text: string): number | null {
  const [, hours, minutes, seconds, fraction = '0'] = TIME.exec(text) ?? [];
  if (hours === undefined) return null;
  return (
    (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000 + Number(fraction.padEnd(3, '0'))
  );
}
