import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { toBase64url } from '../../peer/bytes.ts';
import type { Viewer } from '../../peer/room/viewer.ts';
import { allocatePieceFrame, decodeFrame, encodeFrame } from '../../peer/wire/frame.ts';
import { WIRE_VERSION } from '../../peer/wire/messages.ts';
import type { VirtualChannel } from '../sim/virtual-channel.ts';
import { memberId, VirtualRoom } from '../sim/virtual-room.ts';

const FILM = { segmentCount: 20, segmentMs: 2_000, segmentBytes: 400_000 };
const lastSegment = FILM.segmentCount;

/** Plays as a player would: the playhead moves in real time, and waits where its segment is not there. */
function play(room: VirtualRoom, viewer: Viewer): void {
  let atMs = 0;
  const step = (): void => {
    viewer.setPlayhead(atMs);
    const segment = Math.min(lastSegment, 1 + Math.floor(atMs / FILM.segmentMs));
    if (room.holds(viewer, segment, segment)) atMs += 250;
    if (atMs < FILM.segmentCount * FILM.segmentMs) room.clock.after(250, step);
  };
  step();
}

const swarm = suite('swarm');

swarm('should bring the whole film from the origin to one viewer', async () => {
  const room = await VirtualRoom.open(FILM);
  const viewer = room.viewer();
  room.connectOrigin(viewer, 1);
  play(room, viewer);
  assert.ok(await room.clock.runUntil(() => room.holds(viewer, 0, lastSegment), 40_000));
  assert.equal(viewer.traffic().fromOriginBytes, room.filmBytes, 'each piece was sent once');
  assert.equal(await viewer.readPiece(3, 1), room.plaintexts[3]?.subarray(16_384, 32_768));
  viewer.close();
});

swarm('should cost the origin about one copy when two viewers watch together', async () => {
  const room = await VirtualRoom.open(FILM, 1, 300_000);
  const viewers = [room.viewer(), room.viewer()] as const;
  viewers.forEach((viewer, i) => {
    room.connectOrigin(viewer, i + 1);
    play(room, viewer);
  });
  room.connectViewers(viewers[0], 1, viewers[1], 2);
  const isDone = (): boolean => viewers.every((viewer) => room.holds(viewer, 0, lastSegment));
  assert.ok(await room.clock.runUntil(isDone, 60_000));
  const originBytes = viewers.reduce((sum, viewer) => sum + viewer.traffic().fromOriginBytes, 0);
  assert.ok(originBytes < 1.3 * room.filmBytes, `the origin sent ${originBytes} of ${room.filmBytes}`);
  for (const viewer of viewers) viewer.close();
});

swarm('should go on from peers alone when the origin is gone', async () => {
  const room = await VirtualRoom.open({ ...FILM, segmentCount: 5 });
  const [a, b] = [room.viewer(), room.viewer()];
  for (const viewer of [a, b]) viewer.setUploadLimit(20_000);
  const lines = [room.connectOrigin(a, 1), room.connectOrigin(b, 2)];
  room.connectViewers(a, 1, b, 2);
  const isAllOut = (): boolean => room.holdTogether([a, b], 0, 5);
  assert.ok(await room.clock.runUntil(isAllOut, 10_000), 'together they hold all');
  assert.not(room.holds(a, 0, 5) || room.holds(b, 0, 5), 'each holds a part');
  for (const line of lines) line.vanish();
  for (const viewer of [a, b]) viewer.setUploadLimit(null);
  assert.ok(await room.clock.runUntil(() => room.holds(a, 0, 5) && room.holds(b, 0, 5), 40_000));
  assert.ok(a.traffic().fromPeersBytes > 0.25 * room.filmBytes);
  a.close();
  b.close();
});

swarm('should never serve beyond its upload limit', async () => {
  const room = await VirtualRoom.open(FILM);
  const [a, b] = [room.viewer(), room.viewer()];
  room.connectOrigin(a, 1);
  await room.clock.runUntil(() => room.holds(a, 0, lastSegment), 60_000);
  a.setUploadLimit(50_000);
  room.connectViewers(a, 1, b, 2);
  await room.clock.run(10_000);
  const sentBytes = a.traffic().sentBytes;
  assert.ok(sentBytes > 300_000, `it serves: ${sentBytes}`);
  assert.ok(sentBytes <= 10 * 50_000 + 2 * 65_536, `within the limit: ${sentBytes}`);
  a.close();
  b.close();
});

