import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type PlaybackSaid, placeAt } from '../../peer/sync/playback.ts';
import { Steering } from '../../peer/sync/steering.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';
import { ModelPlayer, type ModelPlayerParts } from '../tools/model-player.ts';

const TICK_MS = 250;
const DURATION_MS = 600_000;

const PLAYING: PlaybackSaid = {
  video: new Uint8Array(16),
  wishedMs: 1,
  atMs: 1,
  placeMs: 0,
  isPlaying: true,
  speedPercent: 100,
  isStart: false,
  waitsFor: null,
  name: 'Anna',
};

/** A player and who steers it, on a virtual clock whose time is the room's. */
class Watched {
  readonly clock = new VirtualClock();
  readonly player: ModelPlayer;
  readonly steering = new Steering();
  playback: PlaybackSaid = PLAYING;
  readonly rates: number[] = [];
  #cancel: () => void = () => undefined;

  constructor(parts: Partial<ModelPlayerParts> = {}) {
    this.player = new ModelPlayer({
      clock: this.clock,
      durationMs: DURATION_MS,
      seekMs: () => 120,
      startMs: 30,
      ...parts,
    });
  }

  /** Somebody's wish reaches this player. */
  wish(change: Partial<PlaybackSaid>): void {
    const wishedMs = Math.max(this.playback.wishedMs + 1, Math.round(this.clock.nowMs()));
    this.playback = { ...this.playback, wishedMs, atMs: wishedMs, ...change };
    this.tick();
  }

  tick(): void {
    this.#cancel();
    const nowMs = this.clock.nowMs();
    const orders = this.steering.decide({
      nowMs,
      roomMs: nowMs,
      playback: this.playback,
      film: this.player.view(),
    });
    this.player.obey(orders);
    this.rates.push(orders.rate);
    const againInMs = Math.min(orders.againInMs ?? TICK_MS, this.player.view().isSeeking ? 10 : TICK_MS);
    this.#cancel = this.clock.after(againInMs, () => this.tick());
  }

  get roomPlaceMs(): number {
    return Math.min(placeAt(this.playback, this.clock.nowMs()), DURATION_MS);
  }

  get driftMs(): number {
    return this.roomPlaceMs - this.player.placeMs;
  }

  /** Runs, and returns the farthest the player was from the room meanwhile. */
  async worstMs(forMs: number): Promise<number> {
    let worstMs = 0;
    for (let passedMs = 0; passedMs < forMs; passedMs += 20) {
      await this.clock.run(20);
      worstMs = Math.max(worstMs, Math.abs(this.driftMs));
    }
    return worstMs;
  }
}

const steerings = suite('steering a player');

steerings('should land a late joiner at the right place, and hold it there', async () => {
  const watched = new Watched({ seekMs: () => 400 });
  watched.playback = { ...PLAYING, atMs: 0, wishedMs: 1, placeMs: 100_000 };
  await watched.clock.run(5_000);
  watched.tick();
  await watched.clock.run(2_000);
  assert.ok((await watched.worstMs(60_000)) < 60);
  assert.ok(watched.player.seekCount <= 3, `${watched.player.seekCount} jumps`);
});

steerings('should stand still for 150 ms at its first jump, where the pieces are at hand', async () => {
  const watched = new Watched({ seekMs: () => 60 });
  watched.tick();
  await watched.clock.run(10_000);
  watched.wish({ placeMs: 20_000 });
  const orderedMs = watched.clock.nowMs();
  while (watched.rates.at(-1) === 0) await watched.clock.run(10);
  assert.is(watched.player.seekCount, 1);
  assert.ok(watched.clock.nowMs() - orderedMs <= 160, `${watched.clock.nowMs() - orderedMs} ms`);
});

steerings('should begin everywhere in the same moment where a wish is for one to come', async () => {
  for (const seekMs of [10, 100, 390]) {
    const watched = new Watched({ seekMs: () => seekMs });
    watched.tick();
    await watched.clock.run(10_000);
    watched.wish({ placeMs: 300_000, atMs: watched.clock.nowMs() + 500 });
    await watched.clock.run(600);
    assert.ok((await watched.worstMs(3_000)) < 45, `jumps of ${seekMs} ms`);
    assert.is(watched.player.seekCount, 1);
  }
});

steerings('should mend a small drift by the speed alone, within 5 %, and then leave it', async () => {
  const watched = new Watched({ startMs: 0, drift: -2e-3 });
  watched.tick();
  await watched.clock.run(300_000);
  assert.is(watched.player.seekCount, 0);
  assert.ok((await watched.worstMs(60_000)) < 25);
  for (const rate of watched.rates) assert.ok(rate === 0 || (rate >= 0.95 && rate <= 1.05), `${rate}`);
  assert.ok(watched.rates.filter((rate) => rate === 1).length > watched.rates.length / 3, 'most of the time');
});

steerings('should not take the time of a jump for drift: no jump follows from one', async () => {
  for (const seekMs of [50, 800, 2_500]) {
    const watched = new Watched({ seekMs: () => seekMs });
    watched.tick();
    await watched.clock.run(5_000);
    watched.wish({ placeMs: 200_000 });
    await watched.clock.run(30_000);
    assert.ok(watched.player.seekCount <= 5, `${watched.player.seekCount} jumps of ${seekMs} ms`);
    const before = watched.player.seekCount;
    assert.ok((await watched.worstMs(30_000)) < 60);
    assert.is(watched.player.seekCount, before);
  }
});

