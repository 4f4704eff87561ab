import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TURN_MS } from '../../seed-server/origin/places.ts';
import type { Member } from '../../web/src/member/member.ts';
import { Session } from '../../web/src/room/session.ts';
import { texts } from '../../web/src/room/texts.ts';
import type { VirtualSocket } from '../sim/virtual-broker.ts';
import { type House, hasOrigin, withHouse } from '../tools/house.ts';
import { MovingDevice } from '../tools/moving-device.ts';

const waiting = suite('waiting alone for a place at the origin');

waiting('should say so, and not that the network is at fault', () =>
  withHouse(1, async (house) => {
    await house.join(await house.makeRoom());
    await house.clock.run(5000);
    const guest = await house.join(await house.makeRoom());
    const session = new Session(
      guest,
      house.clock,
      () => undefined,
      () => true,
    );
    await house.clock.run(5000);
    assert.is(guest.isOriginBusy, true);
    assert.is(session.snapshot().problem?.message, texts.originBusy);
    await house.clock.run(TURN_MS + 10_000);
    assert.equal([guest.isOriginBusy, hasOrigin(guest)], [false, true]);
    assert.is(session.snapshot().problem?.message, texts.nothingUploaded);
    // In the end its turn is over, and the other is let in again: then it leaves the origin alone for a while.
    while (hasOrigin(guest)) await house.clock.run(100);
    const { madeCount } = house.peers;
    await house.clock.run(25_000);
    assert.equal([guest.isOriginBusy, hasOrigin(guest)], [true, false]);
    assert.is(house.peers.madeCount, madeCount);
    session.close();
  }),
);

waiting('should not be given for the reason where nothing can be connected at all', () =>
  withHouse(1, async (house) => {
    house.peers.find = () => null;
    const guest = await house.join(await house.makeRoom());
    const session = new Session(
      guest,
      house.clock,
      () => undefined,
      () => true,
    );
    await house.clock.run(30_000);
    assert.is(guest.isOriginBusy, false);
    assert.is(session.snapshot().problem?.message, texts.nobodyReached);
    session.close();
  }),
);

waiting.run();

const lost = suite('a member that loses signaling');

lost('should dial the origin anew once it is back, whatever was dialled while nobody heard it', () =>
  withHouse(2, async (house) => {
    let isAway = false;
    const sockets: VirtualSocket[] = [];
    const openSocket = () => {
      const socket = house.broker.open(() => false);
      sockets.push(socket);
      if (isAway) socket.endFromServer();
      return socket;
    };
    const member = await house.join(await house.makeRoom(), { openSocket });
    await house.clock.run(5000);
    assert.ok(hasOrigin(member));
    isAway = true;
    sockets.at(-1)?.endFromServer();
    for (const link of [...member.viewer.links]) link.close('PEER_SILENT');
    await house.clock.run(3000);
    assert.not(hasOrigin(member));
    isAway = false;
    await house.clock.run(6000);
    assert.ok(hasOrigin(member));
  }),
);

lost.run();

const moving = suite('a member in another network');

const others = (member: Member): number =>
  [...member.viewer.links].filter(({ remote }) => remote.kind === 'member').length;

/** A house with somebody in it, and a device that has joined the same room. */
async function joined(house: House): Promise<{ device: MovingDevice; member: Member }> {
  const made = await house.makeRoom();
  const device = new MovingDevice(house);
  await house.join(made);
  const member = await house.join(made, device.parts);
  await house.clock.run(10_000);
  assert.equal([hasOrigin(member), others(member), device.socketCount], [true, 1, 1]);
  return { device, member };
}

/** Resolves when the server, too, has given up what the device left behind. */
const forgotten = (house: House): Promise<void> => house.clock.run(60_000);

moving('should be back within 5 s of being told, though all that it had looks open', () =>
  withHouse(4, async (house) => {
    const { device, member } = await joined(house);
    const before = new Set(member.viewer.links);
    device.move();
    member.networkChanged();
    // Asked at once, and not anew when signaling is back.
    await house.clock.run(1600);
    assert.is([...member.viewer.links].length, 0);
    await house.clock.run(3400);
    assert.equal([hasOrigin(member), others(member)], [true, 1]);
    assert.ok([...member.viewer.links].every((link) => !before.has(link)));
    await forgotten(house);
  }),
);

moving('should keep every connection where it was nothing', () =>
  withHouse(4, async (house) => {
    const { device, member } = await joined(house);
    const [links, { length }] = [[...member.viewer.links], device.peers];
    member.networkChanged();
    await house.clock.run(30_000);
    assert.equal([...member.viewer.links].length, 2);
    assert.ok([...member.viewer.links].every((link) => links.includes(link)));
    assert.equal([device.peers.length, device.socketCount], [length, 2]);
  }),
);

moving(
  'should find out by itself, once its connections fall silent and signaling does not answer either',
  () =>
    withHouse(4, async (house) => {
      const { device, member } = await joined(house);
      device.move();
      await house.clock.run(12_000);
      assert.equal([hasOrigin(member), others(member), device.socketCount], [true, 1, 2]);
      await forgotten(house);
    }),
);

moving('should look for it when it is shown again', () =>
  withHouse(4, async (house) => {
    const { device, member } = await joined(house);
    device.move();
    member.cameBack();
    await house.clock.run(3500);
    assert.equal([member.signaling, device.socketCount], ['connected', 2]);
    await forgotten(house);
  }),
);

moving('should make nothing anew for a hiccup', () =>
  withHouse(4, async (house) => {
    const { device, member } = await joined(house);
    const links = [...member.viewer.links];
    for (const peer of device.peers) peer.setSilent(true);
    await house.clock.run(9000);
    for (const peer of device.peers) peer.setSilent(false);
    await house.clock.run(30_000);
    assert.equal([[...member.viewer.links].length, device.socketCount], [2, 1]);
    assert.ok([...member.viewer.links].every((link) => links.includes(link)));
  }),
);

moving.run();

const barred = suite('a member that is not let in again');

barred('should not dial one that closed its link for wrong pieces, nor be dialled', () =>
  withHouse(2, async (house) => {
    const made = await house.makeRoom();
    const [one, other] = [await house.join(made), await house.join(made)];
    await house.clock.run(10_000);
    const link = [...one.viewer.links].find(({ remote }) => remote.id === other.selfId);
    assert.ok(link);
    const { madeCount } = house.peers;
    link?.close('PIECE_WRONG');
    await house.clock.run(590_000);
    assert.is(house.peers.madeCount, madeCount);
  }),
);

barred('should dial one that has banned it once, and not again for ten minutes', () =>
  withHouse(2, async (house) => {
    const made = await house.makeRoom();
    const one = await house.join(made);
    await house.clock.run(5000);
    const { madeCount } = house.peers;
    one.viewer.isBanned = (id) => id !== 'origin';
    await house.join(made);
    await house.clock.run(590_000);
    // Two for its connection to the origin, one for the dial that was turned away.
    assert.is(house.peers.madeCount - madeCount, 3);
    await house.clock.run(60_000);
    assert.is(house.peers.madeCount - madeCount, 4);
  }),
);

barred.run();
