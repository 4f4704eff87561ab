import { fromBase64url } from '../peer/bytes.ts';
import type { Crypto } from '../peer/crypto/crypto.ts';
import { isJoinToken } from '../peer/manifest/room-record.ts';
import { standingOf } from '../peer/manifest/rules.ts';
import type { Door } from '../signaling/door.ts';
import { isRoomId } from './store/paths.ts';
import type { Store } from './store/store.ts';

/** The same door, which tells of every room that it opens. */
export function toldDoor(door: Door, onOpened: (room: string) => void): Door {
  return {
    mayMeet: (room) => door.mayMeet(room),
    async admit(room, token, member) {
      const admission = await door.admit(room, token, member);
      if (admission === 'ok') onOpened(room);
      return admission;
    },
  };
}

/**
 * Lets in who has a room's join token (base64url), over HTTP and signaling alike; over signaling, where members prove who
 * they are, only those whom the host's rules do not keep out.
 */
export function roomDoor(store: Pick<Store, 'roomRecord' | 'rules'>, crypto: Crypto): Door {
  return {
    async admit(room, token, member) {
      const record = isRoomId(room) ? await store.roomRecord(room) : null;
      if (!record) return 'no-room';
      const bytes = fromBase64url(token);
      if (!bytes || !(await isJoinToken(crypto, record, bytes))) return 'bad-token';
      const rules = member === null ? null : await store.rules(room);
      return rules && member !== null ? standingOf(rules, member) : 'ok';
    },
    async mayMeet(room) {
      return !(await store.rules(room))?.isOriginOnly;
    },
  };
}
