import { fromBase64url, toBase64url, utf8 } from '../../../peer/bytes.ts';
import type { Clock } from '../../../peer/clock.ts';
import type { Crypto } from '../../../peer/crypto/crypto.ts';
import { deriveRoomKeys, type RoomKeys } from '../../../peer/crypto/keys.ts';
import { MatineeError } from '../../../peer/errors.ts';
import { memberIdOf, Viewer } from '../../../peer/room/viewer.ts';
import type { RoomLink } from '../../../peer/room-link.ts';
import { Connector } from '../../../peer/transport/connector.ts';
import type { SimplePeerLike } from '../../../peer/transport/simple-peer-channel.ts';
import type { Remote } from '../../../peer/wire/link.ts';
import { connectSignaling, type SignalingClient, type SignalingState } from '../../../signaling/client.ts';
import { type FromServer, type IceServer, ORIGIN } from '../../../signaling/messages.ts';
import { Neighbours } from './neighbours.ts';

/** Bytes of ciphertext a viewer keeps for itself and for others. */
const MEMORY_BYTES = 256 * 1024 * 1024;

export interface MemberParts {
  link: RoomLink;
  name: string;
  crypto: Crypto;
  clock: Clock;
  random(): number;
  signalingUrl: string;
  openSocket: Parameters<typeof connectSignaling>[0]['openSocket'];
  createPeer(isInitiator: boolean, iceServers: readonly IceServer[]): SimplePeerLike;
  onChange(): void;
  onPiece(segment: number, piece: number): void;
}

/** A viewer in its room: signaling, connections and the viewer itself, joined. Runs in a page and in Node alike. */
export class Member {
  readonly viewer: Viewer;
  readonly selfId: string;
  readonly #parts: MemberParts;
  readonly #signalingKey: RoomKeys['signalingKey'];
  readonly #signaling: SignalingClient;
  readonly #connector: Connector;
  readonly #neighbours: Neighbours;
  readonly #dialled = new Set<string>();
  #iceServers: readonly IceServer[] = [];
  #state: SignalingState = 'connecting';
  #refusal: MatineeError | null = null;
  #isClosed = false;

  /** Joins the room; resolves at once, connecting goes on behind. */
  static async join(parts: MemberParts): Promise<Member> {
    const { crypto, link } = parts;
    const roomKeys = await deriveRoomKeys(crypto, link.roomSecret, link.roomId);
    const memberKey = crypto.randomBytes(32);
    return new Member(parts, roomKeys, toBase64url(memberKey), await memberIdOf(crypto, memberKey));
  }

