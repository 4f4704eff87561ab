import { viewOf } from '../bytes.ts';
import type { Cue } from '../extras/extra.ts';
import type { SubtitleName } from '../extras/subtitle-name.ts';
import { ttmlCues } from '../extras/ttml.ts';
import { type Box, boxAlong, boxesIn, boxesOf, u32 } from './boxes.ts';
import { plainText } from './cue-payload.ts';
import { type FileView, TextMalformed, unlessMalformed } from './file-view.ts';
import { readFragments } from './fragments.ts';
import { shownCues } from './raw-cues.ts';
import { readSamples } from './sample-table.ts';
import {
  MAX_CUE_BYTES,
  MAX_DOCUMENT_BYTES,
  MAX_TEXT_BYTES,
  MAX_TEXT_TRACKS,
  type RawCue,
  type TextTracks,
} from './text-tracks.ts';
import { textTrackName } from './track-name.ts';

/** Bytes of the boxes that say something of a track. */
const MAX_FACT_BYTES = 10_000;

/** Flags of a tx3g sample entry (3GPP TS 26.245, section 5.16): all samples are forced. */
const ALL_FORCED = 0x8000_0000;

/** How samples of a kind are read: what is shown while one lasts, its times on the track's clock. */
type ReadSample = (sample: Uint8Array, startMs: number, endMs: number) => RawCue[];
const READ: Readonly<Record<string, { read: ReadSample; maxBytes: number }>> = {
  tx3g: { read: whole(timedText), maxBytes: MAX_CUE_BYTES },
  wvtt: { read: whole(webVtt), maxBytes: MAX_CUE_BYTES },
  stpp: { read: ttml, maxBytes: MAX_DOCUMENT_BYTES },
};

/** What handles tracks of texts, by their hdlr, and how kinds are called that are not read. */
const TEXT_HANDLERS = ['text', 'sbtl', 'subt', 'clcp'];
const FORMATS: Readonly<Record<string, string>> = {
  c608: 'CEA-608',
  c708: 'CEA-708',
  stpp: 'TTML with pictures',
};

/** A text track of an MP4 file. */
interface Mp4Track {
  name: SubtitleName;
  /** By which its fragments are known. */
  id: number;
  stbl: Box;
  /** Milliseconds of a tick, and of the film at tick 0. */
  tickMs: number;
  offsetMs: number;
  read: ReadSample;
  maxBytes: number;
}

/**
 * The text tracks of an MP4 or MOV file (tx3g, wvtt and stpp), fragmented or not; null where it is none. Reads its index, of other tracks the heads
 * alone.
 */
export async function openMp4Text(view: FileView): Promise<TextTracks | null> {
  const whole: Box = { type: '', start: 0, end: view.sizeBytes };
  if (!(await isMp4(view))) return null;
  const moov = await boxAlong(view, whole, 'moov');
  if (!moov) return null;
  const mvhd = await boxAlong(view, moov, 'mvhd');
  const movieTicksPerS = mvhd ? ticksPerS(await facts(view, mvhd)) : 1;
  const tracks: Mp4Track[] = [];
  const pictures: SubtitleName[] = [];
  const unread = new Map<number, SubtitleName>();
  const chapters = new Set<number>();
  for await (const box of boxesIn(view, moov.start, moov.end)) {
    if (box.type !== 'trak') continue;
    const track = await readTrack(view, box, movieTicksPerS);
    if (track && tracks.length < MAX_TEXT_TRACKS) tracks.push(track);
    for (const id of await chaptersOf(view, box)) chapters.add(id);
    const other = track ? null : await nameOther(view, box);
    if (other?.isPictures && pictures.length < MAX_TEXT_TRACKS) pictures.push(other.name);
    if (other && !other.isPictures && unread.size < MAX_TEXT_TRACKS) unread.set(other.id, other.name);
  }
  const names = tracks.map(({ name }) => name);
  // The names of chapters are texts as well, but no subtitles.
  for (const id of chapters) unread.delete(id);
  return {
    names,
    pictures,
    unread: [...unread.values()],
    read: (signal) => readTexts(view, moov, tracks, signal),
  };
}

/** The types with which such a file may begin. */
const FIRST_BOXES = ['ftyp', 'moov', 'mdat', 'free', 'skip', 'wide'];

async function isMp4(view: FileView): Promise<boolean> {
  const first = await unlessMalformed(null, () => boxesIn(view, 0, view.sizeBytes).next());
  return first?.value ? FIRST_BOXES.includes(first.value.type) : false;
}

