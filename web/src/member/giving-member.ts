import { type Bytes, fromBase64url } from '../../../peer/bytes.ts';
import type { ChatRoom } from '../../../peer/chat/authored.ts';
import type { Clock } from '../../../peer/clock.ts';
import type { Crypto } from '../../../peer/crypto/crypto.ts';
import type { HostedRoom } from '../../../peer/host/new-room.ts';
import { isWatched, names, standingOf } from '../../../peer/manifest/rules.ts';
import { signBadge } from '../../../peer/room/badge.ts';
import { Giver, giverCard } from '../../../peer/room/giver.ts';
import { dialBudget } from '../../../peer/room/neighbours.ts';
import { Connector } from '../../../peer/transport/connector.ts';
import type { SimplePeerLike } from '../../../peer/transport/simple-peer-channel.ts';
import type { Remote } from '../../../peer/wire/link.ts';
import { connectSignaling, type SignalingClient, type SignalingState } from '../../../signaling/client.ts';
import type { FromServer, IceServer } from '../../../signaling/messages.ts';
import { Credentials } from './credentials.ts';
import { Neighbourhood } from './neighbourhood.ts';

/** After signaling was lost and is back, or the network changed, a connection on which nothing is heard for so long is taken for dead. */
const PROBE_MS = 1_500;

/** The same of signaling, where there is a doubt. */
const SIGNALING_ANSWERS_MS = 2_000;

/** Where the server does not say whether viewers may be connected at all, or take us for a member, it is asked again. */
const ASK_AGAIN_MS = 10_000;

export interface GivingMemberParts {
  room: HostedRoom;
  crypto: Crypto;
  clock: Clock;
  random(): number;
  signalingUrl: string;
  openSocket: Parameters<typeof connectSignaling>[0]['openSocket'];
  createPeer(isInitiator: boolean, iceServers: readonly IceServer[]): SimplePeerLike;
  /** The host's signed rules, as the server has them; null where there are none. */
  fetchRules(joinToken: Bytes): Promise<Bytes | null>;
  /** Puts this member among those whom a locked room lets in, or takes it off again. */
  setLetIn(member: Bytes, isLetIn: boolean, joinToken: Bytes): Promise<unknown>;
  /** The ciphertext of a piece that was offered; null where it is gone meanwhile. */
  read(segment: number, piece: number): Promise<Bytes | null>;
  /** The host's rules are known, or new. */
  onRules(): void;
}

/** The host's uploading page in its room: signaling and connections to viewers around a Giver. It leaves the origin's places to others. */
export class GivingMember {
  readonly giver: Giver;
  readonly #parts: GivingMemberParts;
  readonly #selfId: string;
  readonly #joinToken: Bytes;
  readonly #signaling: SignalingClient;
  readonly #connector: Connector;
  /** Shut until it is known that the host's rules allow connections, and while they do not. */
  readonly #neighbourhood: Neighbourhood;
  #iceServers: readonly IceServer[] = [];
  #state: SignalingState = 'connecting';
  #areRulesKnown = false;
  #isAskingIn = false;
  #cancelAsking: () => void = () => undefined;
  #isClosed = false;

  /** Joins the room; resolves at once, connecting goes on behind. */
  static async join(parts: GivingMemberParts): Promise<GivingMember> {
    const { crypto, clock, room } = parts;
    const credentials = await Credentials.make(crypto, room, await crypto.generateSigningKey());
    const { memberKey: key, roomKeys } = credentials;
    const chatRoom = { crypto, roomId: room.roomId, chatKey: roomKeys.chatKey };
    const badge = await signBadge(crypto, room.hostKey, key.publicKey, clock.wallMs());
    return new GivingMember(parts, credentials, chatRoom, await giverCard(chatRoom, { key, badge }));
  }

