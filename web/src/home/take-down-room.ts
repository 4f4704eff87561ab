import { systemClock } from '../../../peer/clock.ts';
import { chooseCrypto } from '../../../peer/crypto/choose.ts';
import { MatineeError } from '../../../peer/errors.ts';
import type { HostedRoomKey } from '../../../peer/host/host-key-file.ts';
import { roomRequests } from '../../../peer/host/room-requests.ts';
import { NotNow } from '../../../peer/host/send.ts';
import { removeRoom } from '../../../peer/host/take-down.ts';
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
  const io = { fetch: (...args: Parameters<typeof fetch>) => fetch(...args), clock: systemClock, crypto };
  try {
    await removeRoom(io, { roomId, hostKey }, roomRequests(location.origin, roomId, roomId));
  } catch (error) {
    throw error instanceof NotNow ? new MatineeError('SERVER_UNREACHABLE', texts.takeDownFailed) : error;
  }
}