/** Null where it is no text track, or one of a kind that is not read. */
async function readTrack(view: FileView, trak: Box, movieTicksPerS: number): Promise<Mp4Track | null> {
  const stbl = await boxAlong(view, trak, 'mdia', 'minf', 'stbl');
  const mdhd = await boxAlong(view, trak, 'mdia', 'mdhd');
  const tkhd = await boxAlong(view, trak, 'tkhd');
  const stsd = stbl && (await boxAlong(view, stbl, 'stsd'));
  if (!stsd || !mdhd || !tkhd) return null;
  // After version, flags and count: entries as boxes.
  const [entry] = await collected(boxesIn(view, stsd.start + 8, stsd.end));
  const reading = READ[entry?.type ?? ''];
  if (!entry || !reading || (await hasPictures(view, entry))) return null;
  const head = await facts(view, mdhd);
  const tickMs = 1000 / ticksPerS(head);
  const isForced = entry.type === 'tx3g' && (await areAllForced(view, entry));
  return {
    name: textTrackName({
      language: await languageOf(view, trak, mdhd),
      title: await titleOf(view, trak),
      isForced,
      isForHardOfHearing: false,
      // "Enabled" says no more than that it is the first: every program sets it.
      isDefault: isForced,
    }),
    id: afterDates(await facts(view, tkhd)),
    stbl,
    tickMs,
    offsetMs: await offsetMs(view, trak, movieTicksPerS, tickMs),
    ...reading,
  };
}

/** Whether TTML refers to pictures instead of having texts: its entry names what kinds of them. */
async function hasPictures(view: FileView, entry: Box): Promise<boolean> {
  if (entry.type !== 'stpp') return false;
  // Six reserved bytes and an index of two, then three texts that end in a zero: the third has the kinds.
  const text = new TextDecoder().decode((await bytesOf(view, entry)).subarray(8));
  return (text.split('\0')[2] ?? '').includes('image/');
}

/** The tracks that have the names of this one's chapters. */
async function chaptersOf(view: FileView, trak: Box): Promise<number[]> {
  const chap = await boxAlong(view, trak, 'tref', 'chap');
  if (!chap) return [];
  const ids = await facts(view, chap);
  return Array.from({ length: Math.floor(ids.byteLength / 4) }, (_, i) => ids.getUint32(4 * i));
}

/** A track of subtitles that is not read: pictures (VobSub, as some programs put it into MP4), or a kind that nobody reads here. Null where it is none. */
async function nameOther(
  view: FileView,
  trak: Box,
): Promise<{ id: number; name: SubtitleName; isPictures: boolean } | null> {
  const hdlr = await boxAlong(view, trak, 'mdia', 'hdlr');
  const mdhd = await boxAlong(view, trak, 'mdia', 'mdhd');
  // After version, flags and four bytes that are reserved.
  const kind = hdlr && plainText((await bytesOf(view, hdlr)).subarray(8, 12));
  const tkhd = await boxAlong(view, trak, 'tkhd');
  const isPictures = kind === 'subp';
  if (!kind || !(isPictures || TEXT_HANDLERS.includes(kind)) || !mdhd || !tkhd) return null;
  const type = isPictures ? '' : await entryType(view, trak);
  const name = textTrackName({
    language: await languageOf(view, trak, mdhd),
    title: await titleOf(view, trak),
    isForced: false,
    isForHardOfHearing: false,
    isDefault: false,
    format: FORMATS[type] ?? type,
  });
  return { id: afterDates(await facts(view, tkhd)), name, isPictures };
}

/** What the file calls what is in a track; empty where it does not say. */
async function entryType(view: FileView, trak: Box): Promise<string> {
  const stsd = await boxAlong(view, trak, 'mdia', 'minf', 'stbl', 'stsd');
  const [entry] = stsd ? await collected(boxesIn(view, stsd.start + 8, stsd.end)) : [];
  return entry?.type ?? '';
}

async function languageOf(view: FileView, trak: Box, mdhd: Box): Promise<string> {
  const elng = await boxAlong(view, trak, 'mdia', 'elng');
  return elng ? plainText((await bytesOf(view, elng)).subarray(4)) : packedLanguage(await facts(view, mdhd));
}

async function titleOf(view: FileView, trak: Box): Promise<string> {
  const name = await boxAlong(view, trak, 'udta', 'name');
  return name ? plainText(await bytesOf(view, name)) : '';
}

async function areAllForced(view: FileView, entry: Box): Promise<boolean> {
  // Six reserved bytes and an index of two stand before it.
  if (entry.end - entry.start < 12) return false;
  return (viewOf(await view.bytes(entry.start + 8, entry.start + 12)).getUint32(0) & ALL_FORCED) !== 0;
}

/** Ticks a second of mvhd and mdhd. */
function ticksPerS(head: DataView): number {
  const ticks = afterDates(head);
  if (ticks === 0) throw new TextMalformed('no timescale');
  return ticks;
}

/** The number after two dates, which version 1 writes twice as long: of mvhd and mdhd the timescale, of tkhd the track's id. */
function afterDates(head: DataView): number {
  return u32(head, isLong(head) ? 20 : 12);
}