  private constructor(parts: MemberParts, roomKeys: RoomKeys, memberKey: string, selfId: string) {
    const { clock, random, crypto, link } = parts;
    this.#parts = parts;
    this.selfId = selfId;
    this.#signalingKey = roomKeys.signalingKey;
    this.viewer = new Viewer({
      ...parts,
      roomId: link.roomId,
      roomSecret: link.roomSecret,
      roomKeys,
      selfId,
      memoryBytes: MEMORY_BYTES,
      onLinkClosed: (remote, code) => this.#linkClosed(remote, code),
    });
    this.#connector = new Connector({
      selfId,
      clock,
      randomBytes: (countBytes) => crypto.randomBytes(countBytes),
      createPeer: (isInitiator) => parts.createPeer(isInitiator, this.#iceServers),
      sendSignal: (to, data) => void this.#signaling.send({ type: 'signal', to, data }),
      seal: (to, text) => this.#seal(to, text),
      unseal: (from, text) => this.#unseal(from, text),
      mayAccept: (from) => from !== ORIGIN && !this.viewer.isBanned(from) && this.#neighbours.mayAccept(),
      onChannel: (id, channel, isInitiator) => {
        if (isInitiator) this.#dialled.add(id);
        this.#neighbours.opened(id);
        this.viewer.connect(channel, { id, kind: id === ORIGIN ? 'origin' : 'member' });
      },
      onFailure: (id, isInitiator) => {
        if (isInitiator) this.#neighbours.lost(id);
      },
      onBadSignal: () => undefined,
    });
    this.#neighbours = new Neighbours({
      originId: ORIGIN,
      clock,
      random,
      isConnected: (id) => this.#connector.has(id),
      connectedMembers: () => this.#connector.ids.filter((id) => id !== ORIGIN),
      dial: (id) => this.#dial(id),
      askForMore: (known) => this.#signaling.send({ type: 'more', known: known.slice(0, 64) }),
    });
    this.#signaling = connectSignaling({
      url: parts.signalingUrl,
      openSocket: parts.openSocket,
      hello: {
        type: 'join',
        room: toBase64url(link.roomId),
        token: toBase64url(roomKeys.joinToken),
        key: memberKey,
      },
      clock,
      random,
      on: (message) => this.#received(message),
      onState: (state) => {
        this.#state = state;
        parts.onChange();
      },
    });
  }

  get signaling(): SignalingState {
    return this.#state;
  }

  /** Why the signaling server refused us for good, or null. */
  get refusal(): MatineeError | null {
    return this.#refusal;
  }

  /** Tries the signaling server again now: the page became visible, or the network came back. */
  reconnectNow(): void {
    this.#signaling.reconnectNow();
  }

  close(): void {
    this.#isClosed = true;
    this.#neighbours.close();
    this.#signaling.close();
    this.viewer.close();
    this.#connector.close();
  }

  #dial(id: string): void {
    if (!this.#isClosed && !this.viewer.isBanned(id)) this.#connector.dial(id);
  }

  #received(message: FromServer): void {
    switch (message.type) {
      case 'welcome':
        this.#iceServers = message.iceServers;
        if (message.isOriginHere) this.#neighbours.originIsHere();
        this.#neighbours.found(message.members);
        break;
      case 'members':
        this.#neighbours.found(message.members);
        break;
      case 'originHere':
        this.#neighbours.originIsHere();
        break;
      case 'signal':
        this.#connector.receive(message.from, message.data);
        break;
      case 'absent':
        this.#connector.hangUp(message.id);
        this.#neighbours.gone(message.id);
        break;
      case 'error':
        this.#refusal = refusalFor(message.code, message.message);
        this.#parts.onChange();
        break;
      default:
    }
  }

  #linkClosed(remote: Remote, code: string): void {
    const wasDialled = this.#dialled.delete(remote.id);
    if (this.#isClosed || code === 'REPLACED') return;
    if (remote.kind === 'origin') this.#neighbours.lost(remote.id);
    else if (code === 'LEFT' || this.viewer.isBanned(remote.id)) this.#neighbours.gone(remote.id);
    else if (wasDialled) this.#neighbours.lost(remote.id);
  }

  /** To the origin in clear: it has no key, and its addresses are the server's own. To members sealed, bound to both ends. */
  async #seal(to: string, text: string): Promise<string> {
    if (to === ORIGIN) return text;
    const context = utf8(`signal ${this.selfId} ${to}`);
    return toBase64url(await this.#parts.crypto.seal(this.#signalingKey, utf8(text), context));
  }

  async #unseal(from: string, text: string): Promise<string> {
    if (from === ORIGIN) return text;
    const sealed = fromBase64url(text);
    if (!sealed) throw new MatineeError('SEAL_BROKEN', 'A signal was not sealed.');
    const context = utf8(`signal ${from} ${this.selfId}`);
    return new TextDecoder().decode(await this.#parts.crypto.open(this.#signalingKey, sealed, context));
  }
}

function refusalFor(code: string, message: string): MatineeError | null {
  if (code === 'ROOM_UNKNOWN') {
    return new MatineeError(
      code,
      'This room does not exist, or no longer does. Check that the link is whole, or ask the host for a new one.',
    );
  }
  if (code === 'TOKEN_WRONG') {
    return new MatineeError(
      code,
      'This link does not open the room: the part after # is wrong. Ask the host to send the link again.',
    );
  }
  return code === 'REQUEST_MALFORMED' ? new MatineeError(code, message) : null;
}
