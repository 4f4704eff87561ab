import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Allowance } from '../../peer/allowance.ts';
import {
  DIAL_EVERY_MS,
  dialBudget,
  FREE_DIALS,
  MAX_NEIGHBOURS,
  Neighbours,
  WANTED_NEIGHBOURS,
} from '../../peer/room/neighbours.ts';
import { MAKE_ROOM, OriginDial } from '../../peer/room/origin-dial.ts';
import { seededRandom } from '../sim/seeded-random.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';
import { Crowd } from '../tools/crowd.ts';

/** Asserts what every crowd must be like once it has settled. */
function isOneRoom(crowd: Crowd): void {
  const degrees = crowd.degrees();
  assert.is(crowd.partCount(), 1);
  assert.ok((degrees[0] ?? 0) >= WANTED_NEIGHBOURS, `somebody has only ${degrees[0]}`);
  assert.ok(crowd.members.every(({ mostConnected }) => mostConnected <= MAX_NEIGHBOURS));
  assert.equal(crowd.errors, []);
}

async function withCrowd(seed: number, body: (crowd: Crowd) => Promise<void>): Promise<void> {
  const crowd = new Crowd(seed);
  try {
    await body(crowd);
  } finally {
    crowd.close();
  }
  await crowd.clock.run(1000);
  assert.is(crowd.clock.pendingTimers, 0, 'a timer was left behind');
}

/** Lets so many join and settle; returns the messages over all signaling connections for each of them. */
async function messagesPerJoin(count: number, withinMs: number, seed: number): Promise<number> {
  let perJoin = 0;
  await withCrowd(seed, async (crowd) => {
    crowd.joinWithin(count, withinMs);
    await crowd.clock.run(withinMs + 1000);
    assert.is(crowd.present.length, count);
    assert.is(crowd.partCount(), 1);
    assert.ok((crowd.degrees()[0] ?? 0) >= 3, `somebody has only ${crowd.degrees()[0]}`);
    await crowd.clock.run(20_000);
    isOneRoom(crowd);
    assert.is(crowd.members.filter(({ isFlooding }) => isFlooding).length, 0);
    perJoin = crowd.messageCount / count;
  });
  return perJoin;
}

const crowds = suite('a flash crowd');

crowds('should be one room with neighbours for everybody a second after 50 joined within 2 s', async () => {
  for (const seed of [1, 2, 3]) assert.ok((await messagesPerJoin(50, 2000, seed)) < 120);
});

crowds('should cost no more messages a head when 1,000 join within 10 s', async () => {
  const [few, many] = [await messagesPerJoin(50, 2000, 4), await messagesPerJoin(1000, 10_000, 4)];
  assert.ok(many < 120 && many < 1.5 * few, `${many} for each of 1,000, ${few} for each of 50`);
});

crowds('should connect all to all where all joined in the same moment and are few', async () => {
  await withCrowd(5, async (crowd) => {
    for (let i = 0; i < 6; i++) crowd.join();
    await crowd.clock.run(20_000);
    assert.equal(crowd.degrees(), [5, 5, 5, 5, 5, 5]);
    assert.is(crowd.peers.aliveCount, 30);
  });
});

crowds('should fall silent once everybody has enough', async () => {
  await withCrowd(6, async (crowd) => {
    crowd.joinWithin(40, 2000);
    await crowd.clock.run(30_000);
    const { messageCount } = crowd;
    await crowd.clock.run(3_600_000);
    assert.is(crowd.messageCount, messageCount);
  });
});

crowds(
  'should grow together again when half of it is gone, and call nobody who is gone for ever',
  async () => {
    await withCrowd(7, async (crowd) => {
      crowd.joinWithin(100, 3000);
      await crowd.clock.run(30_000);
      const gone = crowd.members.filter(({ index }) => index % 2 === 0);
      for (const member of gone) member.vanish(true);
      // Signaling finds out later, as its heartbeat does.
      await crowd.clock.run(10_000);
      for (const member of gone) member.endSession();
      await crowd.clock.run(60_000);
      isOneRoom(crowd);
      const { madeCount } = crowd.peers;
      await crowd.clock.run(3_600_000);
      assert.is(crowd.peers.madeCount, madeCount);
    });
  },
);

