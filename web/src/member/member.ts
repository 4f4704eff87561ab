import type { Bytes } from '../../../peer/bytes.ts';
import type { Clock } from '../../../peer/clock.ts';
import type { Crypto, SigningKey } from '../../../peer/crypto/crypto.ts';
import { proveMember } from '../../../peer/crypto/member-key.ts';
import { MatineeError } from '../../../peer/errors.ts';
import { dialBudget } from '../../../peer/room/neighbours.ts';
import { MAKE_ROOM, OriginDial } from '../../../peer/room/origin-dial.ts';
import { Viewer } from '../../../peer/room/viewer.ts';
import type { RoomEntry } from '../../../peer/room-link.ts';
import type { Spill } from '../../../peer/swarm/piece-disk.ts';
import type { PlainFetcher } from '../../../peer/swarm/plain-fetching.ts';
import type { Channel } from '../../../peer/transport/channel.ts';
import { Connector } from '../../../peer/transport/connector.ts';
import { isRelayText, Relays } from '../../../peer/transport/relays.ts';
import type { SimplePeerLike } from '../../../peer/transport/simple-peer-channel.ts';
import type { Remote } from '../../../peer/wire/link.ts';
import { connectSignaling, type SignalingClient, type SignalingState } from '../../../signaling/client.ts';
import { type FromServer, type IceServer, ORIGIN } from '../../../signaling/messages.ts';
import { Credentials } from './credentials.ts';
import { Neighbourhood } from './neighbourhood.ts';

/** Bytes of ciphertext a viewer keeps in memory, for itself and for others, where it has no disk for what is too much. */
const MEMORY_BYTES = 256 * 1024 * 1024;

/** So many signals that nobody signed are worth a word: a single one may come of a page older than ours. */
const TAMPERED_SIGNALS = 5;

/** How long after the last of them it is said. */
const TAMPERING_SHOWN_MS = 60_000;

/** How long a data channel to the origin is waited for: on most networks it takes less than a second. */
const RELAY_AFTER_MS = 4_000;

/** After signaling was lost and is back, or the network changed, a connection on which nothing is heard for so long is taken for dead. */
const PROBE_MS = 1_500;

/** The same of signaling, where there is a doubt. */
const SIGNALING_ANSWERS_MS = 2_000;

/** How often the operator's figures are told of ours. */
const REPORT_EVERY_MS = 30_000;

export interface MemberParts {
  /** The room's own secret, its password mixed in where it has one. */
  link: RoomEntry;
  name: string;
  /** Who this member is; left out: somebody new. */
  memberKey?: SigningKey;
  /** The host's badge for this member, where it is the host. */
  badge?: Bytes | null;
  crypto: Crypto;
  clock: Clock;
  random(): number;
  signalingUrl: string;
  openSocket: Parameters<typeof connectSignaling>[0]['openSocket'];
  createPeer(isInitiator: boolean, iceServers: readonly IceServer[]): SimplePeerLike;
  /** Makes the other way to the server, for who can have no data channel: pieces by HTTP, all else through signaling. Left out: there is none. */
  makePlain?(joinToken: Bytes, prove: () => Promise<string>): PlainFetcher;
  /** Where what is too much for memory goes; null or left out: nowhere. */
  spill?: Spill | null;
  onChange(): void;
  onPiece(segment: number, piece: number): void;
  /** Something that goes with the film came; left out: it is not fetched. */
  onExtra?(data: Bytes): void;
  /** The room is at another film from now on. */
  onFilm?(): void;
  /** Where the room is in its film may have changed. */
  onSync?(): void;
}

/** A viewer in its room: signaling, connections and the viewer itself, joined. Runs in a page and in Node alike. */
export class Member {
  readonly viewer: Viewer;
  readonly selfId: string;
  readonly #parts: MemberParts;
  readonly #signaling: SignalingClient;
  readonly #connector: Connector;
  readonly #relays: Relays;
  /** Shut where this member is not to be connected to other viewers. */
  readonly #neighbourhood: Neighbourhood;
  readonly #originDial: OriginDial;
  /** What its person says; the host's rules have a say as well. */
  #arePeersWanted = false;
  #iceServers: readonly IceServer[] = [];
  #state: SignalingState = 'connecting';
  #refusal: MatineeError | null = null;
  #isOriginBusy = false;
  #rejectedSignals = 0;
  #rejectedSignalMs = Number.NEGATIVE_INFINITY;
  #isClosed = false;
  #reported = { origin: 0, peers: 0, http: 0 };
  #cancelReport: () => void = () => undefined;
  #cancelRelay: () => void = () => undefined;

  /** Joins the room; resolves at once, connecting goes on behind. */
  static async join(parts: MemberParts): Promise<Member> {
    const { crypto, link } = parts;
    const memberKey = parts.memberKey ?? (await crypto.generateSigningKey());
    return new Member(parts, await Credentials.make(crypto, link, memberKey));
  }