swarm('should drop a peer that sends wrong pieces and play on from the others', async () => {
  const room = await VirtualRoom.open(FILM);
  const closed: string[] = [];
  const viewer = room.viewer({ onLinkClosed: (remote, code) => closed.push(`${remote.id} ${code}`) });
  const [mine, theirs] = room.line();
  viewer.connect(mine, { id: memberId(9), kind: 'member' });
  theirs.listen({
    onFrame: (frame) => {
      const { name, body } = decodeFrame(frame);
      if (name !== 'request') return;
      for (const piece of body.pieces) theirs.send(allocatePieceFrame(body.segment, piece, 16_384));
    },
    onClose: () => undefined,
  });
  theirs.send(encodeFrame('hello', { v: WIRE_VERSION, role: 'member', card: null }));
  theirs.send(encodeFrame('have', { whole: [[0, FILM.segmentCount + 1]], parts: [] }));
  room.connectOrigin(viewer, 1);
  play(room, viewer);
  assert.ok(await room.clock.runUntil(() => room.holds(viewer, 0, lastSegment), 60_000));
  assert.equal(closed, [`${memberId(9)} PIECE_WRONG`]);
  assert.is(viewer.rejectedPieces, 1);
  assert.ok(viewer.isBanned(memberId(9)));
  viewer.close();
});

swarm('should tell the origin, and nobody else, who sent a wrong piece', async () => {
  const room = await VirtualRoom.open(FILM);
  const viewer = room.viewer();
  const told: string[] = [];
  const meet = (id: string, kind: 'origin' | 'member'): VirtualChannel => {
    const [mine, theirs] = room.line();
    viewer.connect(mine, { id, kind });
    theirs.listen({
      onFrame: (frame) => {
        const { name, body } = decodeFrame(frame);
        if (name === 'lied') told.push(`${kind} of ${toBase64url(body.member)}`);
        if (name === 'request' && id === memberId(9))
          for (const piece of body.pieces) theirs.send(allocatePieceFrame(body.segment, piece, 16_384));
      },
      onClose: () => undefined,
    });
    theirs.send(encodeFrame('hello', { v: WIRE_VERSION, role: kind, card: null }));
    return theirs;
  };
  // The real origin brings the manifest; then one that only listens takes its place.
  room.connectOrigin(viewer, 1);
  assert.ok(await room.clock.runUntil(() => viewer.manifest.entry(5) !== null, 5_000));
  meet('origin', 'origin');
  meet(memberId(8), 'member');
  meet(memberId(9), 'member').send(encodeFrame('have', { whole: [[0, FILM.segmentCount + 1]], parts: [] }));
  assert.ok(await room.clock.runUntil(() => viewer.isBanned(memberId(9)), 10_000));
  await room.clock.run(1_000);
  assert.equal(told, [`origin of ${memberId(9)}`]);
  viewer.close();
});

swarm('should rely little on a peer before it has sent a right piece', async () => {
  const room = await VirtualRoom.open(FILM, 1, 1);
  const viewer = room.viewer();
  const [mine, theirs] = room.line();
  viewer.connect(mine, { id: memberId(9), kind: 'member' });
  const asked: [number, number][] = [];
  theirs.listen({
    onFrame: (frame) => {
      const { name, body } = decodeFrame(frame);
      if (name === 'request') for (const piece of body.pieces) asked.push([body.segment, piece]);
    },
    onClose: () => undefined,
  });
  theirs.send(encodeFrame('hello', { v: WIRE_VERSION, role: 'member', card: null }));
  const [fromViewer, toViewer] = room.line();
  viewer.connect(fromViewer, { id: 'origin', kind: 'origin' });
  const { envelope, head } = room.origin.manifest;
  toViewer.send(encodeFrame('hello', { v: WIRE_VERSION, role: 'origin', card: null }));
  toViewer.send(encodeFrame('head', { envelope: envelope ?? new Uint8Array() }));
  for (const { hash } of head?.pages ?? [])
    toViewer.send(encodeFrame('page', { bytes: room.origin.manifest.pageBytes(hash) ?? new Uint8Array() }));
  toViewer.send(encodeFrame('have', { whole: [[10, 2]], parts: [] }));
  await room.clock.run(500);
  theirs.send(encodeFrame('have', { whole: [[10, 2]], parts: [] }));
  await room.clock.run(400);
  assert.is(asked.length, 2);
  const [segment, piece] = asked[0] ?? [0, 0];
  const right = room.segments[segment]?.subarray(piece * 16_384, (piece + 1) * 16_384) ?? new Uint8Array();
  const frame = allocatePieceFrame(segment, piece, right.byteLength);
  frame.set(right, frame.byteLength - right.byteLength);
  theirs.send(frame);
  await room.clock.run(400);
  assert.ok(asked.length > 3, `${asked.length} asked of one that has sent a right piece`);
  viewer.close();
});

swarm('should ask elsewhere when a peer has gone silent', async () => {
  const room = await VirtualRoom.open(FILM);
  const viewer = room.viewer();
  const [mine, theirs] = room.line();
  viewer.connect(mine, { id: memberId(9), kind: 'member' });
  theirs.send(encodeFrame('hello', { v: WIRE_VERSION, role: 'member', card: null }));
  theirs.send(encodeFrame('have', { whole: [[0, FILM.segmentCount + 1]], parts: [] }));
  room.connectOrigin(viewer, 1);
  play(room, viewer);
  assert.ok(await room.clock.runUntil(() => room.holds(viewer, 0, lastSegment), 60_000));
  viewer.close();
});

