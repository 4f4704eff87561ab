import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { areEqual, type Bytes, concat } from '../peer/bytes.ts';
import { byteString, count, decodeCbor, encodeCbor } from '../peer/cbor.ts';
import { ROOM_ID_BYTES, ROOM_SECRET_BYTES, VIDEO_ID_BYTES } from '../peer/crypto/keys.ts';
import { MatineeError } from '../peer/errors.ts';
import { MAX_EXTRA_BYTES } from '../peer/extras/extra.ts';
import type { FileIdentity } from '../peer/host/file-identity.ts';
import type { KeptUpload, UploadRecord } from '../peer/host/upload-journal.ts';
import { HASH_BYTES, MAX_DURATION_MS, MAX_INFO_BYTES, MAX_PAGE_SEGMENTS, MAX_PAGES } from '../peer/limits.ts';
import { decodePage, encodePage, type SegmentEntry } from '../peer/manifest/page.ts';
import { parseRoomLink } from '../peer/room-link.ts';

/**
 * The file in which an upload from the command line is noted: notes one after the other, each its length (4 bytes, big-endian), the
 * SHA-256 of its body, and the body, CBOR. The first one says what is uploaded; each other one what is about to be signed.
 */

/** Bytes of such a file at most. A 10 GB film takes 6 MB; subtitles, which are in it too, seldom one. */
export const MAX_KEPT_BYTES = 128 * 1024 * 1024;

const LENGTH_BYTES = 4;
const HEAD_BYTES = LENGTH_BYTES + HASH_BYTES;
const MAX_SEGMENTS = MAX_PAGES * MAX_PAGE_SEGMENTS;
const MAX_EXTRAS = 4096;
const MAX_TEXT_CHARS = 2000;

/** What of an upload the command line needs beside what the engine does. */
export interface UploadFacts {
  /** The seed server's origin. */
  readonly server: string;
  readonly file: FileIdentity;
  readonly durationMs: number;
  /** What was asked for: see PackagingWishes. */
  readonly audioTrack: number | null;
  readonly mayLeaveOutSound: boolean;
  /** The subtitles beside the film, as extras. */
  readonly subtitles: readonly Bytes[];
}

/** What such a file tells. */
export interface StoredUpload {
  readonly facts: UploadFacts;
  readonly kept: KeptUpload;
  /** Bytes of it that are whole. What follows was cut off while it was written, and nobody has acted on it. */
  readonly wholeBytes: number;
}

const beginning = v.strictObject({
  v: v.literal(1),
  server: v.pipe(v.string(), v.maxLength(MAX_TEXT_CHARS)),
  file: v.strictObject({
    name: v.pipe(v.string(), v.maxLength(MAX_TEXT_CHARS)),
    sizeBytes: count(Number.MAX_SAFE_INTEGER),
    digest: byteString(HASH_BYTES),
  }),
  durationMs: count(MAX_DURATION_MS),
  audioTrack: v.nullable(count(Number.MAX_SAFE_INTEGER)),
  mayLeaveOutSound: v.boolean(),
  subtitles: v.pipe(v.array(byteString(1, MAX_EXTRA_BYTES)), v.maxLength(MAX_EXTRAS)),
  room: v.strictObject({
    roomId: byteString(ROOM_ID_BYTES),
    roomSecret: byteString(ROOM_SECRET_BYTES),
    publicKey: byteString(32),
    privateKey: byteString(32),
    videoId: byteString(VIDEO_ID_BYTES),
    link: v.pipe(v.string(), v.maxLength(MAX_TEXT_CHARS)),
  }),
  createdAtMs: count(Number.MAX_SAFE_INTEGER),
  info: byteString(1, MAX_INFO_BYTES),
});

const listing = v.strictObject({
  first: count(MAX_SEGMENTS),
  /** Their entries, as pages of a manifest have them. */
  pages: v.pipe(v.array(byteString(1, MAX_KEPT_BYTES)), v.minLength(1), v.maxLength(MAX_PAGES)),
  extras: v.pipe(
    v.array(v.strictTuple([count(MAX_SEGMENTS), byteString(1, MAX_EXTRA_BYTES)])),
    v.maxLength(MAX_EXTRAS),
  ),
});

