import { systemClock } from '../../../peer/clock.ts';
import { chooseCrypto } from '../../../peer/crypto/choose.ts';
import { MatineeError } from '../../../peer/errors.ts';
import type { HostedRoomKey } from '../../../peer/host/host-key-file.ts';
import { roomRequests } from '../../../peer/host/room-requests.ts';
import { NotNow, send } from '../../../peer/host/send.ts';
import { signTakeDown } from '../../../peer/manifest/take-down.ts';
import { parseRoomLink } from '../../../peer/room-link.ts';
import { texts } from './texts.ts';

/**
 * Has the server remove a room and all it holds; resolves when it has, or had no such room any more.
 * @throws MatineeError SERVER_UNREACHABLE, or what the server refuses it with.
 */
export async function takeDownRoom({
  link,
  hostKey,
}: Pick<HostedRoomKey, 'link' | 'hostKey'>): Promise<void> {
  const { roomId } = parseRoomLink(link);
  const crypto = await chooseCrypto();
  const command = await signTakeDown(crypto, hostKey.privateKey, roomId, systemClock.wallMs());
  const request = roomRequests(location.origin, roomId, roomId).takeDown(command);
  const io = { fetch: (...args: Parameters<typeof fetch>) => fetch(...args), clock: systemClock };
  try {
    await send(io, request, new AbortController().signal);
  } catch (error) {
    if (error instanceof NotNow) throw new MatineeError('SERVER_UNREACHABLE', texts.takeDownFailed);
    if (!(error instanceof MatineeError && error.code === 'ROOM_UNKNOWN')) throw error;
  }
}
