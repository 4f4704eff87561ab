import * as assert from 'uvu/assert';
import type { Crypto } from '../../peer/crypto/crypto.ts';
import { OriginPeer } from '../../seed-server/origin/origin-peer.ts';
import { FileStore } from '../../seed-server/store/file-store.ts';
import { Member, type MemberParts } from '../../web/src/member/member.ts';
import { seededRandom } from '../sim/seeded-random.ts';
import { VirtualBroker } from '../sim/virtual-broker.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';
import { VirtualCrypto } from '../sim/virtual-crypto.ts';
import { FakePeers } from './fake-peers.ts';
import { MadeRoom } from './made-room.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** An origin with few places, its rooms in a store on disk, and members as the page has them; only the network is not real. */
export class House {
  readonly clock = new VirtualClock();
  readonly random = seededRandom(1);
  readonly crypto: Crypto = new VirtualCrypto(this.random).crypto;
  readonly broker = new VirtualBroker(this.clock, this.random);
  readonly peers = new FakePeers(this.clock, 40);
  readonly members: Member[] = [];
  readonly errors: unknown[] = [];
  readonly #store: FileStore;
  readonly #origin: OriginPeer;

  static async open(dataDir: string, maxPeers: number): Promise<House> {
    const { crypto } = new VirtualCrypto(seededRandom(2));
    return new House(await FileStore.open(crypto, dataDir, Number.POSITIVE_INFINITY), dataDir, maxPeers);
  }

  private constructor(store: FileStore, dataDir: string, maxPeers: number) {
    this.#store = store;
    this.#origin = new OriginPeer({
      crypto: this.crypto,
      clock: this.clock,
      random: this.random,
      signalingUrl: 'ws://simulated',
      originKey: this.broker.originKey,
      dataDir,
      sendBytesPerSec: null,
      maxPeers,
      openSocket: () => this.broker.open(() => false),
      createPeer: (isInitiator) => this.peers.create(isInitiator),
      onError: (error) => this.errors.push(error),
    });
  }

  async makeRoom(): Promise<MadeRoom> {
    const made = await MadeRoom.create(this.crypto);
    await this.#store.putRecord(made.room, await made.record());
    return made;
  }

  /** Stores signed rules, a manifest update or a segment, and tells the origin, as the HTTP routes do. */
  async change(made: MadeRoom, put: (store: FileStore) => Promise<boolean>): Promise<void> {
    await put(this.#store);
    this.#origin.changed(made.room);
  }

  async join(made: MadeRoom, overrides: Partial<MemberParts> = {}): Promise<Member> {
    const member = await Member.join({
      link: { roomId: made.roomBytes, roomSecret: made.tokenBytes },
      name: `viewer ${this.members.length}`,
      crypto: this.crypto,
      clock: this.clock,
      random: this.random,
      signalingUrl: 'ws://simulated',
      openSocket: () => this.broker.open(() => false),
      createPeer: (isInitiator) => this.peers.create(isInitiator),
      onChange: () => undefined,
      onPiece: () => undefined,
      ...overrides,
    });
    member.setPeersAllowed(true);
    this.members.push(member);
    return member;
  }

  close(): void {
    for (const member of this.members) member.close();
    this.#origin.close();
  }
}

/** Whether this member is connected to the origin. */
export function hasOrigin(member: Member): boolean {
  return [...member.viewer.links].some((link) => link.remote.kind === 'origin');
}

/** Runs `body` with an open house of so many places, and asserts that nothing is left of it after that. */
export async function withHouse(maxPeers: number, body: (house: House) => Promise<void>): Promise<void> {
  const { path, remove } = await temporaryFolder();
  const house = await House.open(path, maxPeers);
  try {
    await body(house);
  } finally {
    house.close();
    await house.clock.run(1000);
    await remove();
  }
  assert.equal([house.errors, house.peers.aliveCount, house.clock.pendingTimers], [[], 0, 0]);
}
