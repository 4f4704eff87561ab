import * as v from 'valibot';
import { areEqual, type Bytes, fromBase64url, toHex } from '../bytes.ts';
import { byteString, count, decodeCbor, encodeCbor } from '../cbor.ts';
import type { Crypto, SigningKey } from '../crypto/crypto.ts';
import { ROOM_ID_BYTES, roomIdOf, VIDEO_ID_BYTES } from '../crypto/keys.ts';
import { MatineeError } from '../errors.ts';
import { MAX_SEALED_TITLE_BYTES } from '../video-info.ts';
import { openSigned, peekBody, signBody } from './signed.ts';

const LABEL = 'matinee/1 rules';

/** Bytes of a member's id. */
const MEMBER_ID_BYTES = 16;

/** Members that one room's rules can name, so that rules always fit one frame: 2,000 x 17 bytes in all. */
export const MAX_REMOVED = 500;
export const MAX_MUTED = 500;
export const MAX_LOCKED_TO = 1000;

/** Videos in one room at most, so that rules still fit one frame: 50 x 430 bytes. */
export const MAX_VIDEOS = 50;

/** Bytes of signed rules at most; the fullest there can be have some 56,000. */
export const MAX_RULES_BYTES = 64 * 1024;

/** How often a host can change its rules. */
const MAX_NUMBER = 2 ** 31;

const members = (maxCount: number) => v.pipe(v.array(byteString(MEMBER_ID_BYTES)), v.maxLength(maxCount));

const listedVideo = v.strictObject({
  video: byteString(VIDEO_ID_BYTES),
  title: byteString(1, MAX_SEALED_TITLE_BYTES),
});

const rulesBody = v.strictObject({
  v: v.literal(2),
  room: byteString(ROOM_ID_BYTES),
  publicKey: byteString(32),
  number: v.pipe(count(MAX_NUMBER), v.minValue(1)),
  atMs: count(Number.MAX_SAFE_INTEGER),
  removed: members(MAX_REMOVED),
  muted: members(MAX_MUTED),
  lockedTo: v.nullable(members(MAX_LOCKED_TO)),
  isOriginOnly: v.boolean(),
  videos: v.pipe(v.array(listedVideo), v.maxLength(MAX_VIDEOS)),
  current: v.nullable(byteString(VIDEO_ID_BYTES)),
  // Left out in rules from before there were these.
  control: v.optional(v.picklist(['everyone', 'host'])),
  doesWait: v.optional(v.boolean()),
});

/** Each video once, and the one that is watched among them. */
const rules = v.pipe(
  rulesBody,
  v.check(
    ({ videos }) => new Set(videos.map(({ video }) => toHex(video))).size === videos.length,
    'a video twice',
  ),
  v.check(
    ({ videos, current }) => current === null || isListed(videos, current),
    'a current video that is not listed',
  ),
);

/** A video in the room's list: its title is sealed with its info key (video-info.ts). */
export type ListedVideo = v.InferOutput<typeof listedVideo>;

/**
 * What the host wants of everybody in its room, all in one: rules with a higher `number` replace those before. `removed` are
 * kept out; lines that `muted` wrote after `atMs` are not shown; where `lockedTo` is not null, nobody else gets in;
 * `isOriginOnly` forbids connections between viewers; `videos` is what the room has, in order, and `current` the one that is
 * watched. Where the list is empty the room has the one video that was uploaded. `control`: who may play, pause and seek for
 * the room, everyone where it is left out; `doesWait`: the room waits for members whose film stands still.
 */
export type Rules = v.InferOutput<typeof rules>;

/** What a host decides; the rest of the rules follows from the room. */
export type HostWishes = Omit<Rules, 'v' | 'room' | 'publicKey'>;

/** Rules of a room whose host has not made any: nobody is kept out. Their number is 0, so any others replace them. */
export const NO_RULES: HostWishes = {
  number: 0,
  atMs: 0,
  removed: [],
  muted: [],
  lockedTo: null,
  isOriginOnly: false,
  videos: [],
  current: null,
};

/**
 * The signed rules as they travel and are stored.
 * @throws MatineeError MANIFEST_MALFORMED where they name more members than they may.
 */
export async function signRules(crypto: Crypto, key: SigningKey, wishes: HostWishes): Promise<Bytes> {
  const { publicKey, privateKey } = key;
  const room = await roomIdOf(crypto, publicKey);
  const body = encodeCbor({ v: 2, room, publicKey, ...wishes } satisfies Rules);
  decodeCbor(rules, body, 'MANIFEST_MALFORMED', 'rules');
  return signBody(crypto, privateKey, LABEL, body);
}

/**
 * The rules in a signed envelope, once they are proven to be the room's host's.
 * @throws MatineeError MANIFEST_MALFORMED or SIGNATURE_WRONG.
 */
export async function openRules(crypto: Crypto, roomId: Bytes, envelope: Uint8Array): Promise<Rules> {
  const claimed = peekRules(envelope);
  if (!areEqual(claimed.room, roomId) || !areEqual(await roomIdOf(crypto, claimed.publicKey), roomId)) {
    throw new MatineeError('SIGNATURE_WRONG', 'These rules belong to another room.');
  }
  await openSigned(crypto, claimed.publicKey, LABEL, envelope);
  return claimed;
}

/** What an envelope claims, before anything is proven. @throws MatineeError MANIFEST_MALFORMED. */
export function peekRules(envelope: Uint8Array): Rules {
  return decodeCbor(rules, peekBody(envelope), 'MANIFEST_MALFORMED', 'rules');
}

/** Whether the rules let somebody in, and if not, why. */
export type Standing = 'ok' | 'removed' | 'locked';

/** Whether a member (its id as base64url) may be in the room. */
export function standingOf({ removed, lockedTo }: HostWishes, memberId: string): Standing {
  const id = fromBase64url(memberId);
  if (id && names(removed, id)) return 'removed';
  return lockedTo && !(id && names(lockedTo, id)) ? 'locked' : 'ok';
}

/** Whether the rules mute this member (its id as base64url). */
export function isMuted({ muted }: HostWishes, memberId: string): boolean {
  const id = fromBase64url(memberId);
  return id !== null && names(muted, id);
}

/** Whether the room watches this video; where the rules name none it has one alone. */
export function isWatched({ current }: Pick<HostWishes, 'current'>, video: Uint8Array): boolean {
  return current === null || areEqual(current, video);
}

/** Whether a video is in the room's list. */
export function isListed(videos: readonly ListedVideo[], id: Uint8Array): boolean {
  return videos.some(({ video }) => areEqual(video, id));
}

/** Whether a list of member ids has this one. */
export function names(list: readonly Bytes[], id: Uint8Array): boolean {
  return list.some((member) => areEqual(member, id));
}
