import { viewOf } from '../bytes.ts';
import { type FileView, TextMalformed } from './file-view.ts';

/** Boxes of ISO base media files (ISO/IEC 14496-12, section 4.2): a size, a type and data, which may be boxes again. */

export interface Box {
  /** Four characters. */
  type: string;
  /** Where its data lies in the file; the end is exclusive. */
  start: number;
  end: number;
}

/** Boxes beside each other: a dozen, and some tracks. */
const MAX_BOXES = 1_000;

/** The boxes between two places of a file. @throws TextMalformed where one has no size that can be, or there are too many. */
export async function* boxesIn(
  view: FileView,
  start: number,
  end: number,
  maxBoxes = MAX_BOXES,
): AsyncGenerator<Box, void, undefined> {
  let at = start;
  for (let count = 0; at + 8 <= end; count++) {
    if (count === maxBoxes) throw new TextMalformed('too many boxes');
    const box = await boxAt(view, at, end);
    yield box;
    at = box.end;
  }
}

/** The first one of a type, a type of its children, and so on; null where one is missing. */
export async function boxAlong(view: FileView, parent: Box, ...path: string[]): Promise<Box | null> {
  let box: Box | null = parent;
  for (const type of path) {
    box = box && (await firstIn(view, box, type));
  }
  return box;
}

async function firstIn(view: FileView, { start, end }: Box, type: string): Promise<Box | null> {
  for await (const child of boxesIn(view, start, end)) if (child.type === type) return child;
  return null;
}

async function boxAt(view: FileView, at: number, parentEnd: number): Promise<Box> {
  const head = viewOf(await view.bytes(at, Math.min(at + 16, parentEnd)));
  const size = head.getUint32(0);
  const type = String.fromCharCode(...new Uint8Array(head.buffer, head.byteOffset + 4, 4));
  const [headBytes, sizeBytes] =
    size === 1 && head.byteLength === 16 ? [16, Number(head.getBigUint64(8))] : [8, size];
  // 0: to the end of the file.
  const end = size === 0 ? parentEnd : at + sizeBytes;
  if (end < at + headBytes || end > parentEnd) throw new TextMalformed(`box ${type} ends at ${end}`);
  return { type, start: at + headBytes, end };
}

/** The same boxes in bytes that are at hand. @throws TextMalformed as {@link boxesIn}. */
export function* boxesOf(bytes: Uint8Array): Generator<{ type: string; data: Uint8Array }, void, undefined> {
  const view = viewOf(bytes);
  for (let at = 0; at + 8 <= bytes.byteLength; ) {
    const end = at + view.getUint32(at);
    if (end < at + 8 || end > bytes.byteLength) throw new TextMalformed('a box that ends too late');
    yield { type: String.fromCharCode(...bytes.subarray(at + 4, at + 8)), data: bytes.subarray(at + 8, end) };
    at = end;
  }
}

/** A number of a box. @throws TextMalformed where it is not all there. */
export function u32(view: DataView, at: number): number {
  if (at + 4 > view.byteLength) throw new TextMalformed('a table that is not all there');
  return view.getUint32(at);
}
