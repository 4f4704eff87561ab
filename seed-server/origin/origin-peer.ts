import type { Clock } from '../../peer/clock.ts';
import type { Crypto } from '../../peer/crypto/crypto.ts';
import { SendBudget } from '../../peer/swarm/send-budget.ts';
import { Uplink } from '../../peer/swarm/uplink.ts';
import type { Admission } from '../../peer/transport/connector.ts';
import type { SimplePeerLike } from '../../peer/transport/simple-peer-channel.ts';
import { connectSignaling, type SignalingClient, type WebSocketLike } from '../../signaling/client.ts';
import { type FromServer, type IceServer, ORIGIN } from '../../signaling/messages.ts';
import { Rates } from '../../signaling/rate.ts';
import { ReadStore } from '../store/read-store.ts';
import { Places } from './places.ts';
import { ServedRoom } from './served-room.ts';

/** Rooms kept in mind at most, for their chat; those without members go first. */
const MAX_ROOMS = 1000;

/**
 * Offers of one member that are taken at once, and after that in a second: each makes a connection, whose threads outlive it by
 * seconds. Who cannot connect tries every ten. Of so many members it is remembered.
 */
const OFFERS_AT_ONCE = 8;
const OFFERS_PER_SEC = 0.2;
const MAX_OFFERERS = 20_000;
const OFFER_AGAIN_MS = 5_000;

export interface OriginPeerParts {
  crypto: Crypto;
  clock: Clock;
  random(): number;
  signalingUrl: string;
  /** The secret shared with the signaling server. */
  originKey: string;
  dataDir: string;
  /** Bytes per second to all members together; null without limit. */
  sendBytesPerSec: number | null;
  /** Connections at once at most, over all rooms: each costs two threads and a megabyte in the native library. */
  maxPeers: number;
  openSocket(url: string): WebSocketLike;
  createPeer(isInitiator: boolean, iceServers: readonly IceServer[]): SimplePeerLike;
  onError(error: unknown): void;
}

/** The origin: one signaling connection for all rooms, and a ServedRoom for each in which somebody asked for it. */
export class OriginPeer {
  readonly #parts: OriginPeerParts;
  readonly #store: ReadStore;
  readonly #budget: SendBudget;
  readonly #uplink: Uplink;
  readonly #places: Places;
  readonly #offers = new Rates(OFFERS_AT_ONCE, OFFERS_PER_SEC, MAX_OFFERERS);
  readonly #rooms = new Map<string, ServedRoom>();
  readonly #signaling: SignalingClient;
  #iceServers: readonly IceServer[] = [];
  #sentBytes = 0;

  constructor(parts: OriginPeerParts) {
    this.#parts = parts;
    this.#store = new ReadStore(parts.dataDir);
    this.#budget = new SendBudget(parts.clock, parts.sendBytesPerSec);
    this.#uplink = new Uplink(parts.clock);
    this.#places = new Places(parts.maxPeers, () => parts.clock.nowMs());
    this.#signaling = connectSignaling({
      url: parts.signalingUrl,
      openSocket: parts.openSocket,
      hello: { type: 'serve', key: parts.originKey },
      clock: parts.clock,
      random: parts.random,
      on: (message) => this.#received(message),
      onState: () => undefined,
    });
  }

  /** Something of this room changed in the store, or the room was taken down. */
  changed(room: string): void {
    this.#rooms.get(room)?.refresh();
  }

  /** So many bytes of film went out past the origin, over the same line. */
  spent(sizeBytes: number): void {
    this.#budget.spent(sizeBytes);
  }

  get counts(): { members: number; rooms: number; sentBytes: number } {
    let members = 0;
    for (const room of this.#rooms.values()) members += room.linkCount;
    return { members, rooms: this.#rooms.size, sentBytes: this.#sentBytes };
  }

  close(): void {
    this.#signaling.close();
    for (const room of this.#rooms.values()) room.close();
    this.#budget.close();
    this.#uplink.close();
  }

  #received(message: FromServer): void {
    if (message.type === 'serving' || message.type === 'iceServers') this.#iceServers = message.iceServers;
    else if (message.type === 'error') this.#parts.onError(new Error(`signaling: ${message.message}`));
    else if (message.type === 'absent' && message.room) this.#rooms.get(message.room)?.absent(message.id);
    else if (message.type === 'signal' && message.room)
      this.#room(message.room).receive(message.from, message.data);
  }

  #room(id: string): ServedRoom {
    const known = this.#rooms.get(id);
    if (known) return known;
    this.#makeRoom();
    const room = new ServedRoom({
      ...this.#parts,
      room: id,
      store: this.#store,
      budget: this.#budget,
      uplink: this.#uplink,
      originId: ORIGIN,
      createPeer: (isInitiator) => this.#parts.createPeer(isInitiator, this.#iceServers),
      admit: (from) => this.#admit(id, from),
      onSend: (sizeBytes) => {
        this.#sentBytes += sizeBytes;
      },
      onFree: (member) => this.#places.leave(id, member),
      onGone: () => this.#forget(id),
      sendSignal: (to, data) => void this.#signaling.send({ type: 'signal', to, data, room: id }),
    });
    this.#rooms.set(id, room);
    return room;
  }

  #admit(room: string, id: string): Admission {
    if (!this.#offers.canTake(`${room} ${id}`, this.#parts.clock.nowMs()))
      return { retryInMs: OFFER_AGAIN_MS };
    const answer = this.#places.ask(room, id);
    if (!answer.isLetIn) return { retryInMs: answer.retryInMs };
    const { makesRoom } = answer;
    if (makesRoom) this.#rooms.get(makesRoom.room)?.makeRoom(makesRoom.id);
    return 'welcome';
  }

  #makeRoom(): void {
    if (this.#rooms.size < MAX_ROOMS) return;
    for (const [id, room] of this.#rooms) {
      if (this.#places.countOf(id) > 0 || room.linkCount > 0) continue;
      this.#forget(id);
      return;
    }
  }

  #forget(id: string): void {
    this.#rooms.get(id)?.close();
    this.#rooms.delete(id);
    this.#places.forget(id);
  }
}
