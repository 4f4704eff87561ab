import type { Crypto } from '../crypto/crypto.ts';
import { MatineeError } from '../errors.ts';
import { signTakeDown } from '../manifest/take-down.ts';
import type { HostedRoom } from './new-room.ts';
import type { RoomRequests } from './room-requests.ts';
import { type HttpIo, NotNow, send } from './send.ts';

/** What it is done with. */
type TakeDownIo = HttpIo & { crypto: Crypto };

/** Milliseconds spent on it at most: the person has turned to something else. */
const TIMEOUT_MS = 3000;

/**
 * Tries once, for three seconds at most, to have a half-filled room removed. Says whether it is gone; never rejects
 * for what the server does, since the reason to remove it is what the host has to hear of.
 */
export async function takeDown(
  io: TakeDownIo,
  room: Pick<HostedRoom, 'roomId' | 'hostKey'>,
  requests: RoomRequests,
): Promise<boolean> {
  try {
    await removeRoom(io, room, requests);
    return true;
  } catch (error) {
    if (error instanceof NotNow || error instanceof MatineeError) return false;
    throw error;
  }
}

/**
 * Has a room removed with all it holds; one that is gone already will do. Tries once, for three seconds at most.
 * @throws NotNow where the server does not answer, or cannot now; MatineeError with the code of its refusal.
 */
export async function removeRoom(
  io: TakeDownIo,
  { roomId, hostKey }: Pick<HostedRoom, 'roomId' | 'hostKey'>,
  requests: RoomRequests,
): Promise<void> {
  const command = await signTakeDown(io.crypto, hostKey.privateKey, roomId, io.clock.wallMs());
  const request = { ...requests.takeDown(command), timeoutMs: TIMEOUT_MS };
  try {
    await send(io, request, new AbortController().signal);
  } catch (error) {
    if (!(error instanceof MatineeError && error.code === 'ROOM_UNKNOWN')) throw error;
  }
}
