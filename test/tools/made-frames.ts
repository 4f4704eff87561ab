import * as v from 'valibot';
import { type Bytes, concat } from '../../peer/bytes.ts';
import { encodeCbor } from '../../peer/cbor.ts';
import { MAX_FRAME_BYTES, PIECE_BYTES } from '../../peer/limits.ts';
import { allocatePieceFrame, encodeFrame, PIECE_HEADER_BYTES } from '../../peer/wire/frame.ts';
import { MESSAGES, type MessageName } from '../../peer/wire/messages.ts';
import { fillFrom } from '../sim/seeded-random.ts';

/** What valibot's schemas are made of, as far as the table of messages uses it. */
interface Shape {
  type: string;
  entries?: Record<string, Shape>;
  items?: Shape[];
  item?: Shape;
  wrapped?: Shape;
  options?: unknown[];
  literal?: unknown;
  pipe?: { type: string; requirement?: unknown }[];
}

/** In place of a value: the key is not there. */
const LEFT_OUT = Symbol('left out');

type Generator = (isWild: boolean) => unknown;

const NAMES = Object.keys(MESSAGES) as MessageName[];

/** Values that have broken decoders before. */
const ODD_VALUES: unknown[] = [null, true, '', -1, 1.5, 2 ** 53 - 1, -(2 ** 53) + 1, [], {}, [[[[]]]], 'x'];

/** Makes frames from the table of messages: valid ones, nearly valid ones, and what is left of them after an accident. A new row is covered by itself. */
export class MadeFrames {
  readonly #random: () => number;
  readonly #bodies = new Map<MessageName, Generator>();
  /** Byte strings that mean something in the room: hashes, envelopes, sealed lines. */
  readonly words: Bytes[] = [];
  /** Whole frames to be sent again, or bent. */
  readonly corpus: Bytes[] = [];

  constructor(random: () => number) {
    this.#random = random;
    for (const name of NAMES) {
      const { body } = MESSAGES[name];
      if (body) this.#bodies.set(name, this.#generator(body as unknown as Shape, body));
    }
  }

