import { type Bytes, fromBase64url, toBase64url } from '../../../peer/bytes.ts';
import { ROOM_SECRET_BYTES } from '../../../peer/crypto/keys.ts';

/**
 * The secret that a password gave, kept for this tab so that a reload does not ask again. Never the password itself:
 * people use theirs elsewhere.
 */

function keyOf(roomId: Bytes): string {
  return `matinee.secret.${toBase64url(roomId)}`;
}

/** The secret of this room, or null. */
export function keptSecret(roomId: Bytes): Bytes | null {
  try {
    const secret = fromBase64url(sessionStorage.getItem(keyOf(roomId)) ?? '');
    return secret?.byteLength === ROOM_SECRET_BYTES ? secret : null;
  } catch {
    return null;
  }
}

/** Keeps it, where the browser lets us. */
export function keepSecret(roomId: Bytes, secret: Bytes): void {
  try {
    sessionStorage.setItem(keyOf(roomId), toBase64url(secret));
  } catch {
    // Blocked storage costs the same question after a reload.
  }
}

/** Forgets one that does not open the room. */
export function dropSecret(roomId: Bytes): void {
  try {
    sessionStorage.removeItem(keyOf(roomId));
  } catch {
    // Where storage is blocked, nothing was kept.
  }
}
