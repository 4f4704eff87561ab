import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { draw } from '../../signaling/draw.ts';
import { Rate } from '../../signaling/rate.ts';
import { Roster } from '../../signaling/roster.ts';

const drawing = suite('drawing neighbours');
const mailbox = { deliver: () => {}, replaced: () => {} };

drawing('should give as many different ones as there are, never an excluded one', async () => {
  const numbers = fc.uniqueArray(fc.integer({ min: 0, max: 60 }), { maxLength: 50 });
  const randoms = fc.array(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), {
    minLength: 80,
    maxLength: 80,
  });
  await fc.assert(
    fc.property(
      numbers,
      numbers,
      fc.integer({ min: 0, max: 12 }),
      randoms,
      (items, besides, count, random) => {
        let at = 0;
        const drawn = draw(items, new Set(besides), count, () => random[at++ % random.length] ?? 0);
        const eligible = items.filter((item) => !besides.includes(item));
        assert.is(drawn.length, Math.min(count, eligible.length));
        assert.is(new Set(drawn).size, drawn.length);
        assert.ok(drawn.every((item) => eligible.includes(item)));
      },
    ),
  );
});

drawing('should look at few, however large the room', () => {
  let calls = 0;
  const random = () => {
    calls += 1;
    return 0.999;
  };
  const items = Array.from({ length: 100_000 }, (_, i) => i);
  draw(items, new Set([99_999, 99_998]), 8, random);
  assert.ok(calls <= 10);
});

drawing('should reach everybody with equal luck', () => {
  const items = Array.from({ length: 20 }, (_, i) => i);
  const counts = new Map<number, number>();
  for (let i = 0; i < 20_000; i++) {
    for (const item of draw(items, new Set(), 4, Math.random)) counts.set(item, (counts.get(item) ?? 0) + 1);
  }
  // Each is expected 4,000 times with a deviation of 57: eight of them make a false alarm impossible in practice.
  for (const item of items) assert.ok(Math.abs((counts.get(item) ?? 0) - 4000) < 450, `item ${item}`);
});

drawing('should know exactly the members that came and did not leave', async () => {
  const steps = fc.array(fc.tuple(fc.boolean(), fc.constantFrom('a', 'b', 'c', 'd', 'e')), { maxLength: 60 });
  await fc.assert(
    fc.property(steps, (list) => {
      const roster = new Roster();
      const expected = new Set<string>();
      for (const [isJoin, id] of list) {
        if (isJoin) roster.put(id, mailbox, 0);
        else roster.remove(id);
        if (isJoin) expected.add(id);
        else expected.delete(id);
      }
      assert.equal(roster.draw(null, [], 99, 0, Math.random).sort(), [...expected].sort());
      assert.is(roster.size, expected.size);
      for (const id of 'abcde') assert.is(roster.mailbox(id) !== null, expected.has(id));
    }),
  );
});

drawing('should draw every other one of those that came at about the same time', () => {
  const roster = new Roster();
  // One came every second.
  for (let i = 0; i < 1_000; i++) roster.put(`m${i}`, mailbox, i * 1_000);
  const isNear = (id: string, to: number) => Math.abs(Number(id.slice(1)) - to) <= 15;
  for (let i = 0; i < 50; i++) {
    const drawn = roster.draw('m500', ['m500', 'm501'], 8, 999_000, Math.random);
    assert.is(new Set(drawn).size, 8);
    assert.not(drawn.includes('m500') || drawn.includes('m501'));
    for (const at of [0, 2, 4, 6]) assert.ok(isNear(drawn[at] ?? '', 500));
  }
  const newcomer = roster.draw('new', [], 8, 999_000, Math.random);
  for (const at of [0, 2, 4, 6]) assert.ok(isNear(newcomer[at] ?? '', 999));
  const late = roster.draw('new', ['m3'], 8, 9_999_000, Math.random);
  assert.is(late.length, 8, 'where nobody came lately they come from everywhere');
  for (let i = 5; i < 1_000; i++) roster.remove(`m${i}`);
  assert.equal(roster.draw('m0', ['m0'], 8, 999_000, Math.random).sort(), ['m1', 'm2', 'm3', 'm4']);
});

drawing.run();

const rate = suite('the message rate');

rate('should let a burst through, then the steady rate', () => {
  const bucket = new Rate(3, 2, 0);
  const taken = [0, 0, 0, 0, 499, 500, 501, 1000].map((nowMs) => bucket.canTake(nowMs));
  assert.equal(taken, [true, true, true, false, false, true, false, true]);
});

rate('should never save up more than the burst', () => {
  const bucket = new Rate(2, 10, 0);
  const taken = [0, 3_600_000, 3_600_000, 3_600_000].map((nowMs) => bucket.canTake(nowMs));
  assert.equal(taken, [true, true, true, false]);
});

rate.run();
