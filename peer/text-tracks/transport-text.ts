import type { SubtitleName } from '../extras/subtitle-name.ts';
import { viewOf } from './boxes.ts';
import type { FileView } from './file-view.ts';
import type { TextTracks } from './text-tracks.ts';
import { textTrackName } from './track-name.ts';

/** MPEG-TS (ISO/IEC 13818-1): packets of 188 bytes, in .m2ts files with four more before each; tables lie in those of some ids. */
const SYNC = 0x47;
const PACKET_BYTES = 188;
const LAYOUTS = [
  { first: 0, everyBytes: PACKET_BYTES },
  { first: 4, everyBytes: 4 + PACKET_BYTES },
] as const;

/** How far the tables are looked for: they come ten times a second. */
const LOOKED_AT_BYTES = 1024 * 1024;

/** So many packets in a row that begin as packets do are no chance. */
const MIN_PACKETS = 4;

const PAT_ID = 0;
const PAT = 0;
const PMT = 2;

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
  const head = await view.bytes(0, Math.min(view.sizeBytes, LOOKED_AT_BYTES));
  const packets = packetsOf(head);
  if (!packets) return null;
  const pat = sectionIn(packets, PAT_ID, PAT);
  const programs = (pat ? programIds(pat) : []).flatMap((id) => sectionIn(packets, id, PMT) ?? []);
  return {
    names: [],
    pictures: programs.flatMap(picturesIn),
    unread: programs.flatMap(unreadIn),
    read: async () => [],
  };
}

function packetsOf(head: Uint8Array): Uint8Array[] | null {
  for (const { first, everyBytes } of LAYOUTS) {
    const packets: Uint8Array[] = [];
    for (let at = first; at + PACKET_BYTES <= head.byteLength && head[at] === SYNC; at += everyBytes)
      packets.push(head.subarray(at, at + PACKET_BYTES));
    if (packets.length >= MIN_PACKETS) return packets;
  }
  return null;
}

/** The first table of that kind under an id, without what follows it; null where none is whole. */
function sectionIn(packets: readonly Uint8Array[], id: number, kind: number): Uint8Array | null {
  let section: number[] | null = null;
  for (const packet of packets) {
    const head = viewOf(packet).getUint32(0);
    const payload = ((head >> 8) & 0x1fff) === id ? payloadOf(packet, head) : null;
    if (!payload) continue;
    // A table begins where a first byte says, and goes on in the packets after it.
    if (head & 0x40_0000) section = [...payload.subarray(1 + (payload[0] ?? 0))];
    else section?.push(...payload);
    const wholeBytes = section && section.length >= 3 ? 3 + u12(section, 1) : Number.POSITIVE_INFINITY;
    if (!section || section.length < wholeBytes) continue;
    if (section[0] === kind) return Uint8Array.from(section.slice(0, wholeBytes));
    section = null;
  }
  return null;
}

/** Null: the packet has none. */
function payloadOf(packet: Uint8Array, head: number): Uint8Array | null {
  if (!(head & 0x10)) return null;
  return packet.subarray(head & 0x20 ? 5 + (packet[4] ?? 0) : 4);
}

/** Bytes of the checksum at the end of a table. */
const CRC_BYTES = 4;

/** The ids under which the tables of programs are. */
function programIds(pat: Uint8Array): number[] {
  const ids: number[] = [];
  for (let at = 8; at + 4 <= pat.byteLength - CRC_BYTES; at += 4) {
    const program = ((pat[at] ?? 0) << 8) | (pat[at + 1] ?? 0);
    // 0 is the network's.
    if (program !== 0) ids.push(u13(pat, at + 2));
  }
  return ids;
}

interface Stream {
  kind: number | undefined;
  descriptors: ReadonlyMap<number, Uint8Array>;
}

function* streamsIn(pmt: Uint8Array): Generator<Stream, void, undefined> {
  for (let at = 12 + u12(pmt, 10); at + 5 <= pmt.byteLength - CRC_BYTES; ) {
    const infoBytes = u12(pmt, at + 3);
    yield { kind: pmt[at], descriptors: descriptorsIn(pmt.subarray(at + 5, at + 5 + infoBytes)) };
    at += 5 + infoBytes;
  }
}

function picturesIn(pmt: Uint8Array): SubtitleName[] {
  const found: SubtitleName[] = [];
  for (const { kind: stream, descriptors } of streamsIn(pmt)) {
    if (stream === PGS) found.push(nameOf(descriptors.get(ISO_LANGUAGE)));
    const dvb = stream === PRIVATE ? descriptors.get(DVB_SUBTITLES) : undefined;
    for (let entry = 0; dvb && entry + 8 <= dvb.byteLength; entry += 8) {
      const kind = dvb[entry + 3] ?? 0;
      const isForHardOfHearing = kind >= FIRST_HARD_OF_HEARING && kind <= LAST_HARD_OF_HEARING;
      found.push(nameOf(dvb.subarray(entry), isForHardOfHearing));
    }
  }
  return found;
}

function unreadIn(pmt: Uint8Array): SubtitleName[] {
  const found: SubtitleName[] = [];
  for (const { kind, descriptors } of streamsIn(pmt)) {
    if (kind !== PRIVATE) continue;
    const pages = descriptors.get(TELETEXT);
    for (let entry = 0; pages && entry + 5 <= pages.byteLength; entry += 5) {
      const what = (pages[entry + 3] ?? 0) >> 3;
      const isForHardOfHearing = what === TELETEXT_FOR_HARD_OF_HEARING;
      if (what === TELETEXT_SUBTITLES || isForHardOfHearing)
        found.push(nameOf(pages.subarray(entry), isForHardOfHearing, 'teletext'));
    }
    const component = descriptors.get(DATA_COMPONENT);
    if (component && (((component[0] ?? 0) << 8) | (component[1] ?? 0)) === ARIB_CAPTIONS)
      found.push(nameOf(descriptors.get(ISO_LANGUAGE), false, 'ARIB'));
  }
  return found;
}

/** By their kind. */
function descriptorsIn(bytes: Uint8Array): Map<number, Uint8Array> {
  const found = new Map<number, Uint8Array>();
  for (let at = 0; at + 2 <= bytes.byteLength; ) {
    const sizeBytes = bytes[at + 1] ?? 0;
    found.set(bytes[at] ?? 0, bytes.subarray(at + 2, at + 2 + sizeBytes));
    at += 2 + sizeBytes;
  }
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

function u12(bytes: ArrayLike<number>, at: number): number {
  return (((bytes[at] ?? 0) & 0xf) << 8) | (bytes[at + 1] ?? 0);
}

function u13(bytes: ArrayLike<number>, at: number): number {
  return (((bytes[at] ?? 0) & 0x1f) << 8) | (bytes[at + 1] ?? 0);
}
