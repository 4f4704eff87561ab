import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Place, Places, TURN_MS } from '../../seed-server/origin/places.ts';

/** Places with a clock that is set by hand, watched by a second bookkeeping that is as plain as can be. */
class Watched {
  nowMs = 0;
  readonly capacity: number;
  readonly places: Places;
  /** What must be true of the places: whose, and since when. */
  readonly held = new Map<string, Place & { sinceMs: number }>();

  constructor(capacity: number) {
    this.capacity = capacity;
    this.places = new Places(capacity, () => this.nowMs);
  }

  count(room: string): number {
    return [...this.held.values()].filter((place) => place.room === room).length;
  }

  largestCount(): number {
    return Math.max(0, ...[...this.held.values()].map(({ room }) => this.count(room)));
  }

  /** Asks, and checks what follows; returns whether it was let in. */
  ask(room: string, id: string): boolean {
    const key = `${room} ${id}`;
    const [ownCount, largestCount] = [this.count(room), this.largestCount()];
    const answer = this.places.ask(room, id);
    if (this.held.has(key)) {
      assert.equal(answer, { isLetIn: true, makesRoom: null });
    } else if (answer.isLetIn) {
      if (answer.makesRoom) this.#closed(answer.makesRoom, ownCount, largestCount);
      this.held.set(key, { room, id, sinceMs: this.nowMs });
    } else {
      assert.is(this.held.size, this.capacity);
      assert.ok(
        Number.isInteger(answer.retryInMs) && answer.retryInMs >= 5000 && answer.retryInMs <= 120_000,
      );
    }
    this.check();
    return answer.isLetIn;
  }

  leave(room: string, id: string): void {
    this.places.leave(room, id);
    this.held.delete(`${room} ${id}`);
    this.check();
  }

  forget(room: string): void {
    this.places.forget(room);
    for (const [key, place] of this.held) if (place.room === room) this.held.delete(key);
    this.check();
  }

  check(): void {
    assert.ok(this.held.size <= this.capacity);
    assert.is(this.places.takenCount, this.held.size);
    for (const { room } of this.held.values()) assert.is(this.places.countOf(room), this.count(room));
  }

  /** Nobody is closed while there is room, nor before its turn is over, unless its room had at least two more. */
  #closed({ room, id }: Place, ownCount: number, largestCount: number): void {
    const place = this.held.get(`${room} ${id}`);
    assert.ok(place, 'closes one who has no place');
    assert.is(this.held.size, this.capacity);
    const hadItsTurn = this.nowMs - (place?.sinceMs ?? 0) >= TURN_MS;
    const hasMoreThanItsShare = this.count(room) === largestCount && largestCount >= ownCount + 2;
    assert.ok(hadItsTurn || hasMoreThanItsShare, 'closes one whose turn is not over');
    assert.ok(this.count(room) >= ownCount, 'takes from a room that has less');
    this.held.delete(`${room} ${id}`);
  }
}

const rooms = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const ids = fc.integer({ min: 0, max: 30 }).map(String);
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('ask' as const), room: rooms, id: ids }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('leave' as const), room: rooms, id: ids }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('forget' as const), room: rooms }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 40_000 }) }),
  },
);

const places = suite('the places at the origin');

places(
  'should never be more than there are, and nobody should be closed before its turn without need',
  async () => {
    await fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.array(step, { maxLength: 200 }), (capacity, steps) => {
        const watched = new Watched(capacity);
        for (const next of steps) {
          if (next.kind === 'ask') watched.ask(next.room, next.id);
          else if (next.kind === 'leave') watched.leave(next.room, next.id);
          else if (next.kind === 'forget') watched.forget(next.room);
          else watched.nowMs += next.ms;
        }
      }),
      { numRuns: 300 },
    );
  },
);

