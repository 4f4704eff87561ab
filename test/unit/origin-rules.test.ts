import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { areEqual, type Bytes, fromBase64url } from '../../peer/bytes.ts';
import type { ListedVideo } from '../../peer/manifest/rules.ts';
import type { Member } from '../../web/src/member/member.ts';
import { type House, hasOrigin, withHouse } from '../tools/house.ts';
import { MadeRoom } from '../tools/made-room.ts';
import { wrongBy } from '../tools/wrong-clock.ts';

/** Some minutes of virtual time. */
const MAX_ROUNDS = 20_000;

function idOf(member: Member): Bytes {
  return fromBase64url(member.selfId) ?? new Uint8Array();
}

/** Runs the virtual clock until it is so. The store's files take real time, which no virtual one measures: hence the rounds. */
async function until(house: House, what: string, isSo: () => boolean): Promise<void> {
  for (let round = 0; !isSo(); round++) {
    if (round === MAX_ROUNDS) throw new Error(`never: ${what}`);
    await house.clock.run(50);
    await new Promise(setImmediate);
  }
}

async function publish(house: House, made: MadeRoom): Promise<void> {
  const update = await made.grow(1000, 5000, 5000);
  await house.change(made, (store) => store.putManifest(made.room, made.video, update));
}

async function rule(
  house: House,
  made: MadeRoom,
  number: number,
  wishes: Parameters<MadeRoom['rules']>[1],
): Promise<void> {
  const rules = await made.rules(number, wishes);
  await house.change(made, (store) => store.putRules(made.room, rules));
}

function doesShow(member: Member, made: MadeRoom): boolean {
  const video = member.viewer.manifest.head?.video;
  return video !== undefined && areEqual(video, made.videoBytes);
}

function friends(member: Member): number {
  return [...member.viewer.links].filter(({ remote }) => remote.kind === 'member').length;
}

/** Whether all of them know these rules. */
function doKnow(members: readonly Member[], number: number): boolean {
  return members.every(({ viewer }) => viewer.rules?.number === number);
}

function listed(...films: MadeRoom[]): ListedVideo[] {
  return films.map(({ videoBytes }) => ({ video: videoBytes, title: new Uint8Array(40) }));
}

const origin = suite('the origin, by the rules in its store');

origin('should drop whom the host removes, and let it in no more', () =>
  withHouse(10, async (house) => {
    const made = await house.makeRoom();
    await publish(house, made);
    const [gone, stays] = [await house.join(made), await house.join(made)];
    await until(house, 'both are connected', () => hasOrigin(gone) && hasOrigin(stays));
    await rule(house, made, 1, { removed: [idOf(gone)] });
    await until(house, 'one is dropped', () => !hasOrigin(gone));
    // Long enough for it to dial again, more than once.
    await house.clock.run(60_000);
    assert.equal([hasOrigin(gone), hasOrigin(stays)], [false, true]);
    await rule(house, made, 2, {});
    const late = await house.join(made);
    await until(house, 'a newcomer is connected', () => hasOrigin(late) && doKnow([late], 2));
  }),
);

origin('should serve the video that the rules name once it is stored, and the first one until then', () =>
  withHouse(10, async (house) => {
    const first = await house.makeRoom();
    const second = await MadeRoom.create(house.crypto, first.key);
    await publish(house, first);
    const early = await house.join(first);
    await until(house, 'the first is shown', () => doesShow(early, first));
    await rule(house, first, 1, { videos: listed(first, second), current: second.videoBytes });
    await until(house, 'the rules are known', () => doKnow([early], 1));
    await house.clock.run(10_000);
    assert.equal([doesShow(early, first), hasOrigin(early)], [true, true]);
    const [line] = early.viewer.links;
    await early.viewer.say('the chat goes on');
    await publish(house, second);
    await until(house, 'the second is shown', () => doesShow(early, second));
    assert.equal([...early.viewer.links], [line], 'over the same connection');
    const late = await house.join(first);
    await until(house, 'a newcomer sees the second', () => doesShow(late, second) && hasOrigin(late));
    await until(house, 'and the chat', () => late.viewer.lines.length === 1);
    await rule(house, first, 2, { videos: listed(first, second), current: first.videoBytes });
    await until(house, 'both are back', () => [early, late].every((member) => doesShow(member, first)));
    assert.ok(early.viewer.links);
  }),
);