crowds('should take in who comes late, one by one', async () => {
  await withCrowd(8, async (crowd) => {
    crowd.joinWithin(60, 2000);
    await crowd.clock.run(30_000);
    for (let i = 0; i < 30; i++) {
      const late = crowd.join();
      await crowd.clock.run(1500);
      assert.ok(late.open.length >= 3, `a newcomer has ${late.open.length} neighbours`);
    }
    await crowd.clock.run(20_000);
    isOneRoom(crowd);
  });
});

crowds('should reconnect two who lose each other', async () => {
  await withCrowd(9, async (crowd) => {
    const [a, b] = [crowd.join(), crowd.join()];
    await crowd.clock.run(5000);
    assert.equal([a.open, b.open], [[b.id], [a.id]]);
    for (let i = 0; i < 5; i++) {
      a.connector.channel(b.id)?.close();
      await crowd.clock.run(2500);
      assert.equal([a.open, b.open], [[b.id], [a.id]]);
      assert.is(crowd.peers.aliveCount, 2);
    }
  });
});

crowds.run();

/** Neighbours whose network is two lists: whom it dialled, and when it asked. */
class Desk {
  readonly clock = new VirtualClock();
  connected: string[] = [];
  readonly dialled: string[] = [];
  readonly dialledAtMs: number[] = [];
  readonly askedAtMs: number[] = [];
  known: string[] = [];
  readonly neighbours: Neighbours;

  constructor(random: () => number) {
    this.neighbours = new Neighbours({
      clock: this.clock,
      random,
      budget: dialBudget(this.clock),
      connected: () => this.connected,
      dial: (id) => {
        this.connected.push(id);
        this.dialled.push(id);
        this.dialledAtMs.push(this.clock.nowMs());
      },
      askForMore: (known) => {
        this.known = known;
        this.askedAtMs.push(this.clock.nowMs());
      },
    });
  }

  /** A dialled or connected member is not, any more. */
  drop(id: string): void {
    this.connected = this.connected.filter((other) => other !== id);
    this.neighbours.freed();
  }
}

const EVEN = (): number => 0.5;
const names = (count: number, from = 0): string[] => Array.from({ length: count }, (_, i) => `m${from + i}`);

const choosing = suite('choosing neighbours');

choosing('should dial four of those named at first, and four more after a while', async () => {
  const desk = new Desk(EVEN);
  desk.neighbours.found(names(8));
  assert.equal(desk.dialled, names(4));
  await desk.clock.run(60_000);
  assert.equal(desk.dialled, names(8));
  assert.equal(desk.askedAtMs, []);
});

choosing('should go on to the next at once where one is busy, and leave that one alone', async () => {
  const desk = new Desk(EVEN);
  desk.neighbours.found(names(6));
  desk.drop('m0');
  desk.neighbours.busy('m0');
  assert.equal(desk.dialled, names(5));
  desk.drop('m1');
  desk.neighbours.busy('m1');
  desk.drop('m2');
  desk.neighbours.busy('m2');
  assert.equal(desk.dialled, names(6));
  await desk.clock.run(1000);
  assert.equal(desk.known.sort(), names(6));
  desk.neighbours.found(['m1', 'm6']);
  assert.equal(desk.dialled, names(7));
});

/** Milliseconds for which one is left alone after each of so many refusals. */
async function patienceMs(desk: Desk, id: string, refusals: number, retryInMs = 0): Promise<number[]> {
  const waits = [];
  for (let i = 0; i < refusals; i++) {
    const refusedMs = desk.clock.nowMs();
    desk.drop(id);
    desk.neighbours.busy(id, retryInMs);
    await desk.clock.run(700_000);
    waits.push((desk.dialledAtMs.at(-1) ?? 0) - refusedMs);
  }
  return waits;
}

choosing('should leave one that is busy again alone for twice as long, ten minutes at most', async () => {
  const desk = new Desk(EVEN);
  desk.neighbours.found(['m0']);
  assert.equal(await patienceMs(desk, 'm0', 6), [60_000, 120_000, 240_000, 480_000, 600_000, 600_000]);
  assert.is(desk.dialled.length, 7);
  desk.neighbours.opened('m0');
  assert.equal(await patienceMs(desk, 'm0', 2), [60_000, 120_000]);
});

choosing(
  'should leave one that is busy alone for as long as it says, and for its own time at least',
  async () => {
    const desk = new Desk(EVEN);
    desk.neighbours.found(['m0']);
    assert.equal(await patienceMs(desk, 'm0', 1, 300_000), [300_000]);
    assert.equal(await patienceMs(desk, 'm0', 1, 1000), [120_000]);
  },
);

