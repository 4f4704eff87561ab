import type { SubtitleName } from '../extras/subtitle-name.ts';
import { TABLES_WITHIN_BYTES, type TransportStream, transportStreams } from '../host/transport-tables.ts';
import type { FileView } from './file-view.ts';
import type { TextTracks } from './text-tracks.ts';
import { textTrackName } from './track-name.ts';

/** Kinds of streams: Blu-ray's pictures, and private data, which a descriptor says more of. */
const PGS = 0x90;
const PRIVATE = 0x06;
const DVB_SUBTITLES = 0x59;
const ISO_LANGUAGE = 0x0a;

/** Teletext, and which of its pages are subtitles (ETSI EN 300 468, section 6.2.43); Japan's captions (ARIB STD-B10). */
const TELETEXT = 0x56;
const TELETEXT_SUBTITLES = 2;
const TELETEXT_FOR_HARD_OF_HEARING = 5;
const DATA_COMPONENT = 0xfd;
const ARIB_CAPTIONS = 0x0008;

/** Subtitles of DVB for the hard of hearing (ETSI EN 300 468, table 26): 0x20 to 0x24. */
const FIRST_HARD_OF_HEARING = 0x20;
const LAST_HARD_OF_HEARING = 0x24;

/** What an MPEG-TS file has of subtitles: pictures (DVB, PGS), and what is not read (teletext, ARIB's captions); null where it is none. */
export async function openTransportText(view: FileView): Promise<TextTracks | null> {
  const head = await view.bytes(0, Math.min(view.sizeBytes, TABLES_WITHIN_BYTES));
  const streams = transportStreams(head);
  if (!streams) return null;
  return {
    names: [],
    pictures: streams.flatMap(picturesIn),
    unread: streams.flatMap(unreadIn),
    read: async () => [],
  };
}

function picturesIn({ kind: stream, descriptors }: TransportStream): SubtitleName[] {
  const found: SubtitleName[] = [];
  if (stream === PGS) found.push(nameOf(descriptors.get(ISO_LANGUAGE)));
  const dvb = stream === PRIVATE ? descriptors.get(DVB_SUBTITLES) : undefined;
  for (let entry = 0; dvb && entry + 8 <= dvb.byteLength; entry += 8) {
    const kind = dvb[entry + 3] ?? 0;
    const isForHardOfHearing = kind >= FIRST_HARD_OF_HEARING && kind <= LAST_HARD_OF_HEARING;
    found.push(nameOf(dvb.subarray(entry), isForHardOfHearing));
  }
  return found;
}

function unreadIn({ kind, descriptors }: TransportStream): SubtitleName[] {
  const found: SubtitleName[] = [];
  const pages = kind === PRIVATE ? descriptors.get(TELETEXT) : undefined;
  for (let entry = 0; pages && entry + 5 <= pages.byteLength; entry += 5) {
    const what = (pages[entry + 3] ?? 0) >> 3;
    const isForHardOfHearing = what === TELETEXT_FOR_HARD_OF_HEARING;
    if (what === TELETEXT_SUBTITLES || isForHardOfHearing)
      found.push(nameOf(pages.subarray(entry), isForHardOfHearing, 'teletext'));
  }
  const component = kind === PRIVATE ? descriptors.get(DATA_COMPONENT) : undefined;
  if (component && (((component[0] ?? 0) << 8) | (component[1] ?? 0)) === ARIB_CAPTIONS)
    found.push(nameOf(descriptors.get(ISO_LANGUAGE), false, 'ARIB'));
  return found;
}

/** @param language begins with three letters (ISO 639-2); undefined: the file does not say. */
function nameOf(language: Uint8Array | undefined, isForHardOfHearing = false, format = ''): SubtitleName {
  return textTrackName({
    language: language ? String.fromCharCode(...language.subarray(0, 3)) : '',
    title: '',
    isForced: false,
    isForHardOfHearing,
    isDefault: false,
    format,
  });
}
