import { readExactly, type VideoSource } from './package-source.ts';

/**
 * Recordings in MPEG-TS that were put together of several (by `cat`, by a recorder that was interrupted, by a channel that changed its
 * clock): the clock jumps where one ends and the next begins. They are read as if it went on.
 */

/** How packets lie in the file: the first one's place, and from one to the next. */
export interface PacketLayout {
  first: number;
  everyBytes: number;
}

/** Ticks of the clock a second, and when it begins anew. */
const TICKS_PER_S = 90_000;
const MODULUS = 2 ** 33;

/** What is more is no order of pictures that are shown otherwise than they are coded. */
const JUMP_TICKS = TICKS_PER_S;

/** A film of which some seconds were lost is what it is; where an hour is missing nobody waits for it. */
const GAP_TICKS = 60 * TICKS_PER_S;

/** Places at which the clock is read, by the size of the file. */
const LOOKED_AT = { everyBytes: 64 * 1024, min: 4, max: 24 };

/** How far a clock is looked for: it comes with every picture. */
const CLOCK_WITHIN_BYTES = 2 * 1024 * 1024;

/** How far from a place where it jumps what belongs to one side may lie on the other: as much as the film has in so many seconds. */
const AROUND_TICKS = TICKS_PER_S;

/** Pictures from before are shown until then, whatever their order. */
const STEP_TICKS = 0.2 * TICKS_PER_S;

/** A place where the clock is told. */
interface ClockAt {
  at: number;
  ticks: number;
}

/** Where the clock jumps. */
interface Join {
  at: number;
  beforeTicks: number;
  afterTicks: number;
  /** How near to it the other side's may lie, before it and after it: the parts may have very different rates. */
  around: { beforeBytes: number; afterBytes: number };
}

/** The same with what is to be added to the clock from there on. */
interface Section extends Join {
  offsetTicks: number;
}

/** A file whose clock goes on, and where parts begin that were other recordings. */
export interface OneClock {
  source: VideoSource;
  joinsAt: readonly number[];
}

/**
 * The same file with a clock that goes on, where it jumps between some of the places that are looked at; else as it is. A part that is shorter
 * than the way between two such places may be missed.
 * @throws MatineeError FILE_UNREADABLE.
 */
export async function withOneClock(source: VideoSource, layout: PacketLayout): Promise<OneClock> {
  const clock = await Clock.find(source, layout);
  const joins = clock ? await findJoins(clock, source.sizeBytes) : [];
  if (joins.length === 0) return { source, joinsAt: [] };
  const sections: Section[] = [];
  for (const join of joins) {
    const before = sections.at(-1)?.offsetTicks ?? 0;
    sections.push({ ...join, offsetTicks: before + join.beforeTicks + STEP_TICKS - join.afterTicks });
  }
  const joinsAt = joins.map(({ at }) => at - layout.first);
  return { source: retimed(source, layout, sections), joinsAt };
}

async function findJoins(clock: Clock, sizeBytes: number): Promise<Join[]> {
  const count = Math.min(LOOKED_AT.max, Math.max(LOOKED_AT.min, Math.ceil(sizeBytes / LOOKED_AT.everyBytes)));
  const seen: ClockAt[] = [];
  for (let i = 0; i < count; i++) {
    const found = await clock.after((sizeBytes / count) * i);
    if (found && found.at !== seen.at(-1)?.at) seen.push(found);
  }
  const last = await clock.last(sizeBytes);
  if (last && last.at > (seen.at(-1)?.at ?? 0)) seen.push(last);
  const joins: Join[] = [];
  const steps = seen.slice(1).map(({ ticks }, i) => apart(seen[i]?.ticks ?? 0, ticks));
  const usual = [...steps].sort((a, b) => a - b)[Math.floor(steps.length / 2)] ?? 0;
  for (const [i, step] of steps.entries()) {
    const [from, to] = [seen[i], seen[i + 1]];
    const isFar = step > GAP_TICKS && step > 10 * usual;
    if (from && to && (step < 0 || isFar)) joins.push(...(await joinsBetween(clock, from, to)));
  }
  return joins;
}

