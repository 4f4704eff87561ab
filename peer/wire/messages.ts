import * as v from 'valibot';
import { byteString, count } from '../cbor.ts';
import { VIDEO_ID_BYTES } from '../crypto/keys.ts';
import { MEMBER_ID_BYTES } from '../crypto/member-key.ts';
import {
  HASH_BYTES,
  MAX_CHAT_LINES,
  MAX_FRAME_BYTES,
  MAX_PAGE_PIECES,
  MAX_PAGE_SEGMENTS,
  MAX_PAGES,
  MAX_PIPELINE_PIECES,
  MAX_REACTIONS,
  MAX_SEALED_CHAT_BYTES,
  MAX_SEALED_SYNC_BYTES,
  MAX_SEALED_WORD_BYTES,
} from '../limits.ts';

/** The protocol's version, said in hello. Peers of another version say goodbye to each other. */
export const WIRE_VERSION = 6;

/** Bytes by which a sealed chat line or reaction is known: the first half of its SHA-256. */
export const CHAT_ID_BYTES = 16;

/** Bytes of the sealed card in hello at most: a name of 40 characters, its member's key and signature, a badge, and the seal. */
export const MAX_CARD_BYTES = 640;

const MAX_SEGMENTS = MAX_PAGES * MAX_PAGE_SEGMENTS;
const MAX_RANGES = 1024;

const segment = count(MAX_SEGMENTS);
const piece = count(MAX_PAGE_PIECES - 1);
const pieces = v.pipe(v.array(piece), v.minLength(1), v.maxLength(MAX_PIPELINE_PIECES));
const pieceBits = byteString(1, MAX_PAGE_PIECES / 8);

/**
 * The wire protocol: one row is one message, its type byte and the schema of its CBOR body. Both ends, the
 * simulator and the fuzzer are made from this table, and PROTOCOL.md describes it. `piece` alone is not CBOR:
 * its row here is what wire/frame.ts reads from the fixed header.
 */
