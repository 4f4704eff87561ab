import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { NO_RULES, signRules } from '../../peer/manifest/rules.ts';
import { signBadge } from '../../peer/room/badge.ts';
import type { Viewer } from '../../peer/room/viewer.ts';
import { sealPlayback } from '../../peer/sync/playback.ts';
import { encodeFrame } from '../../peer/wire/frame.ts';
import { VirtualRoom } from '../sim/virtual-room.ts';
import { BarePeer, madeUpId } from '../tools/bare-peer.ts';
import { memberIdOfKey, memberKey } from '../tools/member-keys.ts';

const FILM = { segmentCount: 30, segmentMs: 2_000, segmentBytes: 2_000 };
const PLAYING = { placeMs: 10_000, isPlaying: true, speedPercent: 100 };

/** A room whose viewers follow its time, each as far from the origin as it is told. */
async function follow(room: VirtualRoom, delaysMs: readonly number[]): Promise<Viewer[]> {
  const viewers = delaysMs.map((delayMs, i) => {
    const viewer = room.viewer();
    viewer.sync.follow();
    room.connectOrigin(viewer, i + 1, { delayMs });
    return viewer;
  });
  await room.clock.run(2_000);
  return viewers;
}

const times = suite('the room’s time');

times('should be the origin’s, over short lines and long ones', async () => {
  const room = await VirtualRoom.open(FILM);
  for (const { sync } of await follow(room, [1, 40, 300])) {
    assert.ok(sync.isTold);
    const wrongMs = Math.abs(sync.nowMs() - room.clock.wallMs());
    assert.ok(wrongMs <= Math.min(5, sync.errorMs), `${wrongMs} ms`);
  }
});

times(
  'should be learnt from a member where the origin cannot be reached, and outlive the origin',
  async () => {
    const room = await VirtualRoom.open(FILM);
    const [near] = (await follow(room, [20])) as [Viewer];
    const far = room.viewer();
    far.sync.follow();
    room.connectViewers(near, 1, far, 2);
    await room.clock.run(1_000);
    room.origin.close('CLOSED');
    await room.clock.run(60_000);
    for (const { sync } of [near, far]) assert.ok(Math.abs(sync.nowMs() - room.clock.wallMs()) < 10);
  },
);

times('should not be asked for by a peer that follows nothing', async () => {
  const room = await VirtualRoom.open(FILM);
  const viewer = room.viewer();
  const names: string[] = [];
  new BarePeer({ room, target: viewer, id: madeUpId(1), onMessage: ({ name }) => names.push(name) });
  await room.clock.run(30_000);
  assert.not.ok(names.includes('askTime'));
  assert.not.ok(names.includes('time'));
  viewer.close();
});

times.run();

const words = suite('what is said of where the room is');

words(
  'should hold at once where it is said, and reach members who are not connected to its author',
  async () => {
    const room = await VirtualRoom.open(FILM);
    const [ann, ben] = (await follow(room, [20, 20])) as [Viewer, Viewer];
    ann.sync.wish(PLAYING);
    assert.is(ann.sync.playback?.placeMs, 10_000);
    await room.clock.run(200);
    assert.equal(
      ben.sync.playback && { ...ben.sync.playback },
      ann.sync.playback && { ...ann.sync.playback },
    );
    assert.is(ben.sync.playback?.from, ann.sync.playback?.from);
  },
);

words('should go on once to each who did not bring it, and not back to who did', async () => {
  const room = await VirtualRoom.open(FILM);
  const counts = [0, 0, 0];
  const peers = counts.map((_, i) => {
    const onMessage = ({ name }: { name: string }): void => {
      if (name === 'playback') counts[i] = (counts[i] ?? 0) + 1;
    };
    return new BarePeer({ room, target: room.origin, id: madeUpId(i + 1), onMessage });
  });
  await room.clock.run(500);
  for (const peer of peers.slice(0, 2)) {
    peer.send('playback', { sealed: new Uint8Array(100).fill(7) });
    await room.clock.run(500);
  }
  assert.equal(counts, [0, 1, 1]);
  for (const peer of peers) peer.close();
});

words('should be told to who comes late, by the origin alone and by a member alone', async () => {
  const room = await VirtualRoom.open(FILM);
  const [ann] = (await follow(room, [20])) as [Viewer];
  ann.sync.wish(PLAYING);
  await room.clock.run(200);
  const [late, later] = [room.viewer(), room.viewer()];
  room.connectOrigin(late, 2);
  room.connectViewers(ann, 1, later, 3);
  await room.clock.run(1_000);
  for (const { sync } of [late, later]) assert.is(sync.playback?.placeMs, 10_000);
});

words('should be forgotten by an origin whose members have all gone for a minute, not sooner', async () => {
  const room = await VirtualRoom.open(FILM);
  const comeAndGo = async (index: number): Promise<number | undefined> => {
    const viewer = room.viewer();
    room.connectOrigin(viewer, index);
    await room.clock.run(1_000);
    const placeMs = viewer.sync.playback?.placeMs;
    viewer.close();
    return placeMs;
  };
  const [ann] = (await follow(room, [20])) as [Viewer];
  ann.sync.wish(PLAYING);
  await room.clock.run(200);
  ann.close();
  await room.clock.run(55_000);
  assert.is(await comeAndGo(2), 10_000);
  await room.clock.run(55_000);
  assert.is(await comeAndGo(3), 10_000);
  await room.clock.run(61_000);
  assert.is(await comeAndGo(4), undefined);
});

