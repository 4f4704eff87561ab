import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Bytes } from '../../peer/bytes.ts';
import { seededRandom } from '../sim/seeded-random.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';
import { Flow, VirtualHost, VirtualNetwork } from '../sim/virtual-network.ts';
import { Lobby } from '../sim/virtual-peer.ts';

const clockCases = suite('virtual time');

clockCases(
  'should run timers when they are due, and those of one moment in the order they were set',
  async () => {
    const clock = new VirtualClock();
    const random = seededRandom(7);
    const set: { atMs: number; order: number }[] = [];
    const ran: { atMs: number; order: number }[] = [];
    for (let order = 0; order < 500; order++) {
      const atMs = Math.floor(random() * 50);
      const cancel = clock.after(atMs, () => ran.push({ atMs: clock.nowMs(), order }));
      if (order % 3 === 0) cancel();
      else set.push({ atMs, order });
    }
    assert.is(clock.pendingTimers, set.length);
    await clock.run(100);
    assert.equal(
      ran,
      set.sort((a, b) => a.atMs - b.atMs || a.order - b.order),
    );
    assert.is(clock.pendingTimers, 0);
  },
);

clockCases('should let promises settle before the next moment', async () => {
  const clock = new VirtualClock();
  const seen: string[] = [];
  clock.after(1, () => {
    void Promise.resolve()
      .then(() => undefined)
      .then(() => seen.push('promise'));
  });
  clock.step(1, () => seen.push('next') > 0);
  await clock.run(2);
  assert.equal(seen, ['promise', 'next']);
});

clockCases.run();

/** Three hosts in one place, 10 ms from each other, and what arrives where and when. */
function threeHosts(): { clock: VirtualClock; hosts: VirtualHost[]; flow(from: number, to: number): Flow } {
  const clock = new VirtualClock();
  const network = new VirtualNetwork({ clock, minRoundTripMs: 20, maxRoundTripMs: 20 });
  const hosts = [0, 1, 2].map(
    (i) =>
      new VirtualHost(network, {
        name: `host ${i}`,
        upBytesPerSec: 100_000,
        downBytesPerSec: 200_000,
        place: { x: i / 2, y: 0 },
      }),
  );
  const hostAt = (index: number): VirtualHost => {
    const host = hosts[index];
    if (!host) throw new Error(`no host ${index}`);
    return host;
  };
  const flow = (from: number, to: number): Flow =>
    new Flow(hostAt(from), hostAt(to), {
      onLeft: () => false,
      onFrame: (frame) => arrivals.push([frame[0] ?? 0, Math.round(clock.nowMs() * 100) / 100]),
    });
  return { clock, hosts, flow };
}

let arrivals: [number, number][] = [];

const frameOf = (mark: number, sizeBytes: number): Bytes => new Uint8Array(sizeBytes).fill(mark);

const network = suite('the virtual network');

network.before.each(() => {
  arrivals = [];
});

network('should take the time of uplink, way and downlink', async () => {
  const { clock, flow } = threeHosts();
  const one = flow(0, 1);
  one.send(frameOf(1, 40_960));
  assert.is(one.waitingBytes, 40_960);
  await clock.run(300);
  assert.is(one.waitingBytes, 40_960 - 7 * 4096, 'seven quanta of 40.96 ms have left');
  await clock.run(1_000);
  // 409.6 ms of uplink, 10 ms of way, and 20.48 ms for the last quantum's downlink.
  assert.equal(arrivals, [[1, 440.08]]);
});

network('should let connections share an uplink, and keep the order of each', async () => {
  const { clock, flow } = threeHosts();
  const [one, two] = [flow(0, 1), flow(0, 2)];
  one.send(frameOf(1, 40_960));
  one.send(frameOf(2, 100));
  two.send(frameOf(3, 100));
  await clock.run(2_000);
  assert.equal(
    arrivals.map(([mark]) => mark),
    [3, 1, 2],
    'a short frame on another connection does not wait for a long one',
  );
  assert.ok((arrivals[0]?.[1] ?? 0) < 60);
});

network('should not receive faster than the downlink', async () => {
  const { clock, flow } = threeHosts();
  const flows = [flow(0, 2), flow(1, 2), flow(0, 2), flow(1, 2)];
  for (const each of flows) each.send(frameOf(1, 50_000));
  await clock.run(5_000);
  assert.is(arrivals.length, 4);
  assert.ok((arrivals[3]?.[1] ?? 0) >= 1_000, 'two uplinks fill the downlink for a second');
});

network('should give one shared copy of equal frames, and lose what is cut off', async () => {
  const { clock, hosts } = threeHosts();
  const shared = frameOf(5, 1_000);
  const lobby = new Lobby(seededRandom(1), (frame) => (frame[0] === 5 ? shared : frame));
  const [host0, host1] = [hosts[0], hosts[1]];
  if (!host0 || !host1) throw new Error('no hosts');
  const a = lobby.create(host0, true);
  const b = lobby.create(host1, false);
  a.on('signal', (data: unknown) => b.signal(data));
  b.on('signal', (data: unknown) => a.signal(data));
  const got: unknown[] = [];
  const closed: number[] = [];
  b.on('data', (frame: unknown) => got.push(frame));
  b.on('close', () => closed.push(clock.nowMs()));
  await clock.run(39);
  assert.is(lobby.openCount(host0), 0);
  await clock.run(2);
  assert.is(lobby.openCount(host0), 1, 'two round trips of 20 ms after the answer');
  a.send(frameOf(5, 1_000));
  await clock.run(100);
  assert.is(got[0], shared);
  a.send(frameOf(6, 1_000));
  lobby.cut(host0);
  await clock.run(10_000);
  assert.is(got.length, 1);
  assert.is(closed.length, 1);
  assert.ok((closed[0] ?? 0) > 2_000, 'noticed late');
});

network.run();
