import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BLOCK_SLOTS, Slots } from '../../peer/swarm/slots.ts';

const SLOT_BYTES = 10;
const LARGE_BYTES = SLOT_BYTES * BLOCK_SLOTS;

const slots = suite('slots of a disk');

slots('should give large pieces whole blocks, and small ones a slot each', () => {
  const made = new Slots({ slotBytes: SLOT_BYTES, slotCount: 3 * BLOCK_SLOTS + 1 });
  const taken = [LARGE_BYTES, 1, 1, SLOT_BYTES, 1, SLOT_BYTES + 1].map((bytes) => made.take(bytes));
  assert.equal(taken, [0, 4, 5, 6, 7, 8]);
  assert.is(made.take(1), null, 'what is less than a block is not used');
});

slots('should make a block of slots again once all of them are back', () => {
  const made = new Slots({ slotBytes: SLOT_BYTES, slotCount: BLOCK_SLOTS });
  const taken = Array.from({ length: BLOCK_SLOTS }, () => made.take(1) ?? -1);
  for (const [i, slot] of taken.entries()) {
    assert.is(made.take(LARGE_BYTES), null, `${i} are back`);
    made.giveBack(slot, 1);
  }
  assert.is(made.take(LARGE_BYTES), 0);
});

slots('should never give the same place twice, nor lose one', async () => {
  const step = fc.record({
    bytes: fc.constantFrom(1, SLOT_BYTES, LARGE_BYTES),
    giveBack: fc.option(fc.nat(), { freq: 2 }),
  });
  const property = fc.property(
    fc.nat(30),
    fc.array(step, { maxLength: 200, size: 'max' }),
    (slotCount, steps) => {
      const made = new Slots({ slotBytes: SLOT_BYTES, slotCount });
      const held: { slot: number; bytes: number }[] = [];
      const used = (): number[] =>
        held.flatMap(({ slot, bytes }) =>
          Array.from({ length: bytes > SLOT_BYTES ? BLOCK_SLOTS : 1 }, (_, i) => slot + i),
        );
      for (const { bytes, giveBack } of steps) {
        const [back] = giveBack === null ? [] : held.splice(giveBack % Math.max(1, held.length), 1);
        if (back) made.giveBack(back.slot, back.bytes);
        const slot = giveBack === null ? made.take(bytes) : null;
        if (slot !== null) held.push({ slot, bytes });
        else if (giveBack === null && bytes <= SLOT_BYTES) assert.ok(used().length > slotCount - BLOCK_SLOTS);
        assert.is(new Set(used()).size, used().length, 'no slot is used twice');
        assert.ok(used().every((each) => each >= 0 && each < slotCount));
      }
      for (const { slot, bytes } of held) made.giveBack(slot, bytes);
      for (let i = 0; i < Math.floor(slotCount / BLOCK_SLOTS); i++)
        assert.is.not(made.take(LARGE_BYTES), null);
      assert.is(made.take(1), null);
    },
  );
  await fc.assert(property);
});

slots.run();