places('should be shared equally between rooms that ask for more than there are', async () => {
  const demands = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.property(fc.integer({ min: 8, max: 40 }), demands, fc.boolean(), (capacity, sizes, isInTurns) => {
      const watched = new Watched(capacity);
      // All at once, room by room or member by member: no time passes, so nobody's turn is over.
      const asks = sizes.flatMap((size, room) =>
        Array.from({ length: size }, (_, id) => [room, id] as const),
      );
      if (isInTurns) asks.sort((one, other) => one[1] - other[1]);
      for (let round = 0; round < 2; round++) for (const [room, id] of asks) watched.ask(`${room}`, `${id}`);
      for (const [room, size] of sizes.entries()) {
        const share = watched.count(`${room}`);
        // A room has all it asked for, or nobody has two more than it.
        assert.ok(share === size || watched.largestCount() <= share + 1, `${share} of ${size}`);
      }
    }),
  );
});

places('should starve no room, even with more rooms than places', async () => {
  const counts = fc.record({
    capacity: fc.integer({ min: 1, max: 6 }),
    rooms: fc.integer({ min: 1, max: 12 }),
  });
  await fc.assert(
    fc.property(counts, fc.integer({ min: 1, max: 4 }), ({ capacity, rooms: roomCount }, members) => {
      const watched = new Watched(capacity);
      const had = new Set<string>();
      const atMs = new Map<string, number>();
      // Everybody asks when told to, for as many turns as there are members for each place.
      const turns = 4 * Math.ceil((roomCount * members) / capacity) + 8;
      for (watched.nowMs = 0; watched.nowMs < turns * 120_000; watched.nowMs += 1000) {
        for (let room = 0; room < roomCount; room++) {
          for (let id = 0; id < members; id++) {
            const key = `${room} ${id}`;
            if (watched.held.has(key) || (atMs.get(key) ?? 0) > watched.nowMs) continue;
            const answer = watched.ask(`${room}`, `${id}`);
            if (answer) had.add(key);
            atMs.set(key, watched.nowMs + 45_000);
          }
        }
      }
      assert.is(had.size, roomCount * members);
    }),
    { numRuns: 25 },
  );
});

places('should let a new room in at once, at the cost of who has been longest in the largest', () => {
  const watched = new Watched(4);
  for (const id of ['1', '2', '3', '4']) {
    watched.ask('a', id);
    watched.nowMs += 10;
  }
  assert.equal(watched.places.ask('b', '1'), { isLetIn: true, makesRoom: { room: 'a', id: '1' } });
  assert.equal(watched.places.ask('b', '2'), { isLetIn: true, makesRoom: { room: 'a', id: '2' } });
  assert.is(watched.places.ask('b', '3').isLetIn, false);
  assert.is(watched.places.ask('a', '1').isLetIn, false);
});

places('should change hands within a room once a turn is over, the longest first', () => {
  const watched = new Watched(2);
  watched.ask('a', '1');
  watched.nowMs += 1000;
  watched.ask('a', '2');
  assert.is(watched.ask('a', '3'), false);
  watched.nowMs = TURN_MS;
  assert.equal(watched.places.ask('a', '3'), { isLetIn: true, makesRoom: { room: 'a', id: '1' } });
  assert.is(watched.places.ask('a', '1').isLetIn, false);
});

places('should not lengthen a turn by asking again', () => {
  const watched = new Watched(1);
  watched.ask('a', '1');
  watched.nowMs = TURN_MS;
  watched.ask('a', '1');
  assert.is(watched.places.ask('a', '2').isLetIn, true);
});

places('should say to those who wait when their turn comes, the same to who asks twice', () => {
  const watched = new Watched(2);
  watched.ask('a', '1');
  watched.nowMs = 10_000;
  watched.ask('a', '2');
  const retries = ['3', '4', '5', '3'].map((id) => watched.places.ask('a', id));
  assert.equal(
    retries.map((answer) => (answer.isLetIn ? null : answer.retryInMs)),
    [20_000, 30_000, 50_000, 20_000],
  );
});

places('should forget who never came back to ask', () => {
  const watched = new Watched(1);
  watched.ask('a', '0');
  for (let id = 1; id <= 600; id++) watched.ask('a', `${id}`);
  const late = watched.places.ask('a', 'late');
  assert.equal(late, { isLetIn: false, retryInMs: 120_000 });
  watched.places.leave('a', '0');
  watched.nowMs = 200_000;
  watched.ask('a', '0');
  assert.equal(watched.places.ask('a', 'next'), { isLetIn: false, retryInMs: TURN_MS });
});

places.run();
