import * as v from 'valibot';
import { areEqual, type Bytes } from '../bytes.ts';
import { byteString, count, decodeCbor, encodeCbor } from '../cbor.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { ROOM_ID_BYTES, roomIdOf, VIDEO_ID_BYTES } from '../crypto/keys.ts';
import { MatineeError } from '../errors.ts';
import {
  HASH_BYTES,
  MAX_DURATION_MS,
  MAX_INFO_BYTES,
  MAX_PAGE_SEGMENTS,
  MAX_PAGES,
  MAX_SEGMENT_BYTES,
} from '../limits.ts';
import { openSigned, peekBody, signBody } from './signed.ts';

const LABEL = 'matinee/1 manifest';
const MAX_SEGMENTS = MAX_PAGES * MAX_PAGE_SEGMENTS;

const pageReference = v.strictObject({
  firstSegment: count(MAX_SEGMENTS),
  startMs: count(MAX_DURATION_MS),
  hash: byteString(HASH_BYTES),
});

const head = v.strictObject({
  v: v.literal(1),
  room: byteString(ROOM_ID_BYTES),
  publicKey: byteString(32),
  video: byteString(VIDEO_ID_BYTES),
  info: byteString(1, MAX_INFO_BYTES),
  durationMs: count(MAX_DURATION_MS),
  segmentCount: count(MAX_SEGMENTS),
  sizeBytes: count(MAX_SEGMENTS * MAX_SEGMENT_BYTES),
  isDone: v.boolean(),
  pages: v.pipe(v.array(pageReference), v.maxLength(MAX_PAGES)),
});

/** Where a page of the manifest begins and what it must hash to. */
export type PageReference = v.InferOutput<typeof pageReference>;

/**
 * The signed top of a manifest. `info` is sealed with the video's info key; `segmentCount` and `sizeBytes`
 * are of all segments listed so far, the init segment (number 0) included; `isDone` says that none will follow.
 */
export type ManifestHead = v.InferOutput<typeof head>;

/** The signed head as it travels and is stored. */
export async function signHead(crypto: Crypto, privateKey: Bytes, value: ManifestHead): Promise<Bytes> {
  return signBody(crypto, privateKey, LABEL, encodeCbor(value));
}

/**
 * The head in a signed envelope, once it is proven to be the room's host's.
 * @throws MatineeError MANIFEST_MALFORMED or SIGNATURE_WRONG.
 */
export async function openHead(crypto: Crypto, roomId: Bytes, envelope: Uint8Array): Promise<ManifestHead> {
  const claimed = peekHead(envelope);
  if (!areEqual(claimed.room, roomId) || !areEqual(await roomIdOf(crypto, claimed.publicKey), roomId)) {
    throw new MatineeError('SIGNATURE_WRONG', 'This manifest belongs to another room.');
  }
  await openSigned(crypto, claimed.publicKey, LABEL, envelope);
  if (!arePagesInOrder(claimed))
    throw new MatineeError('MANIFEST_MALFORMED', 'manifest head: pages out of order');
  return claimed;
}

/** What an envelope claims, before anything is proven. @throws MatineeError MANIFEST_MALFORMED. */
export function peekHead(envelope: Uint8Array): ManifestHead {
  return decodeCbor(head, peekBody(envelope), 'MANIFEST_MALFORMED', 'manifest head');
}

function arePagesInOrder({ pages, segmentCount }: ManifestHead): boolean {
  const isRising = pages.every((page, i) => {
    const before = pages[i - 1];
    return before
      ? page.firstSegment > before.firstSegment && page.startMs >= before.startMs
      : page.firstSegment === 0;
  });
  const last = pages.at(-1);
  return isRising && (last ? segmentCount > last.firstSegment : segmentCount === 0);
}

/**
 * Whether `next` continues `before`: same video, nothing taken back, every page that was full still the same.
 * Manifests only grow, so an older one replayed, or another history, is not a continuation. An equal one is.
 */
export function doesContinue(before: ManifestHead, next: ManifestHead): boolean {
  if (!areEqual(before.video, next.video) || next.segmentCount < before.segmentCount) return false;
  if (before.isDone && (!next.isDone || next.segmentCount !== before.segmentCount)) return false;
  return before.pages.every((page, i) => {
    const same = next.pages[i];
    if (!same || same.firstSegment !== page.firstSegment || same.startMs !== page.startMs) return false;
    const isLast = i === before.pages.length - 1;
    const mayHaveGrown = isLast && next.segmentCount > before.segmentCount;
    return mayHaveGrown || areEqual(page.hash, same.hash);
  });
}
