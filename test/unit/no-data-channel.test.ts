import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Bytes } from '../../peer/bytes.ts';
import type { PlainFetcher } from '../../peer/swarm/plain-fetching.ts';
import type { Member } from '../../web/src/member/member.ts';
import { type House, hasOrigin, withHouse } from '../tools/house.ts';
import { flipped, type MadeRoom } from '../tools/made-room.ts';

const SEGMENTS = [1000, 40_000, 40_000, 40_000, 40_000];

async function* chunksOf(bytes: Bytes): AsyncGenerator<Bytes> {
  yield bytes;
}

async function roomWithFilm(house: House): Promise<MadeRoom> {
  const made = await house.makeRoom();
  const update = await made.grow(...SEGMENTS);
  await house.change(made, (store) => store.putManifest(made.room, made.video, update));
  for (const [n, bytes] of made.segments.entries()) {
    await house.change(made, (store) => store.putSegment(made.room, made.video, n, chunksOf(bytes)));
  }
  return made;
}

/** What the server's route would answer, and which ranges it was asked for. */
function fetcherOf(made: MadeRoom, spoil: (bytes: Bytes) => Bytes = (bytes) => bytes) {
  const asked: string[] = [];
  const fetcher: PlainFetcher = {
    async fetch(_video, segment, first, last) {
      asked.push(`${segment} ${first}-${last}`);
      return spoil((made.segments[segment] ?? new Uint8Array()).slice(first, last + 1));
    },
  };
  return { asked, makePlain: () => fetcher };
}

/** Runs the clock, not much faster than a real one: the origin reads a real disk meanwhile. Rejects after a minute of it. */
async function untilSo(house: House, isSo: () => boolean): Promise<void> {
  for (let ms = 0; !isSo(); ms += 10) {
    assert.ok(ms < 60_000, 'it never was so');
    await house.clock.run(10);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

function isWhole({ viewer }: Member): boolean {
  return SEGMENTS.every((bytes, segment) => {
    const count = Math.ceil(bytes / 16_384);
    return Array.from({ length: count }, (_, piece) => viewer.hasPiece(segment, piece)).every(Boolean);
  });
}

const blocked = suite('a member that can have no data channel');

blocked('should get the manifest and the chat through signaling, and every piece by HTTP, once', () =>
  withHouse(4, async (house) => {
    house.peers.find = () => null;
    const made = await roomWithFilm(house);
    const { asked, makePlain } = fetcherOf(made);
    const [one, other] = [await house.join(made, { makePlain }), await house.join(made, { makePlain })];
    await house.clock.run(3000);
    assert.equal([hasOrigin(one), asked], [false, []]);
    await untilSo(house, () => isWhole(one) && isWhole(other));
    assert.is([...one.viewer.links].map(({ route }) => route).join(), 'broker');
    assert.is(one.viewer.traffic().fromHttpBytes, 161_000);
    assert.is(one.viewer.traffic().fromOriginBytes, 0);
    assert.is(new Set(asked).size * 2, asked.length);
    await one.viewer.say('Can you read this?');
    await other.viewer.say('Yes.');
    await house.clock.run(1000);
    for (const { viewer } of [one, other]) {
      assert.equal(viewer.lines.map(({ text }) => text).sort(), ['Can you read this?', 'Yes.']);
    }
  }),
);

blocked('should take nothing that is not what the host signed', () =>
  withHouse(4, async (house) => {
    house.peers.find = () => null;
    const made = await roomWithFilm(house);
    const { asked, makePlain } = fetcherOf(made, (bytes) => flipped(bytes, 0));
    const member = await house.join(made, { makePlain });
    await untilSo(house, () => asked.length > 0);
    await house.clock.run(20_000);
    assert.is(member.viewer.hasPiece(0, 0), false);
    assert.is(member.viewer.traffic().fromHttpBytes, 0);
    // It is no reason to ask without a pause.
    assert.ok(asked.length < 30, String(asked.length));
  }),
);

blocked('should get its lines once, and those written meanwhile, when the way through signaling breaks', () =>
  withHouse(4, async (house) => {
    house.peers.find = () => null;
    const made = await roomWithFilm(house);
    const { makePlain } = fetcherOf(made);
    const [one, other] = [await house.join(made, { makePlain }), await house.join(made, { makePlain })];
    await house.clock.run(8000);
    await untilSo(house, () => hasOrigin(one) && hasOrigin(other));
    await one.viewer.say('first');
    await house.clock.run(1000);
    other.networkChanged();
    await one.viewer.say('second');
    await house.clock.run(10_000);
    assert.equal(
      other.viewer.lines.map(({ text }) => text),
      ['first', 'second'],
    );
  }),
);

blocked.run();

const lucky = suite('a member with a data channel');

lucky('should not be reached through signaling, nor fetch by HTTP what comes in time', () =>
  withHouse(4, async (house) => {
    const made = await roomWithFilm(house);
    const { asked, makePlain } = fetcherOf(made);
    const member = await house.join(made, { makePlain });
    await untilSo(house, () => isWhole(member));
    assert.equal([[...member.viewer.links].map(({ route }) => route), asked], [['direct'], []]);
  }),
);

lucky('should go over to it from signaling once it can be had, and back', () =>
  withHouse(4, async (house) => {
    const { find } = house.peers;
    house.peers.find = () => null;
    const made = await roomWithFilm(house);
    const { makePlain } = fetcherOf(made);
    const member = await house.join(made, { makePlain });
    const routes = () => [...member.viewer.links].map(({ route }) => route).join();
    await untilSo(house, () => routes() === 'broker');
    house.peers.find = find;
    await untilSo(house, () => routes() === 'direct');
    house.peers.find = () => null;
    for (const link of member.viewer.links) link.close('CLOSED');
    await untilSo(house, () => routes() === 'broker');
  }),
);

lucky.run();