  private constructor(parts: MemberParts, credentials: Credentials) {
    const { clock, random, crypto, link } = parts;
    const { roomKeys, memberKey, selfId } = credentials;
    this.#parts = parts;
    this.selfId = selfId;
    this.viewer = new Viewer({
      ...parts,
      roomId: link.roomId,
      roomSecret: link.roomSecret,
      roomKeys,
      selfId,
      memberKey,
      badge: parts.badge ?? null,
      plain: parts.makePlain?.(roomKeys.joinToken, () => proveMember(crypto, memberKey, link.roomId)) ?? null,
      memoryBytes: MEMORY_BYTES,
      onLinkClosed: (remote, code) => this.#linkClosed(remote, code),
      onRules: () => this.#applyPeers(),
      onFilm: () => parts.onFilm?.(),
      onSync: () => parts.onSync?.(),
    });
    this.#connector = new Connector({
      selfId,
      clock,
      randomBytes: (countBytes) => crypto.randomBytes(countBytes),
      createPeer: (isInitiator) => parts.createPeer(isInitiator, this.#iceServers),
      sendSignal: (to, data) => void this.#signaling.send({ type: 'signal', to, data }),
      seal: (to, text) => credentials.seal(to, text),
      unseal: (from, text) => credentials.unseal(from, text),
      admit: (from) => this.#neighbourhood.admit(from),
      onChannel: (id, channel) => this.#opened(id, channel),
      onSilence: () => this.#doubt(),
      onFailure: (id, isInitiator) => {
        this.#doubt();
        if (id === ORIGIN) this.#originLost('CLOSED');
        else if (isInitiator) this.#neighbourhood.failed(id);
      },
      onBusy: (id, retryInMs) => {
        if (id === ORIGIN) this.#originBusy(retryInMs);
        else this.#neighbourhood.busy(id, retryInMs);
      },
      onFree: (id) => {
        if (id !== ORIGIN) this.#neighbourhood.freed();
      },
      onBadSignal: () => this.#signalRejected(),
    });
    this.#relays = new Relays({
      clock,
      randomBytes: (countBytes) => crypto.randomBytes(countBytes),
      sendSignal: (to, data) => void this.#signaling.send({ type: 'signal', to, data }),
      // Only the origin is reached this way, and it opens none.
      admit: () => false,
      onChannel: (id, channel) => this.viewer.connect(channel, { id, kind: 'origin', isRelayed: true }),
      onEnd: () => undefined,
    });
    const budget = dialBudget(clock);
    this.#neighbourhood = new Neighbourhood({
      clock,
      random,
      budget,
      connector: () => this.#connector,
      askForMore: (known) => void this.#signaling.send({ type: 'more', known }),
      isShutOut: (id) => this.viewer.isBanned(id) || this.viewer.isOut(id),
    });
    this.#originDial = new OriginDial({
      clock,
      random,
      budget,
      isConnected: () => this.#connector.has(ORIGIN),
      dial: () => this.#connector.dial(ORIGIN),
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
        if (state !== 'connected') this.#relays.lostAll();
        parts.onChange();
      },
    });
    this.#reportLater();
  }

  get signaling(): SignalingState {
    return this.#state;
  }

  /** Ids of members that signaling named last, perhaps none. */
  get named(): readonly string[] {
    return this.#neighbourhood.named;
  }

  /** Why there is nothing more to be had here, by the signaling server's word; else null. */
  get refusal(): MatineeError | null {
    return this.#refusal;
  }

  /** Whether the origin is there but, as far as it told us last, has no place for us: it will be asked again. */
  get isOriginBusy(): boolean {
    return this.#isOriginBusy;
  }

  /** Signals passed on by the signaling server that were not what a member of this room signed and sealed for us. */
  get rejectedSignals(): number {
    return this.#rejectedSignals;
  }

  /**
   * Whether messages between viewers are being changed on their way: some came lately that nobody here signed. Either the
   * signaling server does it, or somebody who has the link sends what is no message; it cannot be told which.
   */
  get areSignalsTampered(): boolean {
    const { clock } = this.#parts;
    const isRecent = clock.nowMs() - this.#rejectedSignalMs < TAMPERING_SHOWN_MS;
    return isRecent && this.#rejectedSignals >= TAMPERED_SIGNALS;
  }

  /**
   * Whether this member may be connected to other viewers, who then see its network address. Not until it is said here:
   * before that, and after a no, it neither dials viewers nor lets them in. A no parts from those connected at once.
   */
  setPeersAllowed(areAllowed: boolean): void {
    this.#arePeersWanted = areAllowed;
    this.#applyPeers();
  }

  /** Viewers are connected to each other where both this person and the host's rules allow it. */
  #applyPeers(): void {
    const areAllowed = this.#arePeersWanted && !this.viewer.rules?.isOriginOnly;
    if (this.#isClosed || areAllowed === this.#neighbourhood.isOpen) return;
    if (areAllowed) this.#neighbourhood.open();
    else this.#partFromMembers();
    this.#parts.onChange();
  }

  /** The page is looked at again, perhaps after a sleep: tries signaling now, or makes sure of it where it looks open. */
  cameBack(): void {
    if (this.#state === 'connected') this.#doubt();
    else this.#signaling.reconnectNow();
  }

  /** This device may be in another network: what looks open is given little time to show that it is. */
  networkChanged(): void {
    this.#signaling.reconnectNow();
    this.viewer.probeLinks(PROBE_MS);
  }

  close(): void {
    this.#report();
    this.#isClosed = true;
    this.#cancelReport();
    this.#cancelRelay();
    this.#neighbourhood.close();
    this.#originDial.close();
    this.#signaling.close();
    this.viewer.close();
    this.#connector.close();
    this.#relays.close();
  }

  /** Tells the operator what came from where: sums, and never of whom. */
  #report(): void {
    const { fromOriginBytes: origin, fromPeersBytes: peers, fromHttpBytes: http } = this.viewer.traffic();
    const sums = { origin, peers, http };
    const before = this.#reported;
    const news = {
      origin: origin - before.origin,
      peers: peers - before.peers,
      http: http - before.http,
    };
    const isNews = news.origin + news.peers + news.http > 0;
    if (isNews && this.#signaling.send({ type: 'report', ...news })) this.#reported = sums;
  }

  #reportLater(): void {
    this.#cancelReport = this.#parts.clock.after(REPORT_EVERY_MS, () => {
      this.#report();
      this.#reportLater();
    });
  }

  /** Noticed, and not obeyed. */
  #signalRejected(): void {
    this.#rejectedSignals += 1;
    this.#rejectedSignalMs = this.#parts.clock.nowMs();
    this.#parts.onChange();
  }

  #partFromMembers(): void {
    // First of all: nobody is to be dialled in the place of those who go.
    this.#neighbourhood.close();
    for (const link of [...this.viewer.links]) if (link.remote.kind === 'member') link.close('LEFT');
    this.#neighbourhood.shut();
  }

  /**
   * Somebody is not heard: that one's trouble, or ours. Signaling knows; where it does not answer either it is dialled anew, and once it
   * is back all connections are probed. So one peer's hiccup costs nobody a connection.
   */
  #doubt(): void {
    const known = this.#connector.ids.filter((id) => id !== ORIGIN);
    if (!this.#isClosed) this.#signaling.ask({ type: 'more', known }, SIGNALING_ANSWERS_MS);
  }

  #opened(id: string, channel: Channel): void {
    if (id === ORIGIN) this.#originOpened();
    else this.#neighbourhood.opened(id);
    this.viewer.connect(channel, { id, kind: id === ORIGIN ? 'origin' : 'member' });
  }

  #received(message: FromServer): void {
    switch (message.type) {
      case 'welcome':
        // A room that was locked may be open again.
        this.#refusal = null;
        this.#iceServers = message.iceServers;
        // Where signaling was lost, the network may have changed, and with it every connection.
        this.viewer.probeLinks(PROBE_MS);
        // A dial made meanwhile was heard by nobody: waiting for its end would keep the next one from being made.
        this.#connector.hangUpUnopened();
        if (message.isOriginHere) {
          this.#originDial.isHere();
          this.#relaySoon();
        }
        this.#neighbourhood.found(message.members);
        break;
      case 'iceServers':
        this.#iceServers = message.iceServers;
        break;
      case 'members':
        this.#neighbourhood.found(message.members);
        break;
      case 'originHere':
        this.#originDial.cameBack();
        this.#relaySoon();
        break;
      case 'signal':
        if (message.from === ORIGIN && isRelayText(message.data)) this.#relays.receive(ORIGIN, message.data);
        else this.#connector.receive(message.from, message.data);
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
    this.#relays.lost(id);
    if (this.#connector.channel(id)) return;
    this.#connector.hangUp(id);
    if (id === ORIGIN) this.#originGone();
    else this.#neighbourhood.gone(id);
  }

  #linkClosed(remote: Remote, code: string): void {
    if (this.#isClosed || code === 'REPLACED') return;
    if (code === 'PEER_SILENT') this.#doubt();
    if (remote.isRelayed) this.#relaySoon();
    else if (remote.kind === 'origin') this.#originLost(code);
    else this.#neighbourhood.parted(remote.id, code);
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
    this.#relaySoon();
  }

  /** Should no data channel to the origin come to be, it is reached through signaling; dialling it goes on. */
  #relaySoon(): void {
    if (!this.#parts.makePlain) return;
    this.#cancelRelay();
    this.#cancelRelay = this.#parts.clock.after(RELAY_AFTER_MS, () => {
      const isNeeded = !this.#connector.channel(ORIGIN) && !this.#isOriginBusy;
      if (isNeeded && this.#state === 'connected') this.#relays.open(ORIGIN);
    });
  }

  #originGone(): void {
    this.#isOriginBusy = false;
    this.#originDial.gone();
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
  if (code === 'REMOVED' || code === 'ROOM_LOCKED') return new MatineeError(code, message);
  return code === 'REQUEST_MALFORMED' || code === 'SIGNATURE_WRONG' ? new MatineeError(code, message) : null;
}
