import type { EncodedPacket } from 'mediabunny';
import { concat, totalBytes, viewOf } from '../bytes.ts';

/** Elements of WebM (RFC 9559) that are looked at, or written. */
const SIMPLE_BLOCK = 0xa3;
const BLOCK_GROUP = 0xa0;
const BLOCK = 0xa1;
const BLOCK_DURATION = 0x9b;
const REFERENCE_BLOCK = 0xfb;

/** Those above have ids of one byte, a cluster's own has four. */
const CLUSTER_ID_BYTES = 4;

/** A block begins with its track's number (one byte), its time in the cluster (two) and its flags (one). */
const FLAGS_AT = 3;

/** In the flags of a block that stands alone; one in a group is a key frame where it refers to no other. */
const KEY_FLAG = 0x80;

/** An element as it lies in a cluster. */
interface Element {
  id: number;
  at: number;
  contentAt: number;
  end: number;
}

/** The last block of its track. */
interface LastBlock extends Element {
  /** In the cluster, milliseconds. */
  timeMs: number;
  /** Of the block of this track before it; null where there is none. */
  beforeMs: number | null;
}

/**
 * A cluster that is as large as it is, in place of one that ends where another begins, and that says how long the last block of each track lasts.
 * A browser that is not told either keeps that block until it has the next one: the last picture of a film was never shown, and of a
 * film of one picture none.
 * @param tracks the packets, those of track 1 first.
 */
export function endedCluster(
  cluster: Uint8Array,
  tracks: readonly (readonly EncodedPacket[])[],
): Uint8Array[] {
  const contentAt = CLUSTER_ID_BYTES + sizeBytes(cluster, CLUSTER_ID_BYTES);
  const parts: Uint8Array[] = [];
  let doneTo = contentAt;
  const elements = [...elementsOf(cluster, contentAt)];
  const startMs = uint(elements[0] ? cluster.subarray(elements[0].contentAt, elements[0].end) : []);
  for (const [track, block] of lastBlocks(cluster, elements)) {
    const durationMs = durationAt(tracks[track - 1] ?? [], startMs + block.timeMs);
    parts.push(cluster.subarray(doneTo, block.at), ...lasting(cluster, block, durationMs));
    doneTo = block.end;
  }
  parts.push(cluster.subarray(doneTo));
  return [cluster.subarray(0, CLUSTER_ID_BYTES), sized(totalBytes(parts)), ...parts];
}

/** By the tracks' numbers, in the order in which they lie. */
function lastBlocks(cluster: Uint8Array, elements: readonly Element[]): [number, LastBlock][] {
  const last = new Map<number, LastBlock>();
  for (const element of elements) {
    if (element.id !== SIMPLE_BLOCK) continue;
    const track = (cluster[element.contentAt] ?? 0) & 0x7f;
    const timeMs = viewOf(cluster).getInt16(element.contentAt + 1);
    last.set(track, { ...element, timeMs, beforeMs: last.get(track)?.timeMs ?? null });
  }
  return [...last].sort(([, a], [, b]) => a.at - b.at);
}

/** How long the packet that is shown then lasts, in the milliseconds that WebM counts in. */
function durationAt(packets: readonly EncodedPacket[], timeMs: number): number {
  const packet = packets.find(({ timestamp }) => Math.round(1000 * timestamp) === timeMs);
  return packet ? Math.round(1000 * (packet.timestamp + packet.duration)) - timeMs : 0;
}

/** The block in a group, which can say how long it lasts. */
function lasting(cluster: Uint8Array, block: LastBlock, durationMs: number): Uint8Array[] {
  const { at, contentAt, end, timeMs, beforeMs } = block;
  if (durationMs <= 0) return [cluster.subarray(at, end)];
  const flags = cluster[contentAt + FLAGS_AT] ?? 0;
  const head = cluster.slice(contentAt, contentAt + FLAGS_AT + 1);
  head[FLAGS_AT] = flags & ~KEY_FLAG;
  const content = [head, cluster.subarray(contentAt + head.byteLength, end)];
  const backMs = (beforeMs ?? timeMs - 1) - timeMs;
  const more = [
    element(BLOCK_DURATION, fourBytes(durationMs)),
    ...(flags & KEY_FLAG ? [] : [element(REFERENCE_BLOCK, fourBytes(backMs))]),
  ];
  const group = [Uint8Array.of(BLOCK), sized(totalBytes(content)), ...content, ...more];
  return [Uint8Array.of(BLOCK_GROUP), sized(totalBytes(group)), ...group];
}

function* elementsOf(bytes: Uint8Array, from: number): Generator<Element, void, undefined> {
  for (let at = from; at < bytes.byteLength; ) {
    const contentAt = at + 1 + sizeBytes(bytes, at + 1);
    const end = contentAt + sizeAt(bytes, at + 1);
    yield { id: bytes[at] ?? 0, at, contentAt, end };
    at = end;
  }
}

/** How many bytes a size takes: as many as there are bits before the first 1, and one more. */
function sizeBytes(bytes: Uint8Array, at: number): number {
  return Math.clz32(bytes[at] ?? 0) - 23;
}

function sizeAt(bytes: Uint8Array, at: number): number {
  const count = sizeBytes(bytes, at);
  return uint(bytes.subarray(at, at + count)) - 2 ** (7 * count);
}

function uint(bytes: Iterable<number>): number {
  let value = 0;
  for (const byte of bytes) value = value * 256 + byte;
  return value;
}

/** A size in eight bytes. */
function sized(size: number): Uint8Array {
  const bytes = new Uint8Array(8);
  viewOf(bytes).setBigUint64(0, BigInt(size) | (1n << 56n));
  return bytes;
}

function element(id: number, content: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(id), sized(content.byteLength), content);
}

/** Signed where it is below 0. */
function fourBytes(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setInt32(0, value);
  return bytes;
}
