import { toBase64url } from '../../peer/bytes.ts';
import type { Crypto } from '../../peer/crypto/crypto.ts';
import { MAKE_ROOM } from '../../peer/room/origin-dial.ts';
import { OriginRoom } from '../../peer/room/origin-room.ts';
import { SendBudget } from '../../peer/swarm/send-budget.ts';
import { Uplink } from '../../peer/swarm/uplink.ts';
import { type Admission, Connector } from '../../peer/transport/connector.ts';
import { Places, TURN_MS } from '../../seed-server/origin/places.ts';
import { connectSignaling, type SignalingClient } from '../../signaling/client.ts';
import { type FromServer, ORIGIN } from '../../signaling/messages.ts';
import type { VirtualBroker } from './virtual-broker.ts';
import type { VirtualClock } from './virtual-clock.ts';
import type { VirtualFilm } from './virtual-film.ts';
import type { VirtualHost } from './virtual-network.ts';
import type { Lobby } from './virtual-peer.ts';

/** There is only one. */
const ROOM = 'room';

export interface OriginParts {
  clock: VirtualClock;
  random(): number;
  crypto: Crypto;
  film: VirtualFilm;
  host: VirtualHost;
  lobby: Lobby;
  broker: VirtualBroker;
  maxLinks: number;
  /** What its send budget lets through; null: as much as its uplink carries. */
  sendBytesPerSec: number | null;
  onError(error: unknown): void;
}

/** The origin as seed-server/origin has it, with a film in memory instead of a store on disk. */
export class VirtualOrigin {
  readonly room: OriginRoom;
  readonly #parts: OriginParts;
  readonly #budget: SendBudget;
  readonly #uplink: Uplink;
  readonly #places: Places;
  readonly #connector: Connector;
  readonly #signaling: SignalingClient;
  /** Connections that were open at once at most. */
  peakLinks = 0;

  constructor(parts: OriginParts) {
    const { clock, crypto, film, host, lobby, broker, onError } = parts;
    this.#parts = parts;
    this.#budget = new SendBudget(clock, parts.sendBytesPerSec);
    this.#uplink = new Uplink(clock);
    this.#places = new Places(parts.maxLinks, () => clock.nowMs());
    this.room = new OriginRoom({
      crypto,
      clock,
      roomId: film.link.roomId,
      source: film,
      stored: new Set(),
      budget: this.#budget,
      uplink: this.#uplink,
      onLinkClosed: () => undefined,
      onError,
    });
    this.#connector = new Connector({
      selfId: ORIGIN,
      clock,
      randomBytes: (countBytes) => crypto.randomBytes(countBytes),
      createPeer: (isInitiator) => lobby.create(host, isInitiator),
      sendSignal: (to, data) => this.#signal(to, data),
      seal: async (_, text) => text,
      unseal: async (_, text) => text,
      admit: (from) => this.#admit(from),
      onBusy: () => undefined,
      onFree: (id) => this.#places.leave(ROOM, id),
      onChannel: (id, channel) => {
        this.room.connect(channel, { id, kind: 'member' });
        this.peakLinks = Math.max(this.peakLinks, lobby.openCount(host));
      },
      onFailure: () => undefined,
      onBadSignal: (_, error) => onError(error),
    });
    this.#signaling = connectSignaling({
      url: 'ws://simulated',
      openSocket: () => broker.open(() => host.isCut),
      hello: { type: 'serve', key: broker.originKey },
      clock,
      random: parts.random,
      on: (message) => this.#received(message),
      onState: () => undefined,
    });
  }

  /** Reads the film, as from the store. */
  async fill(): Promise<void> {
    const { film } = this.#parts;
    const { head, pages } = film.update;
    await this.room.update(head, pages, [...Array(film.segmentCount).keys()]);
  }

  close(): void {
    this.#signaling.close();
    this.room.close('CLOSED');
    this.#connector.close();
    this.#budget.close();
    this.#uplink.close();
  }

  #absent(id: string): void {
    if (!this.#connector.channel(id)) this.#connector.hangUp(id);
  }

  #admit(from: string): Admission {
    const answer = this.#places.ask(ROOM, from);
    if (!answer.isLetIn) return { retryInMs: answer.retryInMs };
    if (answer.makesRoom) this.#makeRoom(answer.makesRoom.id);
    return 'welcome';
  }

  #makeRoom(id: string): void {
    if (this.#connector.channel(id)) this.room.part(id, MAKE_ROOM);
    else this.#connector.turnAway(id, { retryInMs: TURN_MS });
  }

  #signal(to: string, data: string): void {
    const room = toBase64url(this.#parts.film.link.roomId);
    this.#signaling.send({ type: 'signal', to, data, room });
  }

  #received(message: FromServer): void {
    if (message.type === 'signal') this.#connector.receive(message.from, message.data);
    else if (message.type === 'absent') this.#absent(message.id);
    else if (message.type === 'error') this.#parts.onError(new Error(message.message));
  }
}
