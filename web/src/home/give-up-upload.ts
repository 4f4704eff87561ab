import { systemClock } from '../../../peer/clock.ts';
import { chooseCrypto } from '../../../peer/crypto/choose.ts';
import { deriveRoomKeys } from '../../../peer/crypto/keys.ts';
import { hostCommands } from '../../../peer/host/host-commands.ts';
import type { UploadRecord } from '../../../peer/host/upload-journal.ts';
import { takeDownRoom } from './take-down-room.ts';

/**
 * Has the server remove what an upload brought there so far: its room, or the film alone where the room has others.
 * @throws MatineeError SERVER_UNREACHABLE, or what the server refuses it with.
 */
export async function giveUpUpload({ room, addedTo }: UploadRecord): Promise<void> {
  if (!addedTo) {
    await takeDownRoom(room);
    return;
  }
  const crypto = await chooseCrypto();
  const { roomId, roomSecret, hostKey, videoId } = room;
  const { joinToken } = await deriveRoomKeys(crypto, roomSecret, roomId);
  const io = { fetch: (...args: Parameters<typeof fetch>) => fetch(...args), clock: systemClock };
  await hostCommands({ ...io, crypto, server: location.origin, roomId, hostKey, joinToken }).removeVideo(
    videoId,
  );
}
