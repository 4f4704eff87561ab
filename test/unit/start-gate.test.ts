import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { AtHand } from '../../peer/room/at-hand.ts';
import { type AtStart, StartGate } from '../../peer/room/start-gate.ts';
import { VirtualRoom } from '../sim/virtual-room.ts';

const gate = suite('when playing starts');

function at(nowMs: number, aheadMs: number, rest: Partial<AtStart> = {}): AtStart {
  return { nowMs, aheadMs, isAll: false, hasOrigin: true, ...rest };
}

gate('should start with little where the film comes fast', () => {
  const start = new StartGate();
  assert.not(start.isOpen(at(0, 100)));
  assert.not(start.isOpen(at(150, 790)), 'too little to tell that it goes on like this');
  assert.ok(start.isOpen(at(200, 800)));
});

gate('should wait for more where it comes slowly', () => {
  const start = new StartGate();
  assert.not(start.isOpen(at(0, 100)));
  assert.not(start.isOpen(at(900, 900)));
  assert.ok(start.isOpen(at(1_000, 1_000)));
});

gate('should wait for more where the origin cannot help out', () => {
  const start = new StartGate();
  const hasOrigin = false;
  assert.not(start.isOpen(at(0, 100, { hasOrigin })));
  assert.not(start.isOpen(at(200, 2_900, { hasOrigin })));
  assert.ok(start.isOpen(at(300, 3_000, { hasOrigin })));
});

gate('should not wait for what will never come', () => {
  assert.ok(new StartGate().isOpen(at(0, 50, { isAll: true })));
  assert.not(new StartGate().isOpen(at(0, 0, { isAll: true })), 'there is nothing to play');
});

gate.run();

const hand = suite('what is at hand');

hand('should reach up to the first piece that is missing', async () => {
  const room = await VirtualRoom.open({ segmentCount: 3, segmentMs: 2_000, segmentBytes: 160 * 1024 });
  const viewer = room.viewer();
  room.connectOrigin(viewer, 1);
  await room.clock.runUntil(() => room.holds(viewer, 0, 3), 10_000);
  const { manifest } = viewer;
  const held = new Set<string>();
  const atHand = new AtHand(
    { manifest, hasPiece: (segment, piece) => segment === 0 || held.has(`${segment}/${piece}`) },
    0,
  );
  assert.is(atHand.untilMs(), 0);
  for (const piece of [0, 1, 2, 4]) held.add(`1/${piece}`);
  assert.is(atHand.untilMs(), 600, 'three of ten pieces of two seconds');
  for (const piece of [3, 5, 6, 7, 8, 9]) held.add(`1/${piece}`);
  assert.is(atHand.untilMs(), 2_000);
  assert.is(new AtHand(viewer, 0).untilMs(), 6_000, 'all of it');
  viewer.close();
});

hand.run();
