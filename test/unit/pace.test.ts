import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Pace } from '../../peer/sync/pace.ts';

const TICK_MS = 250;

/** The shares over so many milliseconds, of a film of which `aheadMs` are at hand and `growth` comes for each millisecond. */
function sharesOf(aheadMs: number, growth: number, forMs: number, speed = 1): number[] {
  const pace = new Pace();
  const shares: number[] = [];
  let placeMs = 0;
  for (let nowMs = 0; nowMs <= forMs; nowMs += TICK_MS) {
    const untilMs = aheadMs * speed + growth * speed * nowMs;
    const share = pace.share({ nowMs, placeMs, untilMs, isAll: false, speed });
    shares.push(share);
    placeMs += TICK_MS * speed * share;
  }
  return shares;
}

const paces = suite('how fast a film plays that little is at hand of');

paces('should be its own speed where enough is at hand, or comes', () => {
  assert.equal(new Set(sharesOf(6_000, 1, 5_000)), new Set([1]), 'enough');
  assert.equal(sharesOf(500, 1.6, 1_000), [0.8, 0.8, 1, 1, 1], 'it grows, as soon as that can be told');
});

paces('should be slower where hardly as much comes as is played, at its slowest with a second left', () => {
  assert.equal(new Set(sharesOf(800, 0.8, 3_000)), new Set([0.8]));
  const [between = 0] = sharesOf(3_000, 1, 500).slice(-1);
  assert.ok(between > 0.88 && between < 0.92, `${between}`);
});

paces('should hold at any speed what it holds at the film’s own', () => {
  assert.equal(sharesOf(1_500, 0.95, 4_000, 2), sharesOf(1_500, 0.95, 4_000));
});

paces('should not mind what comes no more where all is here', () => {
  const pace = new Pace();
  for (let nowMs = 0; nowMs < 900; nowMs += TICK_MS)
    assert.is(pace.share({ nowMs, placeMs: nowMs, untilMs: 900, isAll: true, speed: 1 }), 1);
});

paces('should judge anew after it forgot', () => {
  const pace = new Pace();
  const at = (nowMs: number): number =>
    pace.share({ nowMs, placeMs: nowMs, untilMs: 500 + 3 * nowMs, isAll: false, speed: 1 });
  assert.equal([0, 250, 500].map(at), [0.8, 0.8, 1]);
  pace.forget();
  assert.equal([600, 750, 1_000].map(at), [0.84, 0.85, 1]);
});

paces('should keep a film going whose pieces come slower by less than it can be slowed', () => {
  const growths = fc.double({ min: 0.82, max: 1.4, noNaN: true });
  const speeds = fc.double({ min: 0.25, max: 4, noNaN: true });
  const keepsGoing = fc.property(growths, speeds, (growth, speed) => {
    const pace = new Pace();
    let placeMs = 0;
    for (let nowMs = 0; nowMs < 60_000; nowMs += TICK_MS) {
      const untilMs = (1_000 + growth * nowMs) * speed;
      assert.ok(placeMs < untilMs, `${placeMs} of ${untilMs} after ${nowMs} ms`);
      placeMs += TICK_MS * speed * pace.share({ nowMs, placeMs, untilMs, isAll: false, speed });
    }
  });
  fc.assert(keepsGoing, { seed: 20_261_128, numRuns: 200 });
});

paces.run();