/** The note that an upload begins. */
export function beginningNote(facts: UploadFacts, { room, createdAtMs, info }: UploadRecord): Bytes {
  const { hostKey, ...names } = room;
  return noteOf(encodeCbor({ v: 1, ...facts, room: { ...names, ...hostKey }, createdAtMs, info }));
}

/** The note that segments are about to be signed. */
export function listingNote(
  first: number,
  entries: readonly SegmentEntry[],
  extras: ReadonlyMap<number, Bytes>,
): Bytes {
  const pages: Bytes[] = [];
  for (let at = 0; at < entries.length; at += MAX_PAGE_SEGMENTS)
    pages.push(encodePage(entries.slice(at, at + MAX_PAGE_SEGMENTS)));
  return noteOf(encodeCbor({ first, pages, extras: [...extras] }));
}

/** @throws MatineeError REQUEST_MALFORMED where a file is no such file, or damaged otherwise than by being cut off at its end. */
export function readNotes(file: Bytes): StoredUpload {
  const [first, ...others] = wholeBodies(file);
  if (!first) throw damaged('nothing in it');
  const { facts, record } = readBeginning(first);
  const entries: SegmentEntry[] = [];
  const extras = new Map<number, Bytes>();
  let confirmedCount = 0;
  for (const body of others) {
    const note = decodeCbor(listing, body, 'REQUEST_MALFORMED', 'kept upload');
    if (note.first !== entries.length) throw damaged('a gap');
    confirmedCount = note.first;
    for (const page of note.pages) entries.push(...decodePage(page));
    for (const [number, data] of note.extras) extras.set(number, data);
  }
  if (entries.length > MAX_SEGMENTS) throw damaged('too many segments');
  const wholeBytes = [first, ...others].reduce((sum, body) => sum + HEAD_BYTES + body.byteLength, 0);
  return { facts, kept: { ...record, entries, confirmedCount, extras }, wholeBytes };
}

function readBeginning(body: Bytes): { facts: UploadFacts; record: UploadRecord } {
  const {
    v: _,
    room,
    createdAtMs,
    info,
    ...facts
  } = decodeCbor(beginning, body, 'REQUEST_MALFORMED', 'kept upload');
  const { publicKey, privateKey, ...names } = room;
  if (!areEqual(parseRoomLink(room.link).roomId, room.roomId)) throw damaged('the link of another room');
  return { facts, record: { room: { ...names, hostKey: { publicKey, privateKey } }, createdAtMs, info } };
}

function noteOf(body: Bytes): Bytes {
  const length = new Uint8Array(LENGTH_BYTES);
  new DataView(length.buffer).setUint32(0, body.byteLength);
  return concat(length, hashOf(body), body);
}

/**
 * The bodies of all notes but one that was cut off. Of that a crash leaves a part, or its length with something else in it; what
 * is wrong anywhere before the end was whole once, and what followed may have been signed.
 */
function wholeBodies(file: Bytes): Bytes[] {
  const bodies: Bytes[] = [];
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  for (let at = 0; at + HEAD_BYTES <= file.byteLength; ) {
    const bodyAt = at + HEAD_BYTES;
    const endAt = bodyAt + view.getUint32(at);
    if (endAt > file.byteLength) break;
    const body = file.slice(bodyAt, endAt);
    if (!areEqual(hashOf(body), file.subarray(at + LENGTH_BYTES, bodyAt))) {
      if (endAt === file.byteLength || file.subarray(at).every((byte) => byte === 0)) break;
      throw damaged('a changed note');
    }
    bodies.push(body);
    at = endAt;
  }
  return bodies;
}

function hashOf(body: Bytes): Bytes {
  return new Uint8Array(createHash('sha256').update(body).digest());
}

function damaged(how: string): MatineeError {
  return new MatineeError('REQUEST_MALFORMED', `kept upload: ${how}`);
}