words('should be one and the same for all after two wish at once', async () => {
  const room = await VirtualRoom.open(FILM);
  const viewers = await follow(room, [20, 80, 150]);
  viewers[0]?.sync.wish(PLAYING);
  viewers[2]?.sync.wish({ ...PLAYING, placeMs: 30_000, isPlaying: false });
  await room.clock.run(1_000);
  const places = viewers.map(({ sync }) => sync.playback?.placeMs);
  assert.is(new Set(places).size, 1, places.join());
  viewers[1]?.sync.wish({ ...PLAYING, placeMs: 5_000 });
  await room.clock.run(1_000);
  for (const { sync } of viewers) assert.is(sync.playback?.placeMs, 5_000);
});

words('should not be taken for later than all can have said, nor passed on', async () => {
  const room = await VirtualRoom.open(FILM);
  const [ann] = (await follow(room, [20])) as [Viewer];
  ann.sync.wish(PLAYING);
  const said = ann.sync.playback;
  assert.ok(said);
  const passed: string[] = [];
  new BarePeer({ room, target: ann, id: madeUpId(8), onMessage: ({ name }) => passed.push(name) });
  const peer = new BarePeer({ room, target: ann, id: madeUpId(9) });
  await room.clock.run(200);
  const before = passed.length;
  const { from: _, isHost: __, key: ___, ...body } = said ?? ({} as never);
  const atMs = room.clock.wallMs() + 3_600_000;
  const chatRoom = { crypto: room.crypto, chatKey: room.chatKey, roomId: room.roomId };
  const author = { key: memberKey(9), badge: null };
  const sealed = await sealPlayback(chatRoom, author, { ...body, atMs, wishedMs: atMs, placeMs: 1 });
  peer.send('playback', { sealed });
  await room.clock.run(500);
  assert.is(ann.sync.playback?.placeMs, 10_000);
  assert.is(passed.slice(before).filter((name) => name === 'playback').length, 0);
  assert.is(peer.goodbye, null);
});

words('should part whoever brings none, and not the origin', async () => {
  const room = await VirtualRoom.open(FILM);
  for (const [kind, expected] of [
    ['member', 'SEAL_BROKEN'],
    ['origin', null],
  ] as const) {
    const viewer = room.viewer();
    const peer = new BarePeer({ room, target: viewer, id: madeUpId(1), kind });
    await room.clock.run(100);
    for (const name of ['playback', 'stall'] as const)
      peer.strike(encodeFrame(name, { sealed: new Uint8Array(200) }));
    await room.clock.run(100);
    assert.is(peer.goodbye, expected);
    viewer.close();
  }
});

words(
  'should be the host’s alone where it wants that, everybody’s once it is silent, and its own again',
  async () => {
    const room = await VirtualRoom.open(FILM);
    const device = memberKey(50);
    const badge = await signBadge(room.crypto, room.hostKey, device.publicKey, 1);
    const host = room.viewer({ memberKey: device, selfId: memberIdOfKey(device), badge });
    const guest = room.viewer();
    for (const viewer of [host, guest]) viewer.sync.follow();
    const connect = (): void => {
      const [mine, theirs] = room.line();
      host.connect(mine, { id: 'origin', kind: 'origin' });
      room.origin.connect(theirs, { id: memberIdOfKey(device), kind: 'member' });
    };
    connect();
    room.connectOrigin(guest, 2);
    const wishes = { ...NO_RULES, number: 1, control: 'host' as const };
    await room.origin.obey(await signRules(room.crypto, room.hostKey, wishes));
    await room.clock.run(2_000);
    host.sync.wish(PLAYING);
    await room.clock.run(25_000);
    assert.not.ok(guest.sync.mayControl, 'the host says again and again that it is there');
    guest.sync.wish({ ...PLAYING, placeMs: 1 });
    await room.clock.run(1_000);
    assert.is(host.sync.playback?.from, memberIdOfKey(device), 'a guest’s word does not count');
    assert.ok(host.sync.mayControl);

    for (const link of [...host.links]) link.close('LEFT');
    await room.clock.run(41_000);
    assert.ok(guest.sync.mayControl);
    guest.sync.wish({ ...PLAYING, placeMs: 7_000, isPlaying: false });
    assert.is(guest.sync.playback?.placeMs, 7_000);

    connect();
    await room.clock.run(15_000);
    assert.not.ok(guest.sync.mayControl, 'the host is back');
    for (const { sync } of [host, guest]) {
      assert.is(sync.playback?.placeMs, 7_000, 'where the others went meanwhile');
      assert.is(sync.playback?.isHost, true);
    }
  },
);

words('should tell whose film stands still, for as long as it does', async () => {
  const room = await VirtualRoom.open(FILM);
  const [ann, ben] = (await follow(room, [20, 20])) as [Viewer, Viewer];
  await ann.sync.sayStalled(true);
  await room.clock.run(500);
  assert.equal(
    ben.sync.stalled.map(({ from, name }) => [from, name]),
    [[memberIdOfKey(memberKey(1)), 'viewer 1']],
  );
  await ann.sync.sayStalled(false);
  await room.clock.run(500);
  assert.equal(ben.sync.stalled, []);
});

words.run();
