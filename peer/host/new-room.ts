import type { Bytes } from '../bytes.ts';
import type { Crypto, SigningKey } from '../crypto/crypto.ts';
import { ROOM_SECRET_BYTES, roomIdOf, VIDEO_ID_BYTES } from '../crypto/keys.ts';
import { formatRoomLink } from '../room-link.ts';

/** A room as its host knows it. */
export interface HostedRoom {
  roomId: Bytes;
  roomSecret: Bytes;
  /** Signs for the room. Whoever loses it can no longer change the room or take it down. */
  hostKey: SigningKey;
  videoId: Bytes;
  link: string;
}

/**
 * A room that no server knows yet: a fresh key, secret and video id. Fresh for every upload, since two
 * contents under one secret and video id would be encrypted with the same key stream.
 */
export async function newRoom(crypto: Crypto, origin: string): Promise<HostedRoom> {
  const hostKey = await crypto.generateSigningKey();
  const roomId = await roomIdOf(crypto, hostKey.publicKey);
  const roomSecret = crypto.randomBytes(ROOM_SECRET_BYTES);
  const videoId = crypto.randomBytes(VIDEO_ID_BYTES);
  return { roomId, roomSecret, hostKey, videoId, link: formatRoomLink(origin, roomId, roomSecret) };
}
