import { fromBase64url } from '../../../peer/bytes.ts';
import { systemClock } from '../../../peer/clock.ts';
import type { Crypto, SigningKey } from '../../../peer/crypto/crypto.ts';
import { deriveRoomKeys, deriveVideoKeys } from '../../../peer/crypto/keys.ts';
import { hostCommands } from '../../../peer/host/host-commands.ts';
import type { ListedVideo } from '../../../peer/manifest/rules.ts';
import type { RoomEntry } from '../../../peer/room-link.ts';
import { sealTitle } from '../../../peer/video-info.ts';
import type { HostDesk } from '../room-session.ts';

/** What the host commands its room with, on the server that this page came from. */
export async function openHostDesk(crypto: Crypto, entry: RoomEntry, hostKey: SigningKey): Promise<HostDesk> {
  const { roomId, roomSecret } = entry;
  const { joinToken } = await deriveRoomKeys(crypto, roomSecret, roomId);
  const commands = hostCommands({
    crypto,
    clock: systemClock,
    fetch: (...args) => fetch(...args),
    server: location.origin,
    roomId,
    hostKey,
    joinToken,
  });
  return {
    ...commands,
    takeDown: () => takeDown(location.href, hostKey),
    async intoRoom(present) {
      const room = { roomId, roomSecret, hostKey, link: location.href };
      return { room, present: present && (await listed(crypto, entry, present)) };
    },
  };
}

/** A film as the room's list shows it. */
async function listed(
  crypto: Crypto,
  { roomSecret }: RoomEntry,
  { id, title }: { id: string; title: string },
): Promise<ListedVideo> {
  const video = fromBase64url(id) ?? new Uint8Array(0);
  const { infoKey } = await deriveVideoKeys(crypto, roomSecret, video);
  return { video, title: await sealTitle(crypto, infoKey, video, title) };
}

async function takeDown(link: string, hostKey: SigningKey): Promise<void> {
  const { takeDownRoom } = await import('../home/take-down-room.ts');
  await takeDownRoom({ link, hostKey });
  const { forgetRoom } = await import('../home/hosted-rooms.ts');
  forgetRoom(link);
}
