import type { Bytes } from '../bytes.ts';
import type { Crypto, SigningKey } from '../crypto/crypto.ts';
import { ROOM_SECRET_BYTES, roomIdOf, VIDEO_ID_BYTES } from '../crypto/keys.ts';
import { formatRoomLink, type RoomEntry } from '../room-link.ts';

/** A room as its host knows it. */
export interface HostedRoom {
  roomId: Bytes;
  /** What all keys come from: the link's secret, the password mixed in where there is one. */
  roomSecret: Bytes;
  /** Signs for the room. Whoever loses it can no longer change the room or take it down. */
  hostKey: SigningKey;
  videoId: Bytes;
  link: string;
}

/**
 * A room that no server knows yet: a fresh key, secret and video id. Fresh for every upload, since two
 * contents under one secret and video id would be encrypted with the same key stream. A password that is not
 * null makes the link open nothing without it, and takes a second to stretch.
 */
export async function newRoom(
  crypto: Crypto,
  origin: string,
  password: string | null = null,
): Promise<HostedRoom> {
  const hostKey = await crypto.generateSigningKey();
  const roomId = await roomIdOf(crypto, hostKey.publicKey);
  const entry = { roomId, roomSecret: crypto.randomBytes(ROOM_SECRET_BYTES) };
  const roomSecret = password === null ? entry.roomSecret : await stretched(crypto, entry, password);
  const videoId = crypto.randomBytes(VIDEO_ID_BYTES);
  const link = formatRoomLink(origin, { ...entry, hasPassword: password !== null });
  return { roomId, roomSecret, hostKey, videoId, link };
}

/** Loaded only where a room has a password. */
async function stretched(crypto: Crypto, entry: RoomEntry, password: string): Promise<Bytes> {
  const { secretWithPassword } = await import('../crypto/password.ts');
  return secretWithPassword(crypto, entry, password);
}
