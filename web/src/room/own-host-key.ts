import type { Bytes } from '../../../peer/bytes.ts';
import type { SigningKey } from '../../../peer/crypto/crypto.ts';

/** The home page's list of rooms that this browser hosts; only who has any loads what reads it. */
const HOSTED_ROOMS_KEY = 'matinee.rooms';

/** The host's key of this room where this browser has it, else null. */
export async function ownHostKey(roomId: Bytes): Promise<SigningKey | null> {
  if (!hasHostedRooms()) return null;
  const { hostKeyOf } = await import('../home/hosted-rooms.ts');
  return hostKeyOf(roomId)?.hostKey ?? null;
}

function hasHostedRooms(): boolean {
  try {
    return localStorage.getItem(HOSTED_ROOMS_KEY) !== null;
  } catch {
    return false;
  }
}
