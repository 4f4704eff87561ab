import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TURN_MS } from '../../seed-server/origin/places.ts';
import { Session } from '../../web/src/room/session.ts';
import { texts } from '../../web/src/room/texts.ts';
import type { VirtualSocket } from '../sim/virtual-broker.ts';
import { hasOrigin, withHouse } from '../tools/house.ts';

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
