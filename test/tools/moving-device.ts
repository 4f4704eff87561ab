import type { FakePeer } from './fake-peers.ts';
import type { House } from './house.ts';

/** A member's device, which can go to another network. */
export class MovingDevice {
  readonly peers: FakePeer[] = [];
  socketCount = 0;
  readonly #house: House;
  /** Sockets opened before that are dead, though nobody says so. */
  #movedAt = 0;

  constructor(house: House) {
    this.#house = house;
  }

  /** What a member that runs on it is made with. */
  get parts() {
    return {
      openSocket: () => {
        const n = this.socketCount++;
        return this.#house.broker.open(() => n < this.#movedAt);
      },
      createPeer: (isInitiator: boolean) => {
        const peer = this.#house.peers.create(isInitiator);
        this.peers.push(peer);
        return peer;
      },
    };
  }

  /** Goes there: its sockets and connections look open, and carry nothing. */
  move(): void {
    this.#movedAt = this.socketCount;
    for (const peer of this.peers) peer.setSilent(true);
  }
}
