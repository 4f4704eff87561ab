import { type XmlToken, xmlTokens } from './xml-tokens.ts';

/** A text of a TTML document and when it is shown. */
export interface TtmlCue {
  startMs: number;
  /** Exclusive; null: the document does not say. */
  endMs: number | null;
  text: string;
}

/** Elements within one another; honest documents have some ten. */
const MAX_DEPTH = 100;

/** Cues of one document. */
const MAX_CUES = 20_000;

/** How many frames and ticks a second has, where times are counted in them. */
interface Rates {
  framesPerS: number;
  ticksPerS: number;
}

/** An element that is open. */
interface Open {
  name: string;
  /** When it is shown; its end null: as long as it likes. */
  startMs: number;
  endMs: number | null;
  /** Its children are shown one after the other, the next one from here on; null: all at once. */
  nextMs: number | null;
  isKept: boolean;
  /** The cue that its text belongs to; null: none. */
  cue: TtmlCue | null;
}

const FRAMES_PER_S = 30;

/** Whether a text looks like a TTML document. */
export function isTtml(text: string): boolean {
  return /<(?:\w+:)?tt[\s>]/.test(text.slice(0, 10_000));
}

/**
 * The texts of a TTML document (W3C TTML 1 and 2, so IMSC, EBU-TT and DFXP), in its order: words and their times alone, no places, colours and
 * styles. As far as it can be understood: what is malformed ends it.
 */
export function ttmlCues(xml: string): TtmlCue[] {
  const cues: TtmlCue[] = [];
  const open: Open[] = [];
  let rates: Rates = { framesPerS: FRAMES_PER_S, ticksPerS: 1 };
  for (const token of xmlTokens(xml)) {
    if (token.kind === 'text') addText(open.at(-1), token.text);
    else if (token.kind === 'close') close(open, token.name);
    else {
      if (token.name === 'tt') rates = ratesOf(token.attributes);
      const element = opened(token, open.at(-1) ?? null, rates);
      if (element.cue && element.cue !== open.at(-1)?.cue) cues.push(element.cue);
      if (token.isEmpty) after(open.at(-1), element);
      else open.push(element);
      if (open.length > MAX_DEPTH || cues.length > MAX_CUES) break;
    }
  }
  return cues.map((cue) => ({ ...cue, text: lines(cue.text) })).filter(({ text }) => text !== '');
}

/** A line break as it is kept while other white space is folded. */
const BREAK = '\n';

function opened(
  { name, attributes }: Extract<XmlToken, { kind: 'open' }>,
  parent: Open | null,
  rates: Rates,
): Open {
  const fromMs = parent?.nextMs ?? parent?.startMs ?? 0;
  const begin = msOf(attributes.get('begin'), rates);
  const duration = msOf(attributes.get('dur'), rates);
  const end = msOf(attributes.get('end'), rates);
  const startMs = fromMs + (begin ?? 0);
  const ends = [
    ...(parent?.endMs != null ? [parent.endMs] : []),
    ...(duration !== null ? [startMs + duration] : []),
    ...(end !== null ? [fromMs + end] : []),
  ];
  const endMs = ends.length > 0 ? Math.min(...ends) : null;
  const space = attributes.get('space');
  const isKept = space ? space === 'preserve' : (parent?.isKept ?? false);
  const isSequence = attributes.get('timeContainer') === 'seq';
  if (name === 'br') addText(parent ?? undefined, BREAK, true);
  const isTimed = begin !== null || duration !== null || end !== null;
  const isCue = name === 'p' || (name === 'span' && isTimed && parent?.cue != null);
  // What is said about the document, and not in it.
  const isText = isCue || (name === 'span' && parent?.cue != null);
  const cue = isCue ? { startMs, endMs, text: '' } : (isText && parent?.cue) || null;
  return { name, startMs, endMs, nextMs: isSequence ? startMs : null, isKept, cue };
}

function close(open: Open[], name: string): void {
  // One that was never opened closes nothing.
  if (!open.some((element) => element.name === name)) return;
  for (let element = open.pop(); element; element = open.pop()) {
    after(open.at(-1), element);
    if (element.name === name) return;
  }
}

/** What comes next in a sequence comes when this one has ended. */
function after(parent: Open | undefined, { startMs, endMs }: Open): void {
  if (parent && parent.nextMs !== null) parent.nextMs = Math.max(parent.nextMs, endMs ?? startMs);
}

function addText(element: Open | undefined, text: string, isBreak = false): void {
  if (!element?.cue) return;
  element.cue.text += isBreak || element.isKept ? text : text.replace(/\s+/g, ' ');
}

function lines(text: string): string {
  const trimmed = text.split(BREAK).map((line) => line.replace(/[ \t]+/g, ' ').trim());
  return trimmed.filter((line) => line !== '').join('\n');
}

function ratesOf(attributes: ReadonlyMap<string, string>): Rates {
  const rate = Number(attributes.get('frameRate'));
  const [numerator = 1, denominator = 1] =
    (attributes.get('frameRateMultiplier') ?? '').match(/\d+/g)?.map(Number) ?? [];
  const framesPerS =
    (rate > 0 ? rate : FRAMES_PER_S) * (numerator > 0 && denominator > 0 ? numerator / denominator : 1);
  const ticks = Number(attributes.get('tickRate'));
  // As the specification has it where it is not said.
  const ticksPerS = ticks > 0 ? ticks : rate > 0 ? framesPerS : 1;
  return { framesPerS, ticksPerS };
}

/** "00:01:02.5", "00:01:02:12" with frames at its end; "62.5s", "1500ms", "12f", "90000t". */
const CLOCK = /^(\d{1,4}):(\d\d):(\d\d)(?:(\.\d{1,9})|:(\d{1,3})(?:\.\d+)?)?$/;
const OFFSET = /^(\d{1,15}(?:\.\d{1,9})?)(h|ms|m|s|f|t)$/;

/** Null where it is no time. */
function msOf(text: string | undefined, { framesPerS, ticksPerS }: Rates): number | null {
  if (text === undefined) return null;
  const clock = CLOCK.exec(text.trim());
  if (clock) {
    const [, hours, minutes, seconds, fraction = '0', frames = '0'] = clock;
    const wholeS = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
    return (wholeS + Number(fraction) + Number(frames) / framesPerS) * 1000;
  }
  const [, count = '', unit = ''] = OFFSET.exec(text.trim()) ?? [];
  const ms = { h: 3_600_000, m: 60_000, s: 1000, ms: 1, f: 1000 / framesPerS, t: 1000 / ticksPerS }[unit];
  return ms === undefined ? null : Number(count) * ms;
}