choosing('should not go back to one that bars it, for ten minutes', async () => {
  const desk = new Desk(EVEN);
  desk.neighbours.found(names(6));
  desk.neighbours.opened('m0');
  desk.drop('m0');
  desk.neighbours.barred('m0');
  desk.neighbours.barred('m5');
  desk.neighbours.found(['m0', 'm5']);
  await desk.clock.run(590_000);
  assert.equal(desk.dialled, names(5));
  await desk.clock.run(20_000);
  assert.equal(desk.dialled.slice(5).sort(), ['m0', 'm5']);
});

choosing('should ask seldom while nobody takes it, and as before once somebody did', async () => {
  const desk = new Desk(EVEN);
  let namedCount = 0;
  const answer = (): void => {
    desk.neighbours.found(names(2, namedCount));
    namedCount += 2;
  };
  const refuseAll = (): void => {
    for (const id of [...desk.connected]) {
      desk.drop(id);
      desk.neighbours.busy(id);
    }
  };
  const askCount = async (forS: number): Promise<number> => {
    const before = desk.askedAtMs.length;
    for (let s = 0; s < forS; s++) {
      const asked = desk.askedAtMs.length;
      refuseAll();
      await desk.clock.run(1000);
      if (desk.askedAtMs.length > asked) answer();
    }
    return desk.askedAtMs.length - before;
  };
  answer();
  const unwelcome = await askCount(60);
  assert.ok(unwelcome < 10, `${unwelcome} in a minute`);
  desk.neighbours.opened('somebody');
  const hopeful = await askCount(4);
  assert.ok(hopeful > 1, `${hopeful} in four seconds`);
});

choosing(
  'should ask for names at growing intervals while it has too few, from half a second to ten',
  async () => {
    const desk = new Desk(EVEN);
    desk.connected = names(3, 100);
    desk.neighbours.found(['m0']);
    desk.drop('m0');
    desk.neighbours.failed('m0');
    await desk.clock.run(45_000);
    const waits = desk.askedAtMs.map((atMs, i) => atMs - (desk.askedAtMs[i - 1] ?? 0));
    assert.equal(waits.slice(0, 4), [500, 1000, 2000, 4000]);
    assert.ok(waits.every((waitMs) => waitMs <= 10_000));
  },
);

choosing(
  'should ask more eagerly with fewer than three, and hardly where signaling knows nobody',
  async () => {
    const asks = async (connectedCount: number, isAlone: boolean): Promise<number> => {
      const desk = new Desk(seededRandom(1));
      desk.connected = names(connectedCount, 100);
      desk.neighbours.found(isAlone ? [] : ['m100', 'm101', 'm102']);
      desk.connected = names(connectedCount, 100);
      await desk.clock.run(600_000);
      return desk.askedAtMs.length;
    };
    const [eager, calm, alone] = [await asks(1, false), await asks(3, false), await asks(0, true)];
    assert.ok(eager > 2 * calm && calm > 2 * alone, `${eager}, ${calm}, ${alone}`);
    assert.ok(alone < 20, `${alone} asks in ten minutes`);
  },
);

choosing(
  'should replace a lost neighbour within a second, but not in the same moment as others',
  async () => {
    const moments = new Set<number>();
    for (let seed = 1; seed <= 20; seed++) {
      const desk = new Desk(seededRandom(seed));
      desk.neighbours.found(names(8));
      await desk.clock.run(30_000);
      const lostMs = desk.clock.nowMs();
      desk.drop('m0');
      desk.neighbours.lost('m0');
      await desk.clock.run(30_000);
      const waitMs = (desk.dialledAtMs.at(-1) ?? 0) - lostMs;
      assert.ok(desk.dialled.length === 9 && waitMs >= 200 && waitMs <= 1000, `${waitMs} ms`);
      moments.add(waitMs);
    }
    assert.ok(moments.size > 15);
  },
);

choosing('should let in sixteen, and again whoever is connected already', () => {
  const desk = new Desk(EVEN);
  desk.connected = names(15);
  assert.is(desk.neighbours.canAdmit('new'), true);
  desk.connected = names(16);
  assert.equal([desk.neighbours.canAdmit('other'), desk.neighbours.canAdmit('m3')], [false, true]);
});