function isLong(head: DataView): boolean {
  return head.byteLength > 0 && head.getUint8(0) === 1;
}

/** ISO 639-2, five bits a letter, at the end of mdhd. */
function packedLanguage(mdhd: DataView): string {
  const at = isLong(mdhd) ? 32 : 20;
  const packed = at + 2 <= mdhd.byteLength ? mdhd.getUint16(at) : 0;
  return String.fromCharCode(...[10, 5, 0].map((bits) => ((packed >> bits) & 31) + 0x60));
}

/** What the first edits of a track say: that it begins later, or not with its first tick. */
async function offsetMs(view: FileView, trak: Box, movieTicksPerS: number, tickMs: number): Promise<number> {
  const elst = await boxAlong(view, trak, 'edts', 'elst');
  if (!elst) return 0;
  const edits = await facts(view, elst);
  const [editBytes, wide] = isLong(edits) ? [20, true] : [12, false];
  const count =
    edits.byteLength >= 8 ? Math.min(edits.getUint32(4), Math.floor((edits.byteLength - 8) / editBytes)) : 0;
  let lateMs = 0;
  for (let at = 8; at < 8 + count * editBytes; at += editBytes) {
    const duration = wide ? Number(edits.getBigUint64(at)) : edits.getUint32(at);
    const mediaTicks = wide ? Number(edits.getBigInt64(at + 8)) : edits.getInt32(at + 4);
    if (mediaTicks >= 0) return lateMs - mediaTicks * tickMs;
    lateMs += (duration / movieTicksPerS) * 1000;
  }
  return lateMs;
}

async function readTexts(
  view: FileView,
  moov: Box,
  tracks: readonly Mp4Track[],
  signal: AbortSignal,
): Promise<Cue[][]> {
  const all: Cue[][] = [];
  let leftBytes = MAX_TEXT_BYTES;
  const ids = tracks.map(({ id }) => id);
  const fragments = await readFragments(view, moov, ids, signal);
  for (const { id, stbl, read, maxBytes, tickMs, offsetMs } of tracks) {
    const raw: RawCue[] = [];
    try {
      const samples = [...(await readSamples(view, stbl)), ...(fragments.get(id) ?? [])];
      for (const { at, sizeBytes, startTicks, durationTicks } of samples) {
        signal.throwIfAborted();
        leftBytes -= sizeBytes;
        if (leftBytes < 0) break;
        const sample = await view.part(at, at + sizeBytes, maxBytes);
        for (const cue of read(sample, startTicks * tickMs, (startTicks + durationTicks) * tickMs)) {
          const startMs = Math.max(0, Math.round(offsetMs + cue.startMs));
          raw.push({ ...cue, startMs, endMs: cue.endMs === null ? null : Math.round(offsetMs + cue.endMs) });
        }
      }
    } catch (error) {
      // What could be read stays: the file may be cut off.
      if (!(error instanceof TextMalformed)) throw error;
    }
    all.push(shownCues(raw));
  }
  return all;
}

/** One text, shown for as long as its sample lasts. */
function whole(textOf: (sample: Uint8Array) => string): ReadSample {
  return (sample, startMs, endMs) => {
    const text = textOf(sample);
    return text === '' ? [] : [{ startMs, endMs, text }];
  };
}

/** A document whose times are the track's, of which a sample shows what falls into it (ISO/IEC 14496-30, section 5). */
function ttml(sample: Uint8Array, startMs: number, endMs: number): RawCue[] {
  return ttmlCues(plainText(sample))
    .map((cue) => ({
      text: cue.text,
      startMs: Math.max(startMs, cue.startMs),
      endMs: Math.min(endMs, cue.endMs ?? endMs),
    }))
    .filter((cue) => cue.endMs > cue.startMs);
}

/** Its length in two bytes, the text in UTF-8 or, with a mark, UTF-16; boxes about its looks follow. */
function timedText(sample: Uint8Array): string {
  if (sample.byteLength < 2) return '';
  const text = sample.subarray(2, 2 + viewOf(sample).getUint16(0));
  const [first, second] = text;
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(text);
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(text);
  return plainText(text);
}

/** Cues as boxes, with their text in one of them (ISO/IEC 14496-30); an empty one stands for a gap. */
function webVtt(sample: Uint8Array): string {
  const texts: string[] = [];
  for (const { type, data } of boxesOf(sample)) {
    if (type !== 'vttc') continue;
    for (const part of boxesOf(data)) if (part.type === 'payl') texts.push(plainText(part.data));
  }
  return texts.join('\n');
}

async function facts(view: FileView, box: Box): Promise<DataView> {
  return viewOf(await bytesOf(view, box));
}

async function bytesOf(view: FileView, { start, end }: Box): Promise<Uint8Array> {
  return await view.part(start, end, MAX_FACT_BYTES);
}

async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
