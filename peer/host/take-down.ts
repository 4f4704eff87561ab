import type { Clock } from '../clock.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { MatineeError } from '../errors.ts';
import { signTakeDown } from '../manifest/take-down.ts';
import type { HostedRoom } from './new-room.ts';
import type { RoomRequests } from './room-requests.ts';
import { type HttpIo, NotNow, send } from './send.ts';

/** Milliseconds spent on it at most: the person has turned to something else. */
const TIMEOUT_MS = 3000;

/**
 * Tries once, for three seconds at most, to have a half-filled room removed. Says whether it was; never rejects
 * for what the server does, since the reason to remove it is what the host has to hear of.
 */
export async function takeDown(
  io: HttpIo & { crypto: Crypto; clock: Clock },
  room: HostedRoom,
  requests: RoomRequests,
): Promise<boolean> {
  const { roomId, hostKey } = room;
  const command = await signTakeDown(io.crypto, hostKey.privateKey, roomId, io.clock.wallMs());
  const request = { ...requests.takeDown(command), timeoutMs: TIMEOUT_MS };
  try {
    await send(io, request, new AbortController().signal);
    return true;
  } catch (error) {
    if (error instanceof NotNow || error instanceof MatineeError) return false;
    throw error;
  }
}