choosing('should dial no more than one a minute once it has dialled a hundred', async () => {
  const desk = new Desk(EVEN);
  // The worst room: everybody is busy, always, and there is always somebody else.
  for (let s = 0; s < 7200; s++) {
    if (desk.connected.length === 0) desk.neighbours.found(names(8, 8 * s));
    for (const id of [...desk.connected]) {
      desk.drop(id);
      desk.neighbours.busy(id);
    }
    await desk.clock.run(1000);
  }
  const { length } = desk.dialledAtMs;
  assert.ok(length > FREE_DIALS + 100 && length <= FREE_DIALS + 121, `${length} dials in two hours`);
  const late = desk.dialledAtMs.filter((atMs) => atMs > 3_600_000);
  assert.ok(late.every((atMs, i) => i === 0 || atMs - (late[i - 1] ?? 0) >= DIAL_EVERY_MS - 1));
});

choosing('should leave no timer behind and dial nobody once it is closed', async () => {
  const desk = new Desk(EVEN);
  desk.neighbours.found(names(2));
  desk.neighbours.lost('m0');
  desk.neighbours.close();
  assert.is(desk.clock.pendingTimers, 0);
  desk.drop('m1');
  desk.neighbours.busy('m1');
  desk.neighbours.lost('m1');
  desk.neighbours.found(names(8, 10));
  await desk.clock.run(60_000);
  assert.equal([desk.dialled, desk.askedAtMs, desk.clock.pendingTimers], [names(2), [], 0]);
});

choosing.run();

class OriginDesk {
  readonly clock = new VirtualClock();
  readonly dialledAtMs: number[] = [];
  isConnected = false;
  readonly dial: OriginDial;

  constructor(random: () => number, dials = 100) {
    this.dial = new OriginDial({
      clock: this.clock,
      random,
      budget: new Allowance(this.clock, dials, 60_000),
      isConnected: () => this.isConnected,
      dial: () => this.dialledAtMs.push(this.clock.nowMs()),
    });
  }
}

const origin = suite('dialling the origin');

origin('should happen at once where it is there, and soon where it came back', async () => {
  const desk = new OriginDesk(EVEN);
  desk.dial.isHere();
  assert.equal(desk.dialledAtMs, [0]);
  desk.dial.cameBack();
  await desk.clock.run(10_000);
  assert.equal(desk.dialledAtMs, [0, 500]);
  desk.isConnected = true;
  desk.dial.isHere();
  assert.equal(desk.dialledAtMs.length, 2);
});

origin('should be repeated when a busy one said so, and up to a quarter later', async () => {
  for (const [fraction, expectedMs] of [
    [0, 8000],
    [0.999, 9998],
  ] as const) {
    const desk = new OriginDesk(() => fraction);
    desk.dial.busy(8000);
    await desk.clock.run(60_000);
    assert.equal(desk.dialledAtMs, [expectedMs]);
  }
});

origin('should wait half a minute to a minute after it made room for others', async () => {
  for (const [fraction, expectedMs] of [
    [0, 30_000],
    [0.5, 45_000],
  ] as const) {
    const desk = new OriginDesk(() => fraction);
    desk.dial.lost(MAKE_ROOM);
    await desk.clock.run(120_000);
    assert.equal(desk.dialledAtMs, [expectedMs]);
  }
});

origin(
  'should be repeated at growing intervals after it was lost, and stop when nobody is there',
  async () => {
    const desk = new OriginDesk(EVEN);
    for (let i = 0; i < 7; i++) {
      desk.dial.lost('CLOSED');
      await desk.clock.run(10_000);
    }
    const waits = desk.dialledAtMs.map((atMs, i) => atMs - 10_000 * i);
    assert.equal(waits, [500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
    desk.dial.lost('CLOSED');
    desk.dial.gone();
    await desk.clock.run(60_000);
    assert.is(desk.dialledAtMs.length, 7);
  },
);

origin('should wait where too much was dialled before', async () => {
  const desk = new OriginDesk(EVEN, 1);
  desk.dial.isHere();
  desk.dial.isHere();
  await desk.clock.run(120_000);
  assert.equal(desk.dialledAtMs, [0, 60_000]);
  desk.dial.busy(1000);
  desk.dial.close();
  assert.is(desk.clock.pendingTimers, 0);
});

origin.run();