/** Halves the way until the two sides of the jump are neighbours. */
async function joinsBetween(clock: Clock, from: ClockAt, to: ClockAt): Promise<Join[]> {
  let [low, high] = [from, to];
  for (;;) {
    const middle = await clock.after((low.at + high.at) / 2);
    if (!middle || middle.at >= high.at) break;
    const isBefore =
      apart(low.ticks, middle.ticks) < 0 || apart(low.ticks, middle.ticks) > apart(middle.ticks, high.ticks);
    if (isBefore && apart(middle.ticks, high.ticks) >= 0) high = middle;
    else low = middle;
  }
  // What is left is walked through.
  for (
    let next = await clock.after(low.at + 1);
    next && next.at <= high.at;
    next = await clock.after(low.at + 1)
  ) {
    if (Math.abs(apart(low.ticks, next.ticks)) > JUMP_TICKS) {
      const { at, ticks: afterTicks } = next;
      const beforeTicks = await clock.latestBefore(at, low.ticks);
      const around = {
        beforeBytes: await clock.bytesBefore(at, beforeTicks),
        afterBytes: await clock.bytesAfter(at, afterTicks),
      };
      return [{ at, beforeTicks, afterTicks, around }];
    }
    low = next;
  }
  return [];
}

/** Pictures are coded otherwise than they are shown: a few are earlier. */
function isWithin(ticks: number): boolean {
  return ticks > -AROUND_TICKS && ticks < AROUND_TICKS;
}

/** Signed, the short way round. */
function apart(from: number, to: number): number {
  const ticks = (((to - from) % MODULUS) + MODULUS) % MODULUS;
  return ticks > MODULUS / 2 ? ticks - MODULUS : ticks;
}

/** The clock of one stream of a file, told by when its pictures are shown. */
class Clock {
  readonly #source: VideoSource;
  readonly #layout: PacketLayout;
  readonly #stream: number;

  private constructor(source: VideoSource, layout: PacketLayout, stream: number) {
    this.#source = source;
    this.#layout = layout;
    this.#stream = stream;
  }

  /** That of the first picture, or of the first sound where there is none. Null: there is neither. */
  static async find(source: VideoSource, layout: PacketLayout): Promise<Clock | null> {
    const bytes = await readExactly(source, 0, Math.min(source.sizeBytes, CLOCK_WITHIN_BYTES));
    const stamps = [...stampsIn(bytes, layout.first, layout)];
    const stamp = stamps.find(({ isPicture }) => isPicture) ?? stamps[0];
    return stamp ? new Clock(source, layout, stamp.stream) : null;
  }

