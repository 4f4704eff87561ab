import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TURN_MS } from '../../seed-server/origin/places.ts';
import type { WebSocketLike } from '../../signaling/client.ts';
import { ORIGIN } from '../../signaling/messages.ts';
import type { Member } from '../../web/src/member/member.ts';
import { VirtualRoom } from '../sim/virtual-room.ts';
import { type House, hasOrigin, withHouse } from '../tools/house.ts';

/** A member whose messages to the origin, by signaling, need not be its own. */
async function joinToSignal(house: House, made: Awaited<ReturnType<House['makeRoom']>>) {
  const sockets: WebSocketLike[] = [];
  const openSocket = (): WebSocketLike => {
    const socket = house.broker.open(() => false);
    sockets.push(socket);
    return socket;
  };
  const member = await house.join(made, { openSocket });
  const signal = (data: string): void => {
    const socket = sockets.at(-1);
    assert.ok(socket, 'it is connected to signaling');
    socket?.send(JSON.stringify({ type: 'signal', to: ORIGIN, data }));
  };
  return { member, signal };
}

function originCount(members: readonly Member[]): number {
  return members.filter(hasOrigin).length;
}

const full = suite('a full origin');

full('should take turns with the members of a room, who stay connected to each other', () =>
  withHouse(2, async (house) => {
    const made = await house.makeRoom();
    const members = [await house.join(made), await house.join(made), await house.join(made)];
    const [a, b, c] = members;
    await house.clock.run(5000);
    assert.is(originCount(members), 2);
    const first = members.filter(hasOrigin);
    const late = members.find((member) => !hasOrigin(member));
    assert.ok(a && b && c && late);
    // Whoever waits was told to come back when the first turn is over.
    await house.clock.run(TURN_MS + 10_000);
    assert.is(late && hasOrigin(late), true);
    assert.is(originCount(first), 1);
    const had = new Map(members.map((member) => [member, 0]));
    for (let s = 0; s < 600; s++) {
      await house.clock.run(1000);
      assert.ok(originCount(members) <= 2);
      for (const member of members) {
        assert.is([...member.viewer.links].filter((link) => link.remote.kind === 'member').length, 2);
        if (hasOrigin(member)) had.set(member, (had.get(member) ?? 0) + 1);
      }
    }
    // Two places and three members: 400 s of 600 each, less the breaks.
    for (const seconds of had.values()) assert.ok(seconds > 200, `one had ${seconds} s`);
  }),
);

full('should let another room in at once', () =>
  withHouse(4, async (house) => {
    const [one, other] = [await house.makeRoom(), await house.makeRoom()];
    for (let i = 0; i < 6; i++) await house.join(one);
    await house.clock.run(5000);
    const crowd = [...house.members];
    assert.is(originCount(crowd), 4);
    const guests = [await house.join(other), await house.join(other), await house.join(other)];
    await house.clock.run(2000);
    assert.equal([originCount(crowd), originCount(guests)], [2, 2]);
    for (const guest of guests) guest.close();
    await house.clock.run(130_000);
    assert.is(originCount(crowd), 4);
  }),
);

full('should have all its places again after members came and went without a word', () =>
  withHouse(3, async (house) => {
    const made = await house.makeRoom();
    for (let round = 0; round < 5; round++) {
      const members = [];
      for (let i = 0; i < 4; i++) members.push(await house.join(made));
      // Some leave while they are still connecting.
      await house.clock.run(300 + round * 200);
      for (const member of members) member.close();
    }
    await house.clock.run(60_000);
    const last = [await house.join(made), await house.join(made), await house.join(made)];
    await house.clock.run(3000);
    assert.is(originCount(last), 3);
  }),
);

full(
  'should not keep a viewer without a place from getting manifest and film from its neighbours',
  async () => {
    const room = await VirtualRoom.open({ segmentCount: 6, segmentMs: 2000, segmentBytes: 200_000 });
    const [lucky, other] = [room.viewer(), room.viewer()];
    room.connectOrigin(lucky, 1);
    room.connectViewers(lucky, 1, other, 2);
    for (let atMs = 0; atMs < 12_000; atMs += 1000) {
      await room.clock.run(1000);
      for (const viewer of [lucky, other]) viewer.setPlayhead(atMs);
    }
    assert.ok(room.holds(other, 0, 6));
    assert.is(other.traffic().fromOriginBytes, 0);
    lucky.close();
    other.close();
  },
);

full.run();

const redialled = suite('an origin that one member keeps busy');

redialled('should make it a connection a few times, and then one now and then', () =>
  withHouse(2, async (house) => {
    const made = await house.makeRoom();
    const { member, signal } = await joinToSignal(house, made);
    const honest = await house.join(made);
    await house.clock.run(5_000);
    const before = house.peers.madeCount;
    for (let i = 0; i < 1_000; i++) {
      signal(JSON.stringify({ call: `again ${i}`, data: { type: 'offer', sdp: 'none' } }));
      await house.clock.run(50);
    }
    const madeCount = house.peers.madeCount - before;
    assert.ok(madeCount < 30, `${madeCount} connections in 50 s`);
    assert.ok(hasOrigin(honest));
    await house.clock.run(30_000);
    assert.ok(hasOrigin(member));
  }),
);

redialled('should not be told of in the log for each thing it says that is no signal', () =>
  withHouse(2, async (house) => {
    const made = await house.makeRoom();
    const { member, signal } = await joinToSignal(house, made);
    await house.clock.run(5_000);
    for (const data of ['nonsense', '{"call": "x", "data": {"type": "nonsense"}}', 'relay nonsense'])
      signal(data);
    await house.clock.run(1_000);
    assert.equal(house.errors, []);
    assert.ok(hasOrigin(member));
  }),
);

redialled.run();
