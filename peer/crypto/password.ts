import { argon2idAsync } from '@noble/hashes/argon2.js';
import { type Bytes, concat, utf8 } from '../bytes.ts';
import type { RoomEntry } from '../room-link.ts';
import { asBytes } from './as-bytes.ts';
import type { Crypto } from './crypto.ts';
import { KEY_BYTES } from './keys.ts';

/** Memory of one try, in KiB, as RFC 9106 counts it: 64 MiB, which a phone's tab has and a graphics card has not many times over. */
export const PASSWORD_MEMORY_KIB = 64 * 1024;

/**
 * Passes over that memory. One, for the time goes into memory first: in plain JavaScript a pass over 64 MiB takes 0.8 s
 * of a server's core and two to three times that on a phone, and two passes over half of it would cost a guesser half as much.
 */
export const PASSWORD_PASSES = 1;

/** Lanes. Nothing here runs in parallel. */
const LANES = 1;

const SALT_BYTES = 16;

const LABEL = 'matinee/1 password';

/** Milliseconds between two chances for others to run (to show progress, to cancel). */
const TICK_MS = 50;

/**
 * The secret of a room that has a password, from which all of its keys are derived in place of the link's own:
 * HKDF-SHA256 (RFC 5869) of the link's secret and the stretched password, salted with the room's id. A wrong password
 * gives a secret as good as any other: only the server, which refuses its join token, tells.
 * `onProgress` hears of the share done, 0 to 1. Takes about a second and 64 MiB.
 */
export async function secretWithPassword(
  crypto: Crypto,
  { roomId, roomSecret }: RoomEntry,
  password: string,
  onProgress: (share: number) => void = () => undefined,
): Promise<Bytes> {
  const stretched = await stretchPassword(crypto, roomId, password, onProgress);
  return crypto.hkdfSha256(concat(roomSecret, stretched), roomId, utf8(LABEL), KEY_BYTES);
}

/** 32 bytes by Argon2id (RFC 9106, version 0x13) from the password in Unicode's form NFKC: keyboards differ in how they write é. */
export async function stretchPassword(
  crypto: Crypto,
  roomId: Uint8Array,
  password: string,
  onProgress: (share: number) => void,
): Promise<Bytes> {
  const salt = (await crypto.sha256(concat(utf8(LABEL), roomId))).slice(0, SALT_BYTES);
  const stretched = await argon2idAsync(utf8(password.normalize('NFKC')), salt, {
    m: PASSWORD_MEMORY_KIB,
    t: PASSWORD_PASSES,
    p: LANES,
    dkLen: KEY_BYTES,
    asyncTick: TICK_MS,
    onProgress,
  });
  return asBytes(stretched);
}