export const MESSAGES = {
  /** First frame in each direction, and again when what it says changes. `video`: what the sender is at, so what all it sends after this is about; left out while it knows none. `card` is the sender's name, signed by it and sealed with the chat key; the origin has none. A giver is a page of the host's that gives what it uploads and does nothing else: its card shows the host's badge. */
  hello: {
    type: 1,
    body: v.strictObject({
      v: count(255),
      role: v.picklist(['origin', 'member', 'giver']),
      card: v.nullable(byteString(1, MAX_CARD_BYTES)),
      video: v.optional(byteString(VIDEO_ID_BYTES)),
    }),
  },
  /** Last frame: why the sender closes. */
  goodbye: { type: 2, body: v.strictObject({ code: v.pipe(v.string(), v.maxLength(40)) }) },
  /** Asks for a pong with the same number: measures delay, and shows that the peer lives. */
  ping: { type: 3, body: v.strictObject({ n: count(0xffffffff) }) },
  pong: { type: 4, body: v.strictObject({ n: count(0xffffffff) }) },
  /** The newest signed manifest head. */
  head: { type: 10, body: v.strictObject({ envelope: byteString(1, MAX_FRAME_BYTES) }) },
  /** Asks for a manifest page by its hash; answered by page or noPage. */
  getPage: { type: 11, body: v.strictObject({ hash: byteString(HASH_BYTES) }) },
  page: { type: 12, body: v.strictObject({ bytes: byteString(1, MAX_FRAME_BYTES) }) },
  noPage: { type: 13, body: v.strictObject({ hash: byteString(HASH_BYTES) }) },
  /** The newest rules signed by the room's host: who is kept out, muted, and the like. */
  rules: { type: 14, body: v.strictObject({ envelope: byteString(1, MAX_FRAME_BYTES) }) },
  /** What the sender has got since it last said: runs of whole segments [first, count], and single pieces as bits, low bit first. */
  have: {
    type: 20,
    body: v.strictObject({
      whole: v.pipe(v.array(v.strictTuple([segment, count(MAX_SEGMENTS)])), v.maxLength(MAX_RANGES)),
      parts: v.pipe(v.array(v.strictTuple([segment, pieceBits])), v.maxLength(MAX_RANGES)),
    }),
  },
  /** Segments the sender no longer holds: runs [first, count]. */
  drop: {
    type: 21,
    body: v.strictObject({
      runs: v.pipe(v.array(v.strictTuple([segment, count(MAX_SEGMENTS)])), v.maxLength(MAX_RANGES)),
    }),
  },
  /** The sender will not serve pieces for now. */
  choke: { type: 22, body: v.strictObject({}) },
  unchoke: { type: 23, body: v.strictObject({}) },
  /**
   * Asks for pieces of one segment, needed in `inMs` milliseconds, by one who is connected to `others` viewers besides
   * the receiver; each is answered by piece or noPiece, when the receiver sees fit, unless cancelled.
   */
  request: {
    type: 24,
    body: v.strictObject({ segment, pieces, inMs: count(0xffffffff), others: count(255) }),
  },
  cancel: { type: 25, body: v.strictObject({ segment, pieces }) },
  /** The ciphertext of one piece. */
  piece: { type: 26, body: null },
  /** How many pieces the sender has received on this connection in all: sent after each, so that the other side knows what is still on its way. */
  got: { type: 28, body: v.strictObject({ pieces: count(0xffffffff) }) },
  /** To the origin alone: this member sent the sender a piece that is not what the host signed, and is its neighbour no more. */
  lied: { type: 29, body: v.strictObject({ member: byteString(MEMBER_ID_BYTES) }) },
  /** The sender has not, or does not serve, these pieces. */
  noPiece: { type: 27, body: v.strictObject({ segment, pieces }) },
  /** One sealed chat line, passed on by everyone who had not seen it. */
  chat: { type: 30, body: v.strictObject({ sealed: byteString(1, MAX_SEALED_CHAT_BYTES) }) },
  /** The ids of the chat lines the sender has; the receiver sends those that are missing. */
  chatKnown: {
    type: 31,
    body: v.strictObject({ ids: v.pipe(v.array(byteString(CHAT_ID_BYTES)), v.maxLength(MAX_CHAT_LINES)) }),
  },
  /** One sealed reaction to a chat line, passed on and compared like lines, but apart from them: many would push lines out. */
  reaction: { type: 32, body: v.strictObject({ sealed: byteString(1, MAX_SEALED_WORD_BYTES) }) },
  reactionKnown: {
    type: 33,
    body: v.strictObject({ ids: v.pipe(v.array(byteString(CHAT_ID_BYTES)), v.maxLength(MAX_REACTIONS)) }),
  },
  /** Something sealed that counts for a moment: passed on like a chat line, and kept by nobody. */
  passing: { type: 34, body: v.strictObject({ sealed: byteString(1, MAX_SEALED_WORD_BYTES) }) },
  /** Asks what the room's time is; answered at once by time with the same number. */
  askTime: { type: 40, body: v.strictObject({ n: count(0xffffffff) }) },
  /** The room's time when this was sent, milliseconds since 1970, and how wrong the sender thinks that may be. */
  time: {
    type: 41,
    body: v.strictObject({
      n: count(0xffffffff),
      roomMs: count(Number.MAX_SAFE_INTEGER),
      errorMs: count(Number.MAX_SAFE_INTEGER),
    }),
  },
  /** One sealed statement of where the room is in a film, passed on by everyone to whom it was news. */
  playback: { type: 42, body: v.strictObject({ sealed: byteString(1, MAX_SEALED_SYNC_BYTES) }) },
  /** A member's sealed word that its film stands still for want of pieces, or goes on; passed on likewise. */
  stall: { type: 43, body: v.strictObject({ sealed: byteString(1, MAX_SEALED_SYNC_BYTES) }) },
} as const;

export type MessageName = keyof typeof MESSAGES;

/** A piece as it travels: header fields and the ciphertext. */
export interface PieceBody {
  segment: number;
  piece: number;
  data: Uint8Array<ArrayBuffer>;
}

/** The body of each message, by its name. */
export type Bodies = {
  [N in MessageName]: (typeof MESSAGES)[N]['body'] extends v.GenericSchema
    ? v.InferOutput<(typeof MESSAGES)[N]['body']>
    : PieceBody;
};

/** Any decoded message. */
export type Message = { [N in MessageName]: { name: N; body: Bodies[N] } }[MessageName];
