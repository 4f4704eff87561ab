import { readHead, type VideoSource } from './package-source.ts';
import type { PacketLayout } from './transport-joins.ts';

/** MPEG-TS (ISO/IEC 13818-1): packets of 188 bytes, in .m2ts files with four more before each; tables lie in those of some ids. */
const SYNC = 0x47;
const PACKET_BYTES = 188;
const LAYOUTS = [
  { first: 0, everyBytes: PACKET_BYTES },
  { first: 4, everyBytes: 4 + PACKET_BYTES },
] as const;

/** How far into a file the tables are looked for: they come ten times a second. */
export const TABLES_WITHIN_BYTES = 1024 * 1024;

/** So many packets in a row that begin as packets do are no chance. */
const MIN_PACKETS = 4;

const PAT_ID = 0;
const PAT = 0;
const PMT = 2;

/** The streams of all programs of an MPEG-TS file, by the tables in its head; null where it is none. */
export function transportStreams(head: Uint8Array): TransportStream[] | null {
  const packets = packetsOf(head);
  if (!packets) return null;
  const pat = sectionIn(packets, PAT_ID, PAT);
  const tables = (pat ? programIds(pat) : []).flatMap((id) => sectionIn(packets, id, PMT) ?? []);
  return tables.flatMap((pmt) => [...streamsIn(pmt)]);
}

/** Whether packets in a file's head say of themselves that sound is in them, whatever the tables call it. */
export function hasSoundPackets(head: Uint8Array): boolean {
  return (packetsOf(head) ?? []).some((packet) => {
    const first = new DataView(packet.buffer, packet.byteOffset).getUint32(0);
    const [a, b, c, id = 0] = (first & 0x40_0000 ? payloadOf(packet, first) : null) ?? [];
    return a === 0 && b === 0 && c === 1 && (id & 0xe0) === 0xc0;
  });
}

/** So many packets in a row where none begins at the file's start: a recording that began in the middle of one. */
const ALIGNED_BY_PACKETS = 8;

/** A file as it is read, and how the packets lie in it; null where it is no MPEG-TS. */
export interface Aligned {
  source: VideoSource;
  layout: PacketLayout | null;
}

/**
 * The same file from its first whole packet on, where it is MPEG-TS that begins in the middle of one; else as it is.
 * @throws MatineeError FILE_UNREADABLE.
 */
export async function fromFirstPacket(source: VideoSource): Promise<Aligned> {
  const head = await readHead(source, (ALIGNED_BY_PACKETS + 1) * (4 + PACKET_BYTES));
  for (const layout of LAYOUTS)
    for (let skipped = 0; skipped < layout.everyBytes; skipped++) {
      if (!isRun(head, skipped + layout.first, layout.everyBytes)) continue;
      return { source: skipped === 0 ? source : later(source, skipped), layout };
    }
  return { source, layout: null };
}

function isRun(head: Uint8Array, at: number, everyBytes: number): boolean {
  for (let i = 0; i < ALIGNED_BY_PACKETS; i++) if (head[at + i * everyBytes] !== SYNC) return false;
  return true;
}

/** The same file without so many bytes at its beginning. */
export function later({ name, sizeBytes, read }: VideoSource, skipped: number): VideoSource {
  return { name, sizeBytes: sizeBytes - skipped, read: (start, end) => read(start + skipped, end + skipped) };
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
    const head = new DataView(packet.buffer, packet.byteOffset).getUint32(0);
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

/** A stream of a program. */
export interface TransportStream {
  kind: number | undefined;
  /** What is said of it, by the kind of that. */
  descriptors: ReadonlyMap<number, Uint8Array>;
}

/** The streams of a program, by its table. */
function* streamsIn(pmt: Uint8Array): Generator<TransportStream, void, undefined> {
  for (let at = 12 + u12(pmt, 10); at + 5 <= pmt.byteLength - CRC_BYTES; ) {
    const infoBytes = u12(pmt, at + 3);
    yield { kind: pmt[at], descriptors: descriptorsIn(pmt.subarray(at + 5, at + 5 + infoBytes)) };
    at += 5 + infoBytes;
  }
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

function u12(bytes: ArrayLike<number>, at: number): number {
  return (((bytes[at] ?? 0) & 0xf) << 8) | (bytes[at + 1] ?? 0);
}

function u13(bytes: ArrayLike<number>, at: number): number {
  return (((bytes[at] ?? 0) & 0x1f) << 8) | (bytes[at + 1] ?? 0);
}
