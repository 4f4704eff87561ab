import * as v from 'valibot';
import { toBase64url } from '../../../peer/bytes.ts';
import { chooseCrypto } from '../../../peer/crypto/choose.ts';
import { deriveRoomKeys } from '../../../peer/crypto/keys.ts';
import type { HostedRoom } from '../../../peer/host/new-room.ts';

/** How long the server may take to say so. */
const WITHIN_MS = 5_000;

const refusal = v.object({ code: v.string() });

/** Whether the server says that it has no such room (any more). Whatever else it says, or where it says nothing: false. */
export async function isRoomGone({ roomId, roomSecret }: HostedRoom): Promise<boolean> {
  try {
    const { joinToken } = await deriveRoomKeys(await chooseCrypto(), roomSecret, roomId);
    const response = await fetch(`/api/rooms/${toBase64url(roomId)}`, {
      headers: { authorization: `Bearer ${toBase64url(joinToken)}` },
      cache: 'no-store',
      signal: AbortSignal.timeout(WITHIN_MS),
    });
    return response.status === 404 && v.parse(refusal, await response.json()).code === 'ROOM_UNKNOWN';
  } catch {
    return false;
  }
}
