import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HeadStart } from '../../peer/host/head-start.ts';
import type { SealedSegment } from '../../peer/host/seal-segment.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';
import { rejection } from './host-rig.ts';

const WAIT_MS = 3_000;

const beginning = suite('the beginning of an upload');

function segment(number: number, isExtra = false): SealedSegment {
  const entry = { startMs: 0, durationMs: 0, sizeBytes: 1, pieceHashes: new Uint8Array(32) };
  return { number, pieces: [new Uint8Array(1)], entry, extra: isExtra ? new Uint8Array(1) : null };
}

function begun(waitMs = WAIT_MS) {
  const clock = new VirtualClock();
  const stop = new AbortController();
  let firstCount = 0;
  const onFirst = (): number => firstCount++;
  const headStart = new HeadStart({ clock, waitMs, onFirst, signal: stop.signal });
  return { clock, stop, headStart, firstCount: () => firstCount };
}

/** Says which of the waits are over now. */
async function over(waits: Record<string, Promise<void>>): Promise<string[]> {
  const names: string[] = [];
  for (const [name, wait] of Object.entries(waits))
    wait.then(
      () => names.push(name),
      () => undefined,
    );
  await new Promise((resolve) => setImmediate(resolve));
  return names;
}

beginning('should let nothing be made beside what opens the room', async () => {
  const { headStart, firstCount } = begun();
  headStart.made(segment(0));
  assert.equal(await over({ first: headStart.untilFilm(0) }), ['first'], 'the first one is to come');
  headStart.made(segment(1, true));
  headStart.made(segment(2));
  const waits = { film: headStart.untilFilm(2_000), rest: headStart.untilOver() };
  assert.equal(await over(waits), []);
  headStart.stored(segment(2));
  headStart.stored(segment(1, true));
  assert.equal(await over(waits), []);
  assert.is(firstCount(), 0);
  headStart.stored(segment(0));
  assert.equal(await over(waits), ['film']);
  assert.is(firstCount(), 1);
});

beginning('should let a little film follow, and all else once its time is over', async () => {
  const { clock, headStart, firstCount } = begun();
  for (const number of [0, 1]) headStart.made(segment(number));
  for (const number of [0, 1]) headStart.stored(segment(number));
  const waits = {
    near: headStart.untilFilm(5_999),
    far: headStart.untilFilm(6_000),
    rest: headStart.untilOver(),
  };
  assert.equal(await over(waits), ['near']);
  await clock.run(WAIT_MS - 1);
  assert.equal(await over(waits), ['near']);
  await clock.run(1);
  assert.equal(await over(waits), ['near', 'far', 'rest']);
  headStart.made(segment(2));
  headStart.stored(segment(2));
  assert.is(firstCount(), 1);
});

beginning('should hold nothing back where no time is given, or all is made', async () => {
  const without = begun(0);
  for (const number of [0, 1]) without.headStart.made(segment(number));
  for (const number of [0, 1]) without.headStart.stored(segment(number));
  assert.equal(await over({ rest: without.headStart.untilOver() }), ['rest']);
  const ended = begun();
  const rest = ended.headStart.untilOver();
  ended.headStart.end();
  assert.equal(await over({ rest }), ['rest']);
});

beginning('should end every wait when it is stopped', async () => {
  const { stop, headStart } = begun();
  const waits = [headStart.untilOver()].map(rejection);
  stop.abort('enough');
  assert.equal(await Promise.all(waits), ['enough']);
});

beginning.run();