  /** A frame that decodes. */
  valid(name: MessageName = this.#pick(NAMES)): Bytes {
    if (name === 'piece') return this.#piece();
    return encodeFrame(name, this.#bodies.get(name)?.(false) as never);
  }

  /** Any frame: about half of them decode. */
  next(): Bytes {
    const dice = this.#random();
    if (dice < 0.5) return this.valid();
    if (dice < 0.6) return this.#pick(this.corpus) ?? this.valid();
    if (dice < 0.7) return this.#wild();
    if (dice < 0.75) return this.#noise();
    return this.#mutated(this.#random() < 0.3 ? (this.#pick(this.corpus) ?? this.valid()) : this.valid());
  }

  /** Bytes of this length. */
  noiseOf(sizeBytes: number): Bytes {
    return fillFrom(this.#random, new Uint8Array(sizeBytes));
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#below(from.length)] as T;
  }

  #below(end: number): number {
    return Math.floor(this.#random() * end);
  }

  /** Small lengths mostly, now and then the longest. */
  #length(min: number, max: number): number {
    const dice = this.#random();
    if (dice < 0.02) return max;
    return Math.min(max, min + Math.floor(Math.min(max - min + 1, 40) * this.#random() ** 2));
  }

  #piece(): Bytes {
    const data = this.noiseOf(Math.max(1, this.#length(1, PIECE_BYTES)));
    const frame = allocatePieceFrame(this.#below(5), this.#below(5), data.byteLength);
    frame.set(data, PIECE_HEADER_BYTES);
    return frame;
  }

  /** The right type, and a body that breaks its schema somewhere, most likely. */
  #wild(): Bytes {
    const name = this.#pick(NAMES);
    const body = this.#bodies.get(name)?.(true) ?? this.#pick(ODD_VALUES);
    return concat(new Uint8Array([MESSAGES[name].type]), encodeCbor(body));
  }

  #noise(): Bytes {
    const sizeBytes = this.#random() < 0.01 ? MAX_FRAME_BYTES + this.#below(3) : this.#below(80);
    return concat(new Uint8Array([MESSAGES[this.#pick(NAMES)].type]), this.noiseOf(sizeBytes));
  }

  #mutated(frame: Bytes): Bytes {
    let bent = frame;
    for (let i = 0; i <= this.#below(3); i++) bent = this.#bend(bent);
    return bent;
  }

  #bend(frame: Bytes): Bytes {
    const at = this.#below(frame.byteLength);
    const copy = frame.slice();
    switch (this.#below(7)) {
      case 0:
        copy[at] = (copy[at] ?? 0) ^ (1 << this.#below(8));
        return copy;
      case 1:
        copy[at] = this.#pick([0, 1, 0x1b, 0x5b, 0x7f, 0x80, 0x9b, 0xbb, 0xf9, 0xfb, 0xff]);
        return copy;
      case 2:
        return copy.slice(0, at);
      case 3:
        return concat(copy.subarray(0, at), this.noiseOf(1 + this.#below(8)), copy.subarray(at));
      case 4:
        return concat(copy.subarray(0, at), copy.subarray(at + 1 + this.#below(8)));
      case 5:
        return concat(copy.subarray(0, at), this.valid().subarray(at));
      default:
        copy[0] = MESSAGES[this.#pick(NAMES)].type;
        return copy;
    }
  }

  #generator(shape: Shape, schema: v.GenericSchema): Generator {
    const honest = this.#honest(shape, schema);
    return (isWild) => (isWild && this.#random() < 0.2 ? this.#pick(ODD_VALUES) : honest(isWild));
  }

  #honest(shape: Shape, schema: v.GenericSchema): Generator {
    switch (shape.type) {
      case 'strict_object':
        return this.#object(shape.entries ?? {});
      case 'strict_tuple': {
        const items = (shape.items ?? []).map((item) => this.#nested(item));
        return (isWild) => items.map((make) => make(isWild));
      }
      case 'array':
        return this.#array(shape);
      case 'nullable': {
        const make = this.#nested(shape.wrapped);
        return (isWild) => (this.#random() < 0.3 ? null : make(isWild));
      }
      case 'optional': {
        const make = this.#nested(shape.wrapped);
        return (isWild) => (this.#random() < 0.3 ? LEFT_OUT : make(isWild));
      }
      case 'number':
        return this.#number(requirement(shape, 'max_value') ?? Number.MAX_SAFE_INTEGER);
      case 'string':
        return this.#string(requirement(shape, 'max_length') ?? 40);
      case 'picklist':
        return () => this.#pick(shape.options ?? []);
      case 'boolean':
        return () => this.#random() < 0.5;
      case 'literal':
        return () => shape.literal;
      case 'custom':
        return this.#byteString(schema);
      default:
        throw new Error(`No frames can be made from a schema of type ${shape.type}: teach MadeFrames how.`);
    }
  }

  #nested(shape: Shape | undefined): Generator {
    if (!shape) throw new Error('A schema without the part it is made of.');
    return this.#generator(shape, shape as unknown as v.GenericSchema);
  }

  #object(entries: Record<string, Shape>): Generator {
    const makers = Object.entries(entries).map(([key, shape]) => [key, this.#nested(shape)] as const);
    return (isWild) => {
      const kept = isWild && this.#random() < 0.1 ? makers.slice(1) : makers;
      const extra = isWild && this.#random() < 0.1 ? [['extra', 1] as const] : [];
      const made = kept.map(([key, make]) => [key, make(isWild)] as const);
      return Object.fromEntries([...made.filter(([, value]) => value !== LEFT_OUT), ...extra]);
    };
  }

  #array(shape: Shape): Generator {
    const make = this.#nested(shape.item);
    const min = requirement(shape, 'min_length') ?? 0;
    const max = requirement(shape, 'max_length') ?? 1000;
    return (isWild) => {
      const length = isWild && this.#random() < 0.05 ? max + 1 : this.#length(min, max);
      return Array.from({ length }, () => make(isWild));
    };
  }

  #number(max: number): Generator {
    return (isWild) => {
      const dice = this.#random();
      if (isWild && dice < 0.2) return max + 1;
      if (dice < 0.6) return Math.min(max, this.#below(6));
      return dice < 0.7 ? max : Math.floor(this.#random() * max);
    };
  }

  #string(maxLength: number): Generator {
    return (isWild) => 'é𝄞aB'.repeat(maxLength).slice(0, isWild ? maxLength + 1 : this.#below(maxLength + 1));
  }

  /** Its bounds lie hidden in a check: they are found by trying. */
  #byteString(schema: v.GenericSchema): Generator {
    const doesFit = (sizeBytes: number): boolean => v.safeParse(schema, new Uint8Array(sizeBytes)).success;
    let min = 0;
    while (!doesFit(min)) min += 1;
    let max = min;
    for (let step = MAX_FRAME_BYTES; step >= 1; step = Math.floor(step / 2))
      while (doesFit(max + step)) max += step;
    // A frame that is too long would not be tried for anything else.
    const most = Math.min(max, MAX_FRAME_BYTES - 64);
    return (isWild) => {
      const words = this.words.filter(({ byteLength }) => byteLength >= min && byteLength <= most);
      if (words.length > 0 && this.#random() < 0.6) return this.#pick(words);
      return this.noiseOf(isWild && this.#random() < 0.3 ? max + 1 : this.#length(min, most));
    };
  }
}

function requirement(shape: Shape, type: string): number | null {
  const found = shape.pipe?.find((action) => action.type === type)?.requirement;
  return typeof found === 'number' ? found : null;
}
