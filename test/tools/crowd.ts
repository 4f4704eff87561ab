import { dialBudget, Neighbours } from '../../peer/room/neighbours.ts';
import { Connector } from '../../peer/transport/connector.ts';
import type { Mailbox } from '../../signaling/bus.ts';
import { InOrder } from '../../signaling/in-order.ts';
import { MemoryBus } from '../../signaling/memory-bus.ts';
import type { FromClient, FromServer } from '../../signaling/messages.ts';
import { Rate } from '../../signaling/rate.ts';
import { type Desk, Session } from '../../signaling/session.ts';
import { seededRandom } from '../sim/seeded-random.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';
import { FakePeers } from './fake-peers.ts';
import { memberKey, signedJoin } from './member-keys.ts';

const ROOM = 'a'.repeat(22);
const TOKEN = 'T'.repeat(43);
/** Nobody replays a join here. */
const NONCE = 'A'.repeat(43);

/** Between a member and the signaling server; and from an answer to an open channel. */
const SIGNAL_MS = 15;
const OPENING_MS = 120;

/** A member as far as finding neighbours goes: signaling's own session, the connector and the choice of neighbours, without a film. */
export class CrowdMember {
  readonly index: number;
  readonly neighbours: Neighbours;
  readonly connector: Connector;
  id = '';
  isGone = false;
  dialCount = 0;
  askCount = 0;
  mostConnected = 0;
  /** Whether signaling would have slowed it down: see signaling/connection.ts. */
  isFlooding = false;
  readonly #crowd: Crowd;
  readonly #session: Session;
  readonly #inbox: InOrder;
  readonly #rate: Rate;

  constructor(crowd: Crowd, index: number) {
    this.index = index;
    this.#crowd = crowd;
    this.#rate = new Rate(120, 20, crowd.clock.nowMs());
    this.#inbox = new InOrder((error) => crowd.errors.push(error));
    const mailbox: Mailbox = {
      deliver: (message) => {
        crowd.messageCount += 1;
        crowd.clock.after(SIGNAL_MS, () => this.#received(message));
      },
      replaced: () => crowd.errors.push(new Error('replaced')),
    };
    this.#session = new Session(crowd.desk, mailbox, NONCE);
    this.connector = this.#makeConnector();
    this.neighbours = new Neighbours({
      clock: crowd.clock,
      random: crowd.random,
      budget: dialBudget(crowd.clock),
      connected: () => this.connector.ids,
      dial: (id) => {
        this.dialCount += 1;
        this.connector.dial(id);
      },
      askForMore: (known) => {
        this.askCount += 1;
        this.#send({ type: 'more', known });
      },
    });
    this.#send(signedJoin(memberKey(index), ROOM, TOKEN, NONCE));
  }

  /** Ids of those with whom a channel is open. */
  get open(): string[] {
    return this.connector.ids.filter((id) => this.connector.channel(id) !== null);
  }

  /** Leaves as a closed tab does: nobody is told but signaling, whose connection breaks. `isSilent`: not even that, at first. */
  vanish(isSilent = false): void {
    this.isGone = true;
    this.neighbours.close();
    for (const id of this.connector.ids) this.connector.hangUp(id);
    this.connector.close();
    if (!isSilent) this.endSession();
  }

  endSession(): void {
    void this.#session.end();
  }

  #makeConnector(): Connector {
    const { clock, peers, random } = this.#crowd;
    const crowd = this.#crowd;
    const self = this;
    return new Connector({
      get selfId() {
        return self.id;
      },
      clock,
      randomBytes: (countBytes) => new Uint8Array(countBytes).map(() => Math.floor(random() * 256)),
      createPeer: (isInitiator) => peers.create(isInitiator),
      sendSignal: (to, data) => this.#send({ type: 'signal', to, data }),
      seal: async (_, text) => text,
      unseal: async (_, text) => text,
      admit: (from) => (this.neighbours.canAdmit(from) ? 'welcome' : { retryInMs: 0 }),
      onChannel: (id, channel) => {
        this.mostConnected = Math.max(this.mostConnected, this.connector.ids.length);
        this.neighbours.opened(id);
        channel.listen({
          onFrame: () => undefined,
          onClose: () => {
            if (!this.isGone) this.neighbours.lost(id);
          },
        });
      },
      onFailure: (id, isInitiator) => {
        if (isInitiator) this.neighbours.failed(id);
      },
      onBusy: (id) => {
        crowd.busyCount += 1;
        this.neighbours.busy(id);
      },
      onFree: () => this.neighbours.freed(),
      onBadSignal: (_, error) => crowd.errors.push(error),
    });
  }

  #send(message: FromClient): void {
    this.#crowd.messageCount += 1;
    if (!this.#rate.canTake(this.#crowd.clock.nowMs())) this.isFlooding = true;
    this.#crowd.clock.after(SIGNAL_MS, () => void this.#inbox.add(() => this.#session.take(message)));
  }

  #received(message: FromServer): void {
    if (this.isGone) return;
    if (message.type === 'welcome') {
      this.id = message.id;
      this.#crowd.byId.set(this.id, this);
    }
    if (message.type === 'welcome' || message.type === 'members') this.neighbours.found(message.members);
    else if (message.type === 'signal') this.connector.receive(message.from, message.data);
    else if (message.type === 'absent' && !this.connector.channel(message.id)) {
      this.connector.hangUp(message.id);
      this.neighbours.gone(message.id);
    }
  }
}

/** A room full of such members around one signaling server, on a virtual clock. */
export class Crowd {
  readonly clock = new VirtualClock();
  readonly random: () => number;
  readonly peers = new FakePeers(this.clock, OPENING_MS);
  readonly members: CrowdMember[] = [];
  readonly byId = new Map<string, CrowdMember>();
  readonly errors: unknown[] = [];
  readonly desk: Desk;
  /** What went over all signaling connections, both ways. */
  messageCount = 0;
  busyCount = 0;

  constructor(seed: number) {
    this.random = seededRandom(seed);
    const door = { admit: async () => 'ok' as const, mayMeet: async () => true };
    this.desk = {
      bus: new MemoryBus(this.random, () => this.clock.nowMs()),
      door,
      originKey: null,
      iceServers: [],
    };
  }

  get present(): CrowdMember[] {
    return this.members.filter((member) => !member.isGone);
  }

  join(): CrowdMember {
    const member = new CrowdMember(this, this.members.length);
    this.members.push(member);
    return member;
  }

  /** Lets so many join, spread over so many milliseconds from now. */
  joinWithin(count: number, withinMs: number): void {
    for (let i = 0; i < count; i++) this.clock.after(this.random() * withinMs, () => void this.join());
  }

  /** Numbers of neighbours, smallest first. */
  degrees(): number[] {
    return this.present.map((member) => member.open.length).sort((a, b) => a - b);
  }

  /** In how many parts the graph of those present falls. */
  partCount(): number {
    const left = new Set(this.present);
    let parts = 0;
    for (const start of left) {
      parts += 1;
      const next = [start];
      left.delete(start);
      for (let member = next.pop(); member; member = next.pop()) {
        for (const id of member.open) {
          const neighbour = this.byId.get(id);
          if (neighbour && left.delete(neighbour)) next.push(neighbour);
        }
      }
    }
    return parts;
  }

  close(): void {
    for (const member of this.present) member.vanish();
  }
}