  /** The first one from this place on; null where none is near. */
  async after(place: number): Promise<ClockAt | null> {
    for await (const clock of this.#from(place, place + CLOCK_WITHIN_BYTES)) return clock;
    return null;
  }

  async last(sizeBytes: number): Promise<ClockAt | null> {
    let last: ClockAt | null = null;
    for await (const clock of this.#from(Math.max(0, sizeBytes - CLOCK_WITHIN_BYTES), sizeBytes))
      last = clock;
    return last;
  }

  /** The latest that is told shortly before a place, on a clock that shows `ticks` there. */
  async latestBefore(place: number, ticks: number): Promise<number> {
    let latest = ticks;
    for await (const clock of this.#from(Math.max(0, place - CLOCK_WITHIN_BYTES), place)) {
      const ahead = apart(latest, clock.ticks);
      if (ahead > 0 && ahead < JUMP_TICKS) latest = clock.ticks;
    }
    return latest;
  }

  /** How much of the file the last AROUND_TICKS before a place take, where the clock shows `ticks`. */
  async bytesBefore(place: number, ticks: number): Promise<number> {
    let first: ClockAt | null = null;
    for await (const clock of this.#from(Math.max(0, place - CLOCK_WITHIN_BYTES), place)) {
      if (!isWithin(apart(clock.ticks, ticks))) first = null;
      else first ??= clock;
    }
    return first ? place - first.at : 0;
  }

  /** The same of the first ones after it. */
  async bytesAfter(place: number, ticks: number): Promise<number> {
    let lastAt = place;
    for await (const clock of this.#from(place, place + CLOCK_WITHIN_BYTES)) {
      if (!isWithin(apart(ticks, clock.ticks))) break;
      lastAt = clock.at;
    }
    return lastAt - place;
  }

  /** Reads a little at a time: mostly the first is the one. */
  async *#from(start: number, end: number): AsyncGenerator<ClockAt, void, undefined> {
    const { first, everyBytes } = this.#layout;
    const chunkBytes = 512 * everyBytes;
    const until = Math.min(end, this.#source.sizeBytes);
    for (
      let at = first + Math.ceil(Math.max(0, start - first) / everyBytes) * everyBytes;
      at < until;
      at += chunkBytes
    ) {
      const bytes = await readExactly(this.#source, at, Math.min(at + chunkBytes, until));
      for (const { at: inside, stream, shown } of stampsIn(bytes, 0, this.#layout))
        if (stream === this.#stream) yield { at: at + inside, ticks: readStamp(bytes, shown) };
    }
  }
}

/** Where in some bytes a packet begins that tells when its content is shown, and where it tells so. */
interface Stamp {
  at: number;
  stream: number;
  isPicture: boolean;
  /** Of when it is shown, and of when it is decoded where that is told too. */
  shown: number;
  decoded: number | null;
}

const SYNC = 0x47;
const PACKET_BYTES = 188;

/** @param first where the first whole packet begins. */
function* stampsIn(
  bytes: Uint8Array,
  first: number,
  { everyBytes }: PacketLayout,
): Generator<Stamp, void, undefined> {
  for (let at = first; at + PACKET_BYTES <= bytes.byteLength; at += everyBytes) {
    const [sync = 0, high = 0, low = 0, flags = 0, extra = 0] = bytes.subarray(at, at + 5);
    if (sync !== SYNC || !(high & 0x40) || !(flags & 0x10)) continue;
    const pes = at + (flags & 0x20 ? 5 + extra : 4);
    if (pes + 19 > at + PACKET_BYTES) continue;
    const isPes = bytes[pes] === 0 && bytes[pes + 1] === 0 && bytes[pes + 2] === 1;
    const id = bytes[pes + 3] ?? 0;
    // Sound, pictures, and private data such as Dolby's; others have no such head.
    const isMedia = (id >= 0xc0 && id <= 0xef) || id === 0xbd || id === 0xfd;
    const told = (bytes[pes + 7] ?? 0) >> 6;
    if (!isPes || !isMedia || told < 2) continue;
    yield {
      at,
      stream: ((high & 0x1f) << 8) | low,
      isPicture: id >= 0xe0 && id <= 0xef,
      shown: pes + 9,
      decoded: told === 3 ? pes + 14 : null,
    };
  }
}

/** 33 bits in five bytes, with marks between. */
function readStamp(bytes: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0, e = 0] = bytes.subarray(at, at + 5);
  return ((a >> 1) & 7) * 2 ** 30 + (b << 22) + ((c >> 1) << 15) + (d << 7) + (e >> 1);
}

function writeStamp(bytes: Uint8Array, at: number, ticks: number): void {
  const rest = ticks % 2 ** 30;
  const mark = (bytes[at] ?? 0) & 0xf1;
  const high = Math.floor(ticks / 2 ** 30);
  bytes.set(
    [mark | (high << 1), rest >> 22, ((rest >> 14) & 0xfe) | 1, (rest >> 7) & 0xff, ((rest << 1) & 0xfe) | 1],
    at,
  );
}

function retimed(source: VideoSource, layout: PacketLayout, sections: readonly Section[]): VideoSource {
  const { first, everyBytes } = layout;
  const { name, sizeBytes } = source;
  const read = async (start: number, end: number): Promise<Uint8Array> => {
    // Whole packets, for a stamp may lie on an edge.
    const from = Math.max(0, first + Math.floor((start - first) / everyBytes) * everyBytes);
    const to = Math.min(sizeBytes, first + Math.ceil((end - first) / everyBytes) * everyBytes);
    const bytes = (await readExactly(source, from, to)).slice();
    const firstInside = (((first - from) % everyBytes) + everyBytes) % everyBytes;
    for (const { at, shown, decoded } of stampsIn(bytes, firstInside, layout)) {
      const offset = offsetAt(sections, from + at, readStamp(bytes, shown));
      for (const place of decoded === null ? [shown] : [shown, decoded])
        writeStamp(bytes, place, (((readStamp(bytes, place) + offset) % MODULUS) + MODULUS) % MODULUS);
    }
    return bytes.subarray(start - from, end - from);
  };
  return { name, sizeBytes, read };
}

/** Sound that lies near a jump may belong to the other side: its own time says so. */
function offsetAt(sections: readonly Section[], place: number, ticks: number): number {
  let offset = 0;
  for (const { at, beforeTicks, afterTicks, around, offsetTicks } of sections) {
    const isNear = place < at ? at - place <= around.beforeBytes : place - at <= around.afterBytes;
    const isAfter = isNear
      ? Math.abs(apart(afterTicks, ticks)) < Math.abs(apart(beforeTicks, ticks))
      : place >= at;
    if (isAfter) offset = offsetTicks;
  }
  return offset;
}
