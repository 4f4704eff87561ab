import { fromBase64url, toBase64url, utf8 } from '../../../peer/bytes.ts';
import type { Crypto, SigningKey } from '../../../peer/crypto/crypto.ts';
import { deriveRoomKeys, type RoomKeys } from '../../../peer/crypto/keys.ts';
import { memberIdOf, openSignal, signJoin, signSignal } from '../../../peer/crypto/member-key.ts';
import { MatineeError } from '../../../peer/errors.ts';
import type { RoomEntry } from '../../../peer/room-link.ts';
import type { MakeJoin } from '../../../signaling/client.ts';
import { ORIGIN } from '../../../signaling/messages.ts';

/** What a member joins its room with, and keeps its offers and answers from the signaling server. */
export class Credentials {
  readonly memberKey: SigningKey;
  readonly roomKeys: RoomKeys;
  readonly selfId: string;
  readonly #crypto: Crypto;
  readonly #room: RoomEntry;

  static async make(crypto: Crypto, room: RoomEntry, memberKey: SigningKey): Promise<Credentials> {
    const roomKeys = await deriveRoomKeys(crypto, room.roomSecret, room.roomId);
    return new Credentials(crypto, room, memberKey, roomKeys, await memberIdOf(crypto, memberKey.publicKey));
  }

  private constructor(
    crypto: Crypto,
    room: RoomEntry,
    memberKey: SigningKey,
    roomKeys: RoomKeys,
    selfId: string,
  ) {
    this.#crypto = crypto;
    this.#room = room;
    this.memberKey = memberKey;
    this.roomKeys = roomKeys;
    this.selfId = selfId;
  }

  /** The join for a connection whose hello had this nonce, signed with our key. */
  async join(nonce: string): Promise<Awaited<ReturnType<MakeJoin>>> {
    const { roomId } = this.#room;
    const nonceBytes = fromBase64url(nonce);
    if (!nonceBytes) throw new MatineeError('REQUEST_MALFORMED', 'The server said no nonce to join with.');
    const signature = await signJoin(this.#crypto, this.memberKey, nonceBytes, roomId);
    return {
      type: 'join',
      room: toBase64url(roomId),
      token: toBase64url(this.roomKeys.joinToken),
      publicKey: toBase64url(this.memberKey.publicKey),
      signature: toBase64url(signature),
    };
  }

  /** To the origin in clear: it has no key, and its addresses are the server's own. To members signed and sealed, bound to both ends. */
  async seal(to: string, text: string): Promise<string> {
    if (to === ORIGIN) return text;
    const signed = await signSignal(this.#crypto, this.memberKey, to, text);
    const context = utf8(`signal ${this.selfId} ${to}`);
    return toBase64url(await this.#crypto.seal(this.roomKeys.signalingKey, signed, context));
  }

  async unseal(from: string, text: string): Promise<string> {
    if (from === ORIGIN) return text;
    const sealed = fromBase64url(text);
    if (!sealed) throw new MatineeError('SEAL_BROKEN', 'A signal was not sealed.');
    const context = utf8(`signal ${from} ${this.selfId}`);
    const signed = await this.#crypto.open(this.roomKeys.signalingKey, sealed, context);
    return openSignal(this.#crypto, from, this.selfId, signed);
  }
}
