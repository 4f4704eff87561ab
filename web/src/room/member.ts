import { fromBase64url, toBase64url, utf8 } from '../../../peer/bytes.ts';
import type { Clock } from '../../../peer/clock.ts';
import type { Crypto } from '../../../peer/crypto/crypto.ts';
import { deriveRoomKeys, type RoomKeys } from '../../../peer/crypto/keys.ts';
import { MatineeError } from '../../../peer/errors.ts';
import { dialBudget, Neighbours } from '../../../peer/room/neighbours.ts';
import { MAKE_ROOM, OriginDial } from '../../../peer/room/origin-dial.ts';
import { memberIdOf, Viewer } from '../../../peer/room/viewer.ts';
import type { RoomLink } from '../../../peer/room-link.ts';
import type { Spill } from '../../../peer/swarm/piece-disk.ts';
import type { Channel } from '../../../peer/transport/channel.ts';
import { type Admission, Connector, MAX_RETRY_MS } from '../../../peer/transport/connector.ts';
import type { SimplePeerLike } from '../../../peer/transport/simple-peer-channel.ts';
import type { Remote } from '../../../peer/wire/link.ts';
import { connectSignaling, type SignalingClient, type SignalingState } from '../../../signaling/client.ts';
import { type FromServer, type IceServer, ORIGIN } from '../../../signaling/messages.ts';

/** Bytes of ciphertext a viewer keeps in memory, for itself and for others, where it has no disk for what is too much. */
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
  /** Where what is too much for memory goes; null or left out: nowhere. */
  spill?: Spill | null;
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
  readonly #originDial: OriginDial;
  #iceServers: readonly IceServer[] = [];
  #state: SignalingState = 'connecting';
  #refusal: MatineeError | null = null;
  #isOriginBusy = false;
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
      admit: (from) => this.#admit(from),
      onChannel: (id, channel) => this.#opened(id, channel),
      onFailure: (id, isInitiator) => {
        if (id === ORIGIN) this.#originLost('CLOSED');
        else if (isInitiator) this.#neighbours.failed(id);
      },
      onBusy: (id, retryInMs) => {
        if (id === ORIGIN) this.#originBusy(retryInMs);
        else this.#neighbours.busy(id, retryInMs);
      },
      onFree: (id) => {
        if (id !== ORIGIN) this.#neighbours.freed();
      },
      onBadSignal: () => undefined,
    });
    const budget = dialBudget(clock);
    this.#originDial = new OriginDial({
      clock,
      random,
      budget,
      isConnected: () => this.#connector.has(ORIGIN),
      dial: () => this.#connector.dial(ORIGIN),
    });
    this.#neighbours = new Neighbours({
      clock,
      random,
      budget,
      connected: () => this.#connector.ids.filter((id) => id !== ORIGIN),
      dial: (id) => this.#connector.dial(id),
      askForMore: (known) => void this.#signaling.send({ type: 'more', known }),
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

  /** Whether the origin is there but, as far as it told us last, has no place for us: it will be asked again. */
  get isOriginBusy(): boolean {
    return this.#isOriginBusy;
  }

  /** Tries the signaling server again now: the page became visible, or the network came back. */
  reconnectNow(): void {
    this.#signaling.reconnectNow();
  }

  close(): void {
    this.#isClosed = true;
    this.#neighbours.close();
    this.#originDial.close();
    this.#signaling.close();
    this.viewer.close();
    this.#connector.close();
  }

  #admit(from: string): Admission {
    if (this.viewer.isBanned(from)) return { retryInMs: MAX_RETRY_MS };
    return from !== ORIGIN && this.#neighbours.canAdmit(from) ? 'welcome' : { retryInMs: 0 };
  }

  #found(ids: readonly string[]): void {
    this.#neighbours.found(ids.filter((id) => !this.viewer.isBanned(id)));
  }

  #opened(id: string, channel: Channel): void {
    if (id === ORIGIN) this.#originOpened();
    else this.#neighbours.opened(id);
    this.viewer.connect(channel, { id, kind: id === ORIGIN ? 'origin' : 'member' });
  }

  #received(message: FromServer): void {
    switch (message.type) {
      case 'welcome':
        this.#iceServers = message.iceServers;
        if (message.isOriginHere) this.#originDial.isHere();
        this.#found(message.members);
        break;
      case 'members':
        this.#found(message.members);
        break;
      case 'originHere':
        this.#originDial.cameBack();
        break;
      case 'signal':
        this.#connector.receive(message.from, message.data);
        break;
      case 'absent':
        this.#absent(message.id);
        break;
      case 'error':
        this.#refusal = refusalFor(message.code, message.message);
        this.#parts.onChange();
        break;
      default:
    }
  }

  /** Signaling knows nobody there: a connection that is not open yet never will be; one that is needs no signals. */
  #absent(id: string): void {
    if (this.#connector.channel(id)) return;
    this.#connector.hangUp(id);
    if (id === ORIGIN) this.#originGone();
    else this.#neighbours.gone(id);
  }

  #linkClosed(remote: Remote, code: string): void {
    if (this.#isClosed || code === 'REPLACED') return;
    if (remote.kind === 'origin') this.#originLost(code);
    else if (code === 'LEFT' || this.viewer.isBanned(remote.id)) this.#neighbours.gone(remote.id);
    else if (code === 'PIECE_WRONG') this.#neighbours.barred(remote.id);
    else this.#neighbours.lost(remote.id);
  }

  #originOpened(): void {
    this.#isOriginBusy = false;
    this.#originDial.opened();
  }

  #originBusy(retryInMs: number): void {
    this.#isOriginBusy = true;
    this.#originDial.busy(retryInMs);
  }

  #originLost(code: string): void {
    this.#isOriginBusy = code === MAKE_ROOM;
    this.#originDial.lost(code);
  }

  #originGone(): void {
    this.#isOriginBusy = false;
    this.#originDial.gone();
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
