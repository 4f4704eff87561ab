import { fromBase64url } from '../peer/bytes.ts';
import type { Crypto } from '../peer/crypto/crypto.ts';
import { isJoinToken } from '../peer/manifest/room-record.ts';
import type { Door } from '../signaling/door.ts';
import { isRoomId } from './store/paths.ts';
import type { Store } from './store/store.ts';

/** Lets in who has a room's join token (base64url), over HTTP and signaling alike. */
export function roomDoor(store: Pick<Store, 'roomRecord'>, crypto: Crypto): Door {
  return {
    async admit(room, token) {
      const record = isRoomId(room) ? await store.roomRecord(room) : null;
      if (!record) return 'no-room';
      const bytes = fromBase64url(token);
      return bytes && (await isJoinToken(crypto, record, bytes)) ? 'ok' : 'bad-token';
    },
  };
}
