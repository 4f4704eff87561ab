import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Allowance } from '../../peer/allowance.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';

const allowance = suite('an allowance');

allowance('should let so many through at once, then one at a time, and say when', async () => {
  const clock = new VirtualClock();
  const allowed = new Allowance(clock, 2, 1000);
  assert.equal([allowed.canTake(), allowed.canTake(), allowed.canTake()], [true, true, false]);
  assert.is(allowed.waitMs(), 1000);
  await clock.run(600);
  assert.equal([allowed.canTake(), allowed.waitMs()], [false, 400]);
  await clock.run(400);
  assert.equal([allowed.waitMs(), allowed.canTake(), allowed.canTake()], [0, true, false]);
});

allowance('should never save up more than it lets through at once', async () => {
  const clock = new VirtualClock();
  const allowed = new Allowance(clock, 2, 1000);
  await clock.run(3_600_000);
  assert.equal([allowed.canTake(), allowed.canTake(), allowed.canTake()], [true, true, false]);
});

allowance.run();