swarm('should fetch the window at the new place after a seek, the nearest first', async () => {
  const film = { ...FILM, segmentCount: 100 };
  const room = await VirtualRoom.open(film, 1, 400_000);
  const viewer = room.viewer();
  room.connectOrigin(viewer, 1);
  await room.clock.run(2_000);
  viewer.setPlayhead(150_000);
  assert.ok(await room.clock.runUntil(() => room.holds(viewer, 76, 76), 4_000));
  assert.not(room.holds(viewer, 0, 60), 'what was skipped is not fetched');
  viewer.close();
});

swarm('should keep what it holds within its memory, the surroundings of the playhead first', async () => {
  const room = await VirtualRoom.open(FILM);
  const viewer = room.viewer({ memoryBytes: 4_000_000 });
  room.connectOrigin(viewer, 1);
  viewer.setPlayhead(0);
  await room.clock.run(5_000);
  viewer.setPlayhead(30_000);
  assert.ok(await room.clock.runUntil(() => room.holds(viewer, 16, 18), 20_000));
  const heldBytes = [...Array(21).keys()].filter((s) => room.holds(viewer, s, s)).length * FILM.segmentBytes;
  assert.ok(heldBytes <= 4_400_000, `${heldBytes} held`);
  viewer.close();
});

swarm(
  'should tell what is to be had of what is listed, as long as there is an origin to know it from',
  async () => {
    const room = await VirtualRoom.open({ ...FILM, segmentCount: 6, onTheirWay: [5, 6] });
    const viewer = room.viewer();
    assert.is(viewer.isToBeHad(1), null, 'nothing is known');
    const line = room.connectOrigin(viewer, 1);
    assert.ok(await room.clock.runUntil(() => viewer.isToBeHad(6) !== null, 5_000));
    const known = [0, 1, 4, 5, 6, 7].map((segment) => viewer.isToBeHad(segment));
    assert.equal(known, [true, true, true, false, false, null]);
    assert.ok(await room.clock.runUntil(() => room.holds(viewer, 0, 4), 10_000));
    line.close();
    await room.clock.run(100);
    assert.is(viewer.isToBeHad(5), null);
    viewer.close();
  },
);

swarm('should leave no timer behind', async () => {
  const room = await VirtualRoom.open(FILM);
  const [a, b] = [room.viewer(), room.viewer()];
  room.connectOrigin(a, 1);
  room.connectViewers(a, 1, b, 2);
  await room.clock.run(3_000);
  a.close();
  b.close();
  room.origin.close('CLOSED');
  await room.clock.run(60_000);
  assert.is(room.clock.pendingTimers, 0);
});

swarm.run();

const chat = suite('chat');

chat('should reach members who are not connected to the author, and late joiners', async () => {
  const room = await VirtualRoom.open(FILM);
  const [a, b, c] = [room.viewer(), room.viewer(), room.viewer()];
  room.connectViewers(a, 1, b, 2);
  room.connectViewers(b, 2, c, 3);
  await room.clock.run(500);
  await a.say('hello');
  await room.clock.run(1_000);
  assert.equal(
    c.lines.map(({ text, name, from }) => ({ text, name, from })),
    [{ text: 'hello', name: 'viewer 1', from: memberId(1) }],
  );
  const late = room.viewer();
  room.connectOrigin(b, 2);
  room.connectOrigin(late, 4);
  await room.clock.run(2_000);
  assert.equal(
    late.lines.map((line) => line.text),
    ['hello'],
    'by way of the origin, which cannot read it',
  );
  for (const viewer of [a, b, c, late]) viewer.close();
});

chat('should show each line once however many ways it comes', async () => {
  const room = await VirtualRoom.open(FILM);
  const viewers = [room.viewer(), room.viewer(), room.viewer()] as const;
  room.connectViewers(viewers[0], 1, viewers[1], 2);
  room.connectViewers(viewers[1], 2, viewers[2], 3);
  room.connectViewers(viewers[0], 1, viewers[2], 3);
  await room.clock.run(500);
  for (let i = 0; i < 5; i++) await viewers[i % 3 === 0 ? 0 : 1].say(`line ${i}`);
  await room.clock.run(1_000);
  for (const viewer of viewers) assert.is(viewer.lines.length, 5);
  for (const viewer of viewers) viewer.close();
});

chat('should drop a peer that sends lines sealed with another key', async () => {
  const room = await VirtualRoom.open(FILM);
  const closed: string[] = [];
  const viewer = room.viewer({ onLinkClosed: (_, code) => closed.push(code) });
  const [mine, theirs] = room.line();
  viewer.connect(mine, { id: memberId(9), kind: 'member' });
  theirs.send(encodeFrame('hello', { v: WIRE_VERSION, role: 'member', card: null }));
  theirs.send(encodeFrame('chat', { sealed: new Uint8Array(100) }));
  await room.clock.run(1_000);
  assert.is(viewer.lines.length, 0);
  assert.equal(closed, ['SEAL_BROKEN']);
  viewer.close();
});

chat.run();
