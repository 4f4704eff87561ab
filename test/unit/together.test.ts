import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { NO_RULES, signRules } from '../../peer/manifest/rules.ts';
import type { Viewer } from '../../peer/room/viewer.ts';
import { Together, type TogetherParts } from '../../web/src/room/together.ts';
import { VirtualRoom } from '../sim/virtual-room.ts';
import { ModelVideo } from '../tools/model-video.ts';

const FILM = { segmentCount: 150, segmentMs: 2_000, segmentBytes: 200 };
const DURATION_S = (FILM.segmentCount * FILM.segmentMs) / 1000;

interface Watcher {
  viewer: Viewer;
  video: ModelVideo;
  together: Together;
}

/** People in one room on a virtual clock, each with a film that follows it. */
class Cinema {
  readonly room: VirtualRoom;
  #count = 0;

  static async open(): Promise<Cinema> {
    return new Cinema(await VirtualRoom.open(FILM));
  }

  private constructor(room: VirtualRoom) {
    this.room = room;
  }

  /** Somebody comes, and has the first picture a second later. */
  async enter(change: Partial<TogetherParts> = {}, isPlayRefused = false): Promise<Watcher> {
    let together: Together | null = null;
    const viewer = this.room.viewer({ onSync: () => together?.look() });
    viewer.sync.follow();
    this.#count += 1;
    this.room.connectOrigin(viewer, this.#count, { delayMs: 10 * this.#count });
    const video = new ModelVideo(this.room.clock, DURATION_S);
    video.isPlayRefused = isPlayRefused;
    together = new Together({
      video,
      player: video,
      sync: viewer.sync,
      clock: this.room.clock,
      isHost: false,
      doesWait: () => viewer.rules?.doesWait ?? false,
      isAlone: () => this.#count === 1,
      watchingCount: () => this.#count,
      isAtEdge: () => false,
      isVisible: () => true,
      isOnOwn: false,
      onChange: () => undefined,
      ...change,
    });
    await this.room.clock.run(1_000);
    video.start(together.placeToBegin());
    await this.room.clock.run(1_000);
    return { viewer, video, together };
  }

  run(forMs: number): Promise<void> {
    return this.room.clock.run(forMs);
  }
}

/** The greatest distance between any two films, milliseconds. */
function apartMs(watchers: readonly Watcher[]): number {
  const places = watchers.map(({ video }) => video.currentTime * 1000);
  return Math.max(...places) - Math.min(...places);
}

const films = suite('films of one room');

films('should go together, whoever came when', async () => {
  const cinema = await Cinema.open();
  const all = [await cinema.enter()];
  await cinema.run(30_000);
  all.push(await cinema.enter());
  await cinema.run(20_000);
  all.push(await cinema.enter());
  await cinema.run(5_000);
  assert.ok(apartMs(all) < 60, `${apartMs(all)} ms`);
  for (const { together } of all) assert.ok(Math.abs(together.skewMs ?? 1e9) < 60);
  assert.is(all[0]?.video.seekCount, 0, 'who was first never jumped');
  assert.ok((all[2]?.video.seekCount ?? 9) <= 1);
});

films('should stop and go on with each other, at the same picture', async () => {
  const cinema = await Cinema.open();
  const all = [await cinema.enter(), await cinema.enter(), await cinema.enter()];
  await cinema.run(5_000);
  all[1]?.video.pause();
  await cinema.run(1_000);
  for (const { video } of all) assert.ok(video.paused);
  assert.ok(apartMs(all) < 20);
  await all[2]?.video.play();
  await cinema.run(600);
  for (const { video } of all) assert.not.ok(video.paused);
  await cinema.run(1_000);
  assert.ok(apartMs(all) < 60, `${apartMs(all)} ms`);
});

films('should go where one of them goes, within a second, and no farther', async () => {
  const cinema = await Cinema.open();
  const all = [await cinema.enter(), await cinema.enter(), await cinema.enter()];
  await cinema.run(5_000);
  const [first] = all as [Watcher];
  first.video.currentTime = 200;
  await cinema.run(1_500);
  assert.ok(apartMs(all) < 60, `${apartMs(all)} ms`);
  assert.ok(first.video.currentTime > 200 && first.video.currentTime < 202);
  const seeks = all.map(({ video }) => video.seekCount);
  await cinema.run(60_000);
  assert.equal(
    all.map(({ video }) => video.seekCount),
    seeks,
    'no jump follows from one',
  );
});

films('should follow the hand that drags along the timeline, and end where it ends', async () => {
  const cinema = await Cinema.open();
  const all = [await cinema.enter(), await cinema.enter()];
  await cinema.run(5_000);
  for (let placeS = 100; placeS <= 160; placeS += 1) {
    if (all[0]) all[0].video.currentTime = placeS;
    await cinema.run(20);
  }
  await cinema.run(2_000);
  assert.ok(apartMs(all) < 60, `${apartMs(all)} ms`);
  assert.ok(Math.abs((all[1]?.video.currentTime ?? 0) - 161.5) < 1, String(all[1]?.video.currentTime));
  assert.ok((all[1]?.video.seekCount ?? 99) < 10, 'the others are not dragged to every place');
});

films('should have one speed', async () => {
  const cinema = await Cinema.open();
  const all = [await cinema.enter(), await cinema.enter()];
  await cinema.run(3_000);
  if (all[1]) all[1].video.playbackRate = 1.5;
  await cinema.run(5_000);
  for (const { video } of all) assert.ok(Math.abs(video.playbackRate - 1.5) < 0.08);
  assert.ok(apartMs(all) < 60, `${apartMs(all)} ms`);
});

films('should leave who watches on their own alone, and have them back', async () => {
  const cinema = await Cinema.open();
  const [ann, ben] = [await cinema.enter(), await cinema.enter()];
  await cinema.run(5_000);
  ben.together.stepOut();
  ben.video.currentTime = 100;
  await cinema.run(1_000);
  ben.video.pause();
  await cinema.run(1_000);
  assert.not.ok(ann.video.paused);
  assert.ok(ann.video.currentTime < 20);
  assert.is(ben.together.skewMs, null);
  ben.together.stepIn();
  await cinema.run(2_000);
  assert.not.ok(ben.video.paused);
  assert.ok(apartMs([ann, ben]) < 60, `${apartMs([ann, ben])} ms`);
});

films('should be the host’s alone where it says so: others who touch them are on their own', async () => {
  const cinema = await Cinema.open();
  const [ann, ben] = [await cinema.enter(), await cinema.enter()];
  const { room } = cinema;
  await room.origin.obey(
    await signRules(room.crypto, room.hostKey, { ...NO_RULES, number: 1, control: 'host' }),
  );
  await cinema.run(1_000);
  // No host ever spoke here: then anybody may.
  assert.ok(ben.viewer.sync.mayControl);
  Object.defineProperty(ben.viewer.sync, 'mayControl', { get: () => false });
  ben.video.pause();
  await cinema.run(1_000);
  assert.ok(ben.together.isOnOwn);
  assert.ok(ben.video.paused);
  assert.not.ok(ann.video.paused);
});

films('should not stop for everybody where a browser stops one that is not to be seen', async () => {
  const cinema = await Cinema.open();
  let isVisible = true;
  const [ann, ben] = [await cinema.enter(), await cinema.enter({ isVisible: () => isVisible })];
  await cinema.run(3_000);
  isVisible = false;
  ben.video.pause();
  await cinema.run(20_000);
  assert.not.ok(ann.video.paused);
  assert.ok(ben.video.paused, 'nor is it made to go on');
  isVisible = true;
  ben.together.shown();
  await cinema.run(2_000);
  assert.ok(apartMs([ann, ben]) < 60, `${apartMs([ann, ben])} ms`);
});

films(
  'should not stop for everybody where a browser does not start one, and take it along by a click',
  async () => {
    const cinema = await Cinema.open();
    const [ann, ben] = [await cinema.enter(), await cinema.enter({}, true)];
    await cinema.run(20_000);
    assert.not.ok(ann.video.paused);
    assert.ok(ben.video.paused);
    ben.video.isPlayRefused = false;
    ben.together.play();
    await cinema.run(2_000);
    assert.not.ok(ben.video.paused);
    assert.ok(apartMs([ann, ben]) < 60, `${apartMs([ann, ben])} ms`);
    assert.ok(ann.video.currentTime > 20, 'the room did not go back for it');
  },
);

films(
  'should begin anew where all was seen and nobody else is there, and else only for oneself',
  async () => {
    for (const isAlone of [true, false]) {
      const cinema = await Cinema.open();
      const ann = await cinema.enter();
      ann.video.currentTime = DURATION_S - 1;
      await cinema.run(10_000);
      assert.ok(ann.video.ended);
      const ben = await cinema.enter({ isAlone: () => isAlone });
      await cinema.run(2_000);
      assert.ok(ben.video.currentTime > 1 && ben.video.currentTime < 10, String(ben.video.currentTime));
      assert.is(ben.together.isOnOwn, !isAlone);
      assert.is(ann.video.ended, !isAlone);
    }
  },
);

for (const [what, change, isHeldUp] of [
  ['alone', {}, true],
  ['at the end of what is uploaded', { isAlone: () => false, isAtEdge: () => true }, true],
  ['while others go on', { isAlone: () => false }, false],
] as const) {
  films(
    `should leave out ${isHeldUp ? 'nothing' : 'what the room has passed'} where one stood still ${what}`,
    async () => {
      const cinema = await Cinema.open();
      const { video, together } = await cinema.enter(change);
      await cinema.run(5_000);
      const beforeS = video.currentTime;
      video.stall(4_000);
      await cinema.run(10_000);
      const playedS = video.currentTime - beforeS;
      const expectedS = isHeldUp ? 6 : 10;
      assert.ok(Math.abs(playedS - expectedS) < 0.3, `${playedS} s`);
      assert.ok(Math.abs(together.skewMs ?? 1e9) < 60);
      assert.is(video.seekCount, isHeldUp ? 0 : 1);
    },
  );
}

films('should leave out nothing where one alone plays slower for want of more', async () => {
  const cinema = await Cinema.open();
  const { video, together } = await cinema.enter();
  await cinema.run(5_000);
  const beforeS = video.currentTime;
  video.aheadS = 1;
  await cinema.run(5_000);
  assert.is(video.playbackRate, 0.8);
  assert.ok(Math.abs(video.currentTime - beforeS - 4) < 0.3, `${video.currentTime - beforeS} s`);
  video.aheadS = 60;
  await cinema.run(5_000);
  assert.ok(Math.abs(video.currentTime - beforeS - 9) < 0.3, `${video.currentTime - beforeS} s`);
  assert.ok(Math.abs(together.skewMs ?? 1e9) < 60, `${together.skewMs} ms`);
  assert.is(video.seekCount, 0);
});

films(
  'should be with the others again where one of them played slower, and at its own speed on its own',
  async () => {
    const cinema = await Cinema.open();
    const [ann, ben] = [await cinema.enter(), await cinema.enter()];
    await cinema.run(5_000);
    ben.video.aheadS = 1;
    await cinema.run(3_000);
    assert.is(ben.video.playbackRate, 0.8);
    ben.video.aheadS = 60;
    await cinema.run(10_000);
    assert.ok(apartMs([ann, ben]) < 60, `${apartMs([ann, ben])} ms`);
    ben.video.aheadS = 1;
    await cinema.run(3_000);
    ben.together.stepOut();
    assert.is(ben.video.playbackRate, 1);
    await cinema.run(3_000);
    assert.is(ben.video.playbackRate, 1);
    assert.not.ok(ann.video.paused);
  },
);

films('should be waited for by the host’s page where it wants that, and go on together', async () => {
  const cinema = await Cinema.open();
  const { room } = cinema;
  await room.origin.obey(
    await signRules(room.crypto, room.hostKey, { ...NO_RULES, number: 1, doesWait: true }),
  );
  const ann = await cinema.enter({ isHost: true });
  const ben = await cinema.enter();
  await cinema.run(3_000);
  ben.video.stall(6_000);
  await cinema.run(2_000);
  for (const { video } of [ann, ben]) assert.ok(video.paused);
  assert.is(ann.viewer.sync.playback?.waitsFor, ben.viewer.name);
  await cinema.run(3_000);
  for (const { video } of [ann, ben])
    assert.ok(video.paused, 'until it has enough, not only until it stands by order');
  await cinema.run(3_000);
  for (const { video } of [ann, ben]) assert.not.ok(video.paused);
  assert.ok(apartMs([ann, ben]) < 60, `${apartMs([ann, ben])} ms`);
});

films('should stop a small room where most of them have no pieces, and nobody misses anything', async () => {
  const cinema = await Cinema.open();
  const all = [await cinema.enter(), await cinema.enter(), await cinema.enter()];
  const [ann, ben, eve] = all as [Watcher, Watcher, Watcher];
  await cinema.run(5_000);
  const seeks = all.map(({ video }) => video.seekCount);
  const placeS = ben.video.currentTime;
  ben.video.stall(8_000);
  eve.video.stall(6_000);
  await cinema.run(4_000);
  for (const { video } of all) assert.ok(video.paused);
  assert.ok(Math.abs(ann.video.currentTime - placeS) < 1, 'who had pieces comes back to the others');
  await cinema.run(8_000);
  for (const { video } of all) assert.not.ok(video.paused);
  assert.ok(apartMs(all) < 60, `${apartMs(all)} ms`);
  assert.ok(Math.abs(ann.video.currentTime - placeS - 3) < 1.5, `${ann.video.currentTime - placeS} s later`);
  assert.ok(all.every(({ video }, i) => video.seekCount <= (seeks[i] ?? 0) + 2));
});

films('should go on once those it waited for have little more than the next pictures', async () => {
  const cinema = await Cinema.open();
  const all = [await cinema.enter(), await cinema.enter(), await cinema.enter()];
  const has = (aheadS: number): void => {
    for (const { video } of all) video.aheadS = aheadS;
  };
  await cinema.run(5_000);
  has(0);
  for (const { video } of all) video.stall(1_000);
  await cinema.run(2_000);
  for (const { video } of all) assert.ok(video.paused);
  has(1);
  await cinema.run(2_000);
  for (const { video } of all) assert.ok(video.paused, 'it would stand still again at once');
  has(2);
  await cinema.run(2_000);
  for (const { video } of all) assert.not.ok(video.paused);
});

films('should not be stopped by one of many', async () => {
  const cinema = await Cinema.open();
  const all = [await cinema.enter(), await cinema.enter(), await cinema.enter()];
  await cinema.run(5_000);
  all[1]?.video.stall(6_000);
  for (let i = 0; i < 8; i++) {
    await cinema.run(1_000);
    assert.not.ok(all[0]?.video.paused);
  }
});

films('should go on without whoever made it wait and left', async () => {
  const cinema = await Cinema.open();
  const all = [await cinema.enter(), await cinema.enter(), await cinema.enter()];
  await cinema.run(5_000);
  for (const { video } of all) video.stall(3_000);
  await cinema.run(2_000);
  const author = all.find(({ viewer }) => viewer.sync.playback?.from === viewer.sync.selfId);
  assert.ok(author && all[0]?.viewer.sync.playback?.waitsFor);
  author?.together.close();
  const others = all.filter((watcher) => watcher !== author);
  await cinema.run(30_000);
  for (const { video } of others) assert.not.ok(video.paused);
});

films.run();
