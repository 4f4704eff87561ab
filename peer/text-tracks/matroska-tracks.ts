import type { SubtitleName } from '../extras/subtitle-name.ts';
import { assText, plainText, webmText } from './cue-payload.ts';
import { childOf, elements, textOf, unsignedOf } from './ebml.ts';
import { TextMalformed } from './file-view.ts';
import { textTrackName } from './track-name.ts';

/** Elements of a Matroska file's Tracks (RFC 9559, section 5.1.4). */
const TRACK_ENTRY = 0xae;
const TRACK_NUMBER = 0xd7;
const TRACK_TYPE = 0x83;
const FLAG_DEFAULT = 0x88;
const FLAG_FORCED = 0x55aa;
const FLAG_HEARING_IMPAIRED = 0x55ab;
const NAME = 0x536e;
const LANGUAGE = 0x22b59c;
const LANGUAGE_BCP47 = 0x22b59d;
const CODEC_ID = 0x86;
const CONTENT_ENCODINGS = 0x6d80;
const CONTENT_ENCODING = 0x6240;
const CONTENT_ENCODING_TYPE = 0x5033;
const CONTENT_COMPRESSION = 0x5034;
const CONTENT_COMP_ALGO = 0x4254;
const CONTENT_COMP_SETTINGS = 0x4255;

const SUBTITLES = 0x11;
const COMPRESSION = 0;
const ZLIB = 0;
const HEADER_STRIPPING = 3;

/** Codecs of subtitles that are pictures. */
const PICTURES = ['S_HDMV/PGS', 'S_VOBSUB', 'S_DVBSUB', 'S_IMAGE/BMP'];

/** How the texts of a codec are made plain. */
const TEXT_OF: Readonly<Record<string, (payload: Uint8Array) => string>> = {
  'S_TEXT/UTF8': plainText,
  'S_TEXT/ASCII': plainText,
  'S_TEXT/WEBVTT': plainText,
  'D_WEBVTT/SUBTITLES': webmText,
  'D_WEBVTT/CAPTIONS': webmText,
  'S_TEXT/ASS': assText,
  'S_TEXT/SSA': assText,
  S_ASS: assText,
  S_SSA: assText,
};

/** A text track of a Matroska file. */
export interface MatroskaTrack {
  /** By which its blocks are known. */
  number: number;
  name: SubtitleName;
  packing: Packing;
  textOf(payload: Uint8Array): string;
}

/** How the data of a block was made smaller. */
export type Packing = { how: 'none' } | { how: 'zlib' } | { how: 'stripped'; head: Uint8Array };

/** What there is of subtitles among the entries of Tracks; texts that are encrypted, packed as nobody packs them, or of a codec nobody uses, are unread. */
export function matroskaTracks(tracks: Uint8Array): {
  texts: MatroskaTrack[];
  pictures: SubtitleName[];
  unread: SubtitleName[];
} {
  const [texts, pictures, unread]: [MatroskaTrack[], SubtitleName[], SubtitleName[]] = [[], [], []];
  let hasDefault = false;
  for (const { id, data } of elements(tracks)) {
    if (id !== TRACK_ENTRY || numberIn(data, TRACK_TYPE) !== SUBTITLES) continue;
    const codec = textIn(data, CODEC_ID) ?? '';
    if (PICTURES.includes(codec)) {
      pictures.push(nameOf(data, false));
      continue;
    }
    const textOf = TEXT_OF[codec];
    const packing = packingOf(data);
    const number = numberIn(data, TRACK_NUMBER);
    if (!textOf || !packing || number === null) {
      unread.push(nameOf(data, false, codec.replace(/^S_(?:TEXT\/)?/, '')));
      continue;
    }
    // Where the file says nothing it means yes (RFC 9559), and where it means several, the first: players show one.
    const isDefault: boolean = !hasDefault && numberIn(data, FLAG_DEFAULT) !== 0;
    hasDefault ||= isDefault;
    texts.push({ number, name: nameOf(data, isDefault), packing, textOf });
  }
  return { texts, pictures, unread };
}

function nameOf(entry: Uint8Array, isDefault: boolean, format = ''): SubtitleName {
  const isForced = numberIn(entry, FLAG_FORCED) === 1;
  return textTrackName({
    // As the specification has it where nothing is said.
    language: textIn(entry, LANGUAGE_BCP47) ?? textIn(entry, LANGUAGE) ?? 'eng',
    title: textIn(entry, NAME) ?? '',
    isForced,
    isForHardOfHearing: numberIn(entry, FLAG_HEARING_IMPAIRED) === 1,
    isDefault: isDefault || isForced,
    format,
  });
}

/** Null: in a way that is not read here. */
function packingOf(entry: Uint8Array): Packing | null {
  const encodings = [...elements(childOf(entry, CONTENT_ENCODINGS) ?? new Uint8Array())];
  const [encoding, ...more] = encodings.filter(({ id }) => id === CONTENT_ENCODING);
  if (!encoding) return { how: 'none' };
  const isCompressed = (numberIn(encoding.data, CONTENT_ENCODING_TYPE) ?? COMPRESSION) === COMPRESSION;
  if (more.length > 0 || !isCompressed) return null;
  const compression = childOf(encoding.data, CONTENT_COMPRESSION) ?? new Uint8Array();
  const algorithm = numberIn(compression, CONTENT_COMP_ALGO) ?? ZLIB;
  if (algorithm === ZLIB) return { how: 'zlib' };
  if (algorithm !== HEADER_STRIPPING) return null;
  return { how: 'stripped', head: childOf(compression, CONTENT_COMP_SETTINGS) ?? new Uint8Array() };
}

function numberIn(parent: Uint8Array, id: number): number | null {
  const data = childOf(parent, id);
  return data && unsignedOf(data);
}

function textIn(parent: Uint8Array, id: number): string | null {
  const data = childOf(parent, id);
  if (!data) return null;
  if (data.byteLength > 10_000) throw new TextMalformed('a name that is none');
  return textOf(data);
}