steerings('should not jump again and again where every jump takes longer than the last', async () => {
  let seekMs = 500;
  const watched = new Watched({
    seekMs: () => {
      seekMs *= 2;
      return Math.min(seekMs, 20_000);
    },
  });
  watched.tick();
  await watched.clock.run(1_000);
  watched.wish({ placeMs: 200_000 });
  await watched.clock.run(120_000);
  assert.ok(watched.player.seekCount <= 10, `${watched.player.seekCount} jumps in two minutes`);
});

steerings('should wait for pieces rather than run after the room, and be there soon after', async () => {
  const watched = new Watched();
  watched.tick();
  await watched.clock.run(5_000);
  watched.player.stall(7_000);
  await watched.clock.run(6_500);
  assert.is(watched.player.seekCount, 0, 'no jump into nothing');
  await watched.clock.run(4_000);
  assert.is(watched.player.seekCount, 1);
  assert.ok((await watched.worstMs(10_000)) < 60);
});

steerings(
  'should play slower rather than stand still, and be with the room again once there is enough',
  async () => {
    let untilMs = (): number => 0;
    const watched = new Watched({ startMs: 0, untilMs: () => untilMs() });
    const { clock, player, steering, rates } = watched;
    // A tenth less than the film comes, for eight seconds; then all of it.
    untilMs = () => 1_000 + 0.9 * clock.nowMs() + (clock.nowMs() > 8_000 ? 60_000 : 0);
    watched.tick();
    let leastMs = Number.POSITIVE_INFINITY;
    for (let passedMs = 0; passedMs < 7_900; passedMs += 100) {
      await clock.run(100);
      leastMs = Math.min(leastMs, untilMs() - player.placeMs);
    }
    assert.ok(leastMs > 500, `${leastMs} ms were at hand`);
    assert.is(steering.isSlowed, true);
    assert.ok(Math.min(...rates) >= 0.8 && rates.includes(0.8), `${Math.min(...rates)}`);
    assert.is(player.seekCount, 0, 'with little at hand it does not jump');
    await clock.run(4_000);
    assert.is(steering.isSlowed, false);
    assert.ok((await watched.worstMs(5_000)) < 60, `${watched.driftMs} ms`);
  },
);

steerings('should stand at the same picture as the others', async () => {
  const watched = new Watched();
  watched.tick();
  await watched.clock.run(5_000);
  watched.wish({ isPlaying: false, placeMs: 4_700 });
  await watched.clock.run(1_000);
  assert.is(watched.player.placeMs, 4_700);
  await watched.clock.run(60_000);
  assert.equal([watched.player.placeMs, watched.player.seekCount], [4_700, 1]);
});

steerings('should play at the room’s speed', async () => {
  const watched = new Watched({ startMs: 0 });
  watched.tick();
  await watched.clock.run(2_000);
  watched.wish({ placeMs: watched.roomPlaceMs, speedPercent: 150 });
  await watched.clock.run(5_000);
  assert.ok((await watched.worstMs(20_000)) < 60);
  assert.ok(watched.player.placeMs > 30_000);
});

steerings('should let the film end, and leave it at its end', async () => {
  const watched = new Watched();
  watched.playback = { ...PLAYING, placeMs: DURATION_MS - 3_000 };
  watched.tick();
  await watched.clock.run(20_000);
  assert.is(watched.player.placeMs, DURATION_MS);
  const orders = watched.steering.decide({
    nowMs: 20_000,
    roomMs: 20_000,
    playback: watched.playback,
    film: watched.player.view(),
  });
  assert.equal([orders.isPlaying, orders.seekToMs], [null, null], 'play at the end would begin anew');
});

steerings('should take a wish told again for no new one', async () => {
  const watched = new Watched();
  watched.tick();
  await watched.clock.run(5_000);
  const before = watched.player.seekCount;
  watched.playback = { ...watched.playback, atMs: 5_000, placeMs: 5_000 + 150 };
  watched.tick();
  await watched.clock.run(1_000);
  assert.is(watched.player.seekCount, before, 'a little off is mended by the speed');
});

steerings('should come to rest wherever it begins, whatever the machine is like', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        seekMs: fc.integer({ min: 5, max: 1_200 }),
        startMs: fc.integer({ min: 0, max: 150 }),
        drift: fc.double({ min: -1e-3, max: 1e-3, noNaN: true }),
        fromMs: fc.nat(400_000),
        toMs: fc.nat(400_000),
      }),
      async ({ fromMs, toMs, seekMs, ...parts }) => {
        const watched = new Watched({ ...parts, seekMs: () => seekMs });
        watched.playback = { ...PLAYING, placeMs: fromMs };
        watched.tick();
        await watched.clock.run(20_000);
        watched.wish({ placeMs: toMs });
        await watched.clock.run(20_000);
        assert.ok((await watched.worstMs(10_000)) <= 60, `${watched.driftMs} ms`);
      },
    ),
    { seed: 20_260_107, numRuns: 25 },
  );
});

steerings.run();