origin('should change over for all who know each other, whoever hears of it first', () =>
  withHouse(1, async (house) => {
    const films = [await house.makeRoom()];
    const [first] = films;
    if (!first) throw new Error('no room');
    for (let i = 0; i < 2; i++) films.push(await MadeRoom.create(house.crypto, first.key));
    const videos = listed(...films);
    await rule(house, first, 1, { videos, current: first.videoBytes });
    for (const film of films) await publish(house, film);
    // The origin has one place: most hear of everything from each other.
    const members: Member[] = [];
    for (let i = 0; i < 5; i++) members.push(await house.join(first));
    await until(house, 'all are at the first', () => members.every((member) => doesShow(member, first)));
    for (const [i, film] of [...films.slice(1), first, ...films.slice(1)].entries()) {
      await rule(house, first, i + 2, { videos, current: film.videoBytes });
      await until(house, `all are at film ${i}`, () => members.every((member) => doesShow(member, film)));
    }
    assert.equal(
      members.map(({ viewer }) => viewer.rejectedPieces),
      members.map(() => 0),
    );
  }),
);

origin.run();

const viewers = suite('viewers obeying the host’s rules');

viewers('should part from whom the host removes, also those who hear of it from each other', () =>
  withHouse(1, async (house) => {
    const made = await house.makeRoom();
    const [a, b, gone] = [await house.join(made), await house.join(made), await house.join(made)];
    await until(house, 'all are connected', () => [a, b, gone].every((member) => friends(member) === 2));
    await rule(house, made, 1, { removed: [idOf(gone)] });
    await until(house, 'one is alone', () => friends(gone) === 0);
    await house.clock.run(30_000);
    assert.equal([a, b, gone].map(friends), [1, 1, 0]);
    assert.equal([doKnow([a, b], 1), hasOrigin(gone)], [true, false]);
  }),
);

viewers('should have no connections to each other while the host wants none', () =>
  withHouse(10, async (house) => {
    const made = await house.makeRoom();
    const members = [await house.join(made), await house.join(made), await house.join(made)];
    await until(house, 'all are connected', () => members.every((member) => friends(member) === 2));
    await rule(house, made, 1, { isOriginOnly: true });
    await until(house, 'all are apart', () => members.every((member) => friends(member) === 0));
    members.push(await house.join(made));
    await until(house, 'the origin has all', () => members.every(hasOrigin) && doKnow(members, 1));
    await house.clock.run(30_000);
    assert.equal(members.map(friends), [0, 0, 0, 0]);
    await rule(house, made, 2, { isOriginOnly: false });
    await until(house, 'all are connected again', () => members.every((member) => friends(member) === 3));
  }),
);

viewers('should hide what a muted member writes, and nothing that it wrote before', () =>
  withHouse(10, async (house) => {
    const made = await house.makeRoom();
    const [talker, reader] = [await house.join(made), await house.join(made)];
    const both = [talker, reader];
    const read = () => reader.viewer.lines.map(({ text }) => text).join();
    await until(house, 'they are connected', () => both.every((member) => friends(member) === 1));
    await talker.viewer.say('before');
    await until(house, 'it is read', () => read() === 'before');
    await rule(house, made, 1, { muted: [idOf(talker)], atMs: house.clock.wallMs() });
    await until(house, 'the muting is known', () => doKnow(both, 1));
    await talker.viewer.say('after');
    await house.clock.run(1000);
    // The muting counts from when it was first said, whatever changes later.
    await rule(house, made, 2, {
      muted: [idOf(talker)],
      lockedTo: both.map(idOf),
      atMs: house.clock.wallMs(),
    });
    await until(house, 'the lock is known', () => doKnow(both, 2));
    assert.is(read(), 'before');
    await rule(house, made, 3, {});
    await until(house, 'all can be read', () => read() === 'before,after');
  }),
);

viewers('should hide what a muted member writes, whatever date it gives it', () =>
  withHouse(10, async (house) => {
    const made = await house.makeRoom();
    let backMs = 0;
    const clock = wrongBy(house.clock, () => -backMs);
    const [talker, reader] = [await house.join(made, { clock }), await house.join(made)];
    const read = (member: typeof reader) => member.viewer.lines.map(({ text }) => text).join();
    await until(house, 'they are connected', () => friends(talker) === 1 && friends(reader) === 1);
    await talker.viewer.say('before');
    await house.clock.run(60_000);
    await rule(house, made, 1, { muted: [idOf(talker)], atMs: house.clock.wallMs() });
    await until(house, 'the muting is known', () => doKnow([talker, reader], 1));
    backMs = 30_000;
    await talker.viewer.say('dated back');
    await house.clock.run(1000);
    assert.is(read(reader), 'before');
    const late = await house.join(made);
    await until(house, 'who comes late reads what was said before', () => read(late).includes('before'));
    await house.clock.run(31_000);
    await talker.viewer.say('dated back again');
    await house.clock.run(1000);
    assert.not.ok(read(late).includes('again'), 'no longer what was said before it came');
    assert.is(read(reader), 'before');
    await rule(house, made, 2, {});
    await until(house, 'all can be read', () => read(reader).split(',').length === 3);
  }),
);

viewers.run();