  private constructor(parts: GivingMemberParts, credentials: Credentials, room: ChatRoom, card: Bytes) {
    const { clock, random, crypto } = parts;
    this.#parts = parts;
    this.giver = new Giver({
      clock,
      room,
      video: parts.room.videoId,
      card,
      read: (segment, piece) => parts.read(segment, piece),
      onLinkClosed: (remote, code) => this.#linkClosed(remote, code),
      onRules: () => this.#applyRules(),
    });
    this.#selfId = credentials.selfId;
    this.#joinToken = credentials.roomKeys.joinToken;
    this.#connector = new Connector({
      selfId: credentials.selfId,
      clock,
      randomBytes: (countBytes) => crypto.randomBytes(countBytes),
      createPeer: (isInitiator) => parts.createPeer(isInitiator, this.#iceServers),
      sendSignal: (to, data) => void this.#signaling.send({ type: 'signal', to, data }),
      seal: (to, text) => credentials.seal(to, text),
      unseal: (from, text) => credentials.unseal(from, text),
      admit: (from) => this.#neighbourhood.admit(from),
      onChannel: (id, channel) => {
        this.#neighbourhood.opened(id);
        this.giver.connect(channel, { id, kind: 'member' });
      },
      onFailure: (id, isInitiator) => {
        if (isInitiator) this.#neighbourhood.failed(id);
      },
      onBusy: (id, retryInMs) => this.#neighbourhood.busy(id, retryInMs),
      onSilence: () => this.#doubt(),
      onFree: () => this.#neighbourhood.freed(),
      // Said in the room page, to who looks at it.
      onBadSignal: () => undefined,
    });
    this.#neighbourhood = new Neighbourhood({
      clock,
      random,
      budget: dialBudget(clock),
      connector: () => this.#connector,
      askForMore: (known) => void this.#signaling.send({ type: 'more', known }),
      isShutOut: (id) => this.giver.isOut(id),
    });
    this.#signaling = connectSignaling({
      url: parts.signalingUrl,
      openSocket: parts.openSocket,
      hello: (nonce) => credentials.join(nonce),
      clock,
      random,
      on: (message) => this.#received(message),
      onState: (state) => {
        this.#state = state;
      },
    });
  }

  /** Whether the host's rules send everybody through the server only. */
  get isForbidden(): boolean {
    return this.giver.rules?.isOriginOnly ?? false;
  }

  /** Whether the room watches what is given, as far as it is known here. */
  get isWatched(): boolean {
    const { rules } = this.giver;
    return rules === null || isWatched(rules, this.#parts.room.videoId);
  }

  /** This device may be in another network: what looks open is given little time to show that it is. */
  networkChanged(): void {
    this.#signaling.reconnectNow();
    this.giver.probeLinks(PROBE_MS);
  }

  /** Leaves the room and closes every connection. */
  close(): void {
    this.#isClosed = true;
    // Nobody comes back by this key; where the server is away the list has one id too many.
    if (this.#isOnList) void this.#setLetIn(false).catch(() => undefined);
    this.#cancelAsking();
    this.#neighbourhood.close();
    this.#signaling.close();
    this.giver.close();
    this.#connector.close();
  }

  #received(message: FromServer): void {
    switch (message.type) {
      case 'welcome':
        this.#iceServers = message.iceServers;
        this.giver.probeLinks(PROBE_MS);
        this.#connector.hangUpUnopened();
        this.#neighbourhood.found(message.members);
        void this.#learnRules();
        break;
      case 'iceServers':
        this.#iceServers = message.iceServers;
        break;
      case 'members':
        this.#neighbourhood.found(message.members);
        break;
      case 'signal':
        this.#connector.receive(message.from, message.data);
        break;
      case 'absent':
        this.#absent(message.id);
        break;
      case 'error':
        if (message.code === 'ROOM_LOCKED') void this.#learnRules();
        break;
      default:
    }
  }

  #absent(id: string): void {
    // One that is open needs no signals.
    if (this.#connector.channel(id)) return;
    this.#connector.hangUp(id);
    this.#neighbourhood.gone(id);
  }

  /** Nobody is dialled or let in before it is known whether the host allows it: the server tells, since viewers are not asked yet. */
  async #learnRules(): Promise<void> {
    this.#cancelAsking();
    try {
      const envelope = await this.#parts.fetchRules(this.#joinToken);
      if (envelope) await this.giver.obey(envelope);
      this.#areRulesKnown = true;
    } catch {
      if (this.#isClosed) return;
      this.#askAgainLater();
    }
    this.#applyRules();
  }

  #askAgainLater(): void {
    this.#cancelAsking();
    this.#cancelAsking = this.#parts.clock.after(ASK_AGAIN_MS, () => void this.#learnRules());
  }

  #applyRules(): void {
    if (this.#isClosed) return;
    if (this.#areRulesKnown && !this.isForbidden) this.#neighbourhood.open();
    else this.#neighbourhood.shut();
    if (this.#isLockedOut && !this.isForbidden) void this.#askIn();
    this.#parts.onRules();
  }

  /** The host's own page is in the room by the host's will, under a key that nobody can have listed before. */
  async #askIn(): Promise<void> {
    if (this.#isAskingIn) return;
    this.#isAskingIn = true;
    try {
      await this.#setLetIn(true);
      this.#isAskingIn = false;
      if (this.#isClosed) return;
      await this.#learnRules();
      if (this.#state !== 'connected' && !this.#isClosed) this.#signaling.reconnectNow();
    } catch {
      this.#isAskingIn = false;
      if (!this.#isClosed) this.#askAgainLater();
    }
  }

  #setLetIn(isLetIn: boolean): Promise<unknown> {
    const id = fromBase64url(this.#selfId) ?? new Uint8Array();
    return this.#parts.setLetIn(id, isLetIn, this.#joinToken);
  }

  get #isLockedOut(): boolean {
    const { rules } = this.giver;
    return rules !== null && standingOf(rules, this.#selfId) === 'locked';
  }

  /** Whether the room is locked to others than us. */
  get #isOnList(): boolean {
    const id = fromBase64url(this.#selfId);
    return id !== null && names(this.giver.rules?.lockedTo ?? [], id);
  }

  #linkClosed({ id }: Remote, code: string): void {
    if (this.#isClosed || code === 'REPLACED') return;
    if (code === 'PEER_SILENT') this.#doubt();
    // Who comes back dials us: nothing is missing here without them.
    this.#neighbourhood.parted(id, code);
  }

  /** Somebody is not heard: that one's trouble, or ours. Signaling, asked for members, is dialled anew where it does not answer. */
  #doubt(): void {
    if (!this.#isClosed)
      this.#signaling.ask({ type: 'more', known: this.#connector.ids }, SIGNALING_ANSWERS_MS);
  }
}
