import { type Bytes, concat, utf8 } from '../bytes.ts';
import type { Crypto } from './crypto.ts';

export const ROOM_ID_BYTES = 16;
export const ROOM_SECRET_BYTES = 32;
export const VIDEO_ID_BYTES = 16;
/** Every key and token that is derived. */
export const KEY_BYTES = 32;

/** What a room's link gives its members. */
export interface RoomKeys {
  /** Presented to the servers, which keep only its hash. */
  readonly joinToken: Bytes;
  /** Seals chat texts and display names. */
  readonly chatKey: Bytes;
  /** Seals the offers and answers between viewers. */
  readonly signalingKey: Bytes;
}

/** What a room's link and a video's id give. */
export interface VideoKeys {
  /** Encrypts the segments. */
  readonly contentKey: Bytes;
  /** Seals what is said about the video (its title and the like). */
  readonly infoKey: Bytes;
}

/** The keys of a room, by HKDF-SHA256 (RFC 5869) from its secret, salted with its id, a label for each. */
export async function deriveRoomKeys(crypto: Crypto, roomSecret: Bytes, roomId: Bytes): Promise<RoomKeys> {
  const derive = deriveUnder(crypto, roomSecret, roomId);
  const [joinToken, chatKey, signalingKey] = await Promise.all([
    derive('matinee/1 join token'),
    derive('matinee/1 chat'),
    derive('matinee/1 signaling'),
  ]);
  return { joinToken, chatKey, signalingKey };
}

/**
 * The keys of a video, by HKDF-SHA256 (RFC 5869) from its room's secret, salted with the video's id.
 * The id must be drawn anew whenever content changes: under an old one, the same key stream would hide two texts.
 */
export async function deriveVideoKeys(crypto: Crypto, roomSecret: Bytes, videoId: Bytes): Promise<VideoKeys> {
  const derive = deriveUnder(crypto, roomSecret, videoId);
  const [contentKey, infoKey] = await Promise.all([derive('matinee/1 content'), derive('matinee/1 info')]);
  return { contentKey, infoKey };
}

/** A room's id: the first 16 bytes of SHA-256("matinee/1 room" || its host's public key). */
export async function roomIdOf(crypto: Crypto, hostPublicKey: Uint8Array): Promise<Bytes> {
  const hash = await crypto.sha256(concat(utf8('matinee/1 room'), hostPublicKey));
  return hash.slice(0, ROOM_ID_BYTES);
}

function deriveUnder(crypto: Crypto, secret: Bytes, salt: Bytes): (label: string) => Promise<Bytes> {
  return (label) => crypto.hkdfSha256(secret, salt, utf8(label), KEY_BYTES);
}
