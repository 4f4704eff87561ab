import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { filmStrip, wholeOf } from '../../web/src/room/film-strip.ts';
import { whoIsHere } from '../../web/src/room/people.ts';
import { overlayOf } from '../../web/src/room/stage-view.ts';
import { swarmLayout } from '../../web/src/room/swarm-layout.ts';
import { trafficOf } from '../../web/src/room/traffic.ts';
import { limitBytesPerSec, UPLOAD_LIMITS_MBIT } from '../../web/src/room/upload-limits.ts';
import type { PeerView, RoomSnapshot, Stats } from '../../web/src/room-session.ts';

const NO_STATS: Stats = {
  bytesReceived: { origin: 0, peers: 0, http: 0 },
  bytesSent: 0,
  connectedPeers: 0,
  isOriginConnected: false,
  connection: 'none',
  startupMs: null,
  stallCount: 0,
  stallMs: 0,
  bufferedS: 0,
  syncSkewMs: null,
  rejectedPieces: 0,
  malformedExtras: 0,
  rejectedSignals: 0,
  heldBytes: { memory: 0, disk: 0 },
  diskError: null,
};

const OPENED: RoomSnapshot = {
  signaling: 'connecting',
  problem: null,
  video: null,
  isPlayRefused: false,
  isWaiting: true,
  peers: [],
  chat: [],
  timeMarks: [],
  typing: [],
  present: [],
  films: [],
  rules: { isOriginOnly: false, isLocked: false, muted: [], removed: [], isSelfMuted: false },
  sync: { isOnOwn: false, control: 'everyone', mayControl: true, doesWait: false, said: null },
  name: 'Ada',
  self: { id: 'ada', isHost: false, doing: 'watching' },
  stats: NO_STATS,
};

const PLAYING: RoomSnapshot = { ...OPENED, isWaiting: false, stats: { ...NO_STATS, startupMs: 800 } };

const overlay = suite('what lies over the video');

overlay('should say connecting until someone is connected', () => {
  assert.is(overlayOf(null), 'connecting');
  assert.is(overlayOf(OPENED), 'connecting');
});

overlay('should wait for the first pieces once someone is connected', () => {
  assert.is(overlayOf({ ...OPENED, stats: { ...NO_STATS, connectedPeers: 1 } }), 'first-pieces');
});

overlay('should be gone while the film plays, and tell when it waits', () => {
  assert.is(overlayOf(PLAYING), null);
  assert.is(overlayOf({ ...PLAYING, isWaiting: true }), 'waiting');
});

overlay('should offer Play before anything but a failure', () => {
  const refused = { ...PLAYING, isPlayRefused: true, isWaiting: true };
  assert.is(overlayOf(refused), 'play');
  assert.is(overlayOf({ ...refused, problem: { code: 'X', message: '', isFatal: true } }), 'failed');
  assert.is(overlayOf({ ...refused, problem: { code: 'X', message: '', isFatal: false } }), 'play');
});

overlay.run();

const traffic = suite('where the bytes came from');

traffic('should have no share before the first byte', () => {
  assert.is(trafficOf(NO_STATS).friendsShare, null);
});

traffic('should count plain HTTP as the server', () => {
  const bytesReceived = { origin: 100, peers: 600, http: 100 };
  assert.equal(trafficOf({ ...NO_STATS, bytesReceived }), {
    fromServerBytes: 200,
    fromFriendsBytes: 600,
    friendsShare: 0.75,
  });
});

traffic.run();

const limits = suite('upload limits');

limits('should be bytes per second of what the list says in Mbit/s', () => {
  assert.equal(UPLOAD_LIMITS_MBIT.map(limitBytesPerSec), [null, 625_000, 250_000, 125_000, 0]);
});

limits.run();

const people = suite('who is here');

function peer(id: string, about: Partial<PeerView> = {}): PeerView {
  return {
    id,
    kind: 'member',
    name: id,
    isHost: false,
    bytesReceived: 0,
    bytesSent: 0,
    receivedBytesPerSec: 0,
    sentBytesPerSec: 0,
    route: 'direct',
    roundTripMs: null,
    ...about,
  };
}

people('should be oneself first, then the host, then whoever is connected or said so', () => {
  const here = whoIsHere({
    ...PLAYING,
    peers: [peer('origin', { kind: 'origin' }), peer('cem'), peer('ben'), peer('mal')],
    present: [
      { from: 'dee', name: 'Dee', isHost: true, doing: 'watching' },
      { from: 'ben', name: 'ben', isHost: false, doing: 'away' },
      { from: 'ada', name: 'Ada', isHost: false, doing: 'watching' },
    ],
    rules: { ...PLAYING.rules, removed: ['mal'] },
  });
  assert.equal(
    here.map(({ id, doing }) => [id, doing]),
    [
      ['ada', 'watching'],
      ['dee', 'watching'],
      ['ben', 'away'],
      ['cem', null],
    ],
  );
});

people.run();

const drawing = suite('the picture of the swarm');

drawing('should have every peer at its own place, the server on top and the busiest of many', () => {
  const many = Array.from({ length: 20 }, (_, i) => peer(`m${i}`, { bytesReceived: i }));
  const drawn = swarmLayout([...many, peer('origin', { kind: 'origin', receivedBytesPerSec: 1e9 })]);
  assert.is(drawn[0]?.peer.id, 'origin');
  assert.ok(Math.abs(drawn[0]?.x ?? 1) < 1e-9 && (drawn[0]?.y ?? 0) < 0);
  assert.is(new Set(drawn.map(({ x, y }) => `${x} ${y}`)).size, drawn.length);
  assert.ok(drawn.some(({ peer: { id } }) => id === 'm19'));
  assert.not.ok(drawn.some(({ peer: { id } }) => id === 'm0'));
  assert.is(drawn[0]?.receivedWidth, 6, 'no line is wider than the widest');
  assert.is(drawn[1]?.receivedWidth, 0, 'nothing flows');
});

drawing('should divide the film by who gave it', () => {
  const parts = [
    { startMs: 0, durationMs: 3_000, serverShare: 1, friendShare: 0 },
    { startMs: 3_000, durationMs: 2_000, serverShare: 0.25, friendShare: 0.75 },
  ];
  const columns = filmStrip(parts, 10_000, 5);
  assert.equal(columns, [
    { serverShare: 1, friendShare: 0 },
    { serverShare: 0.625, friendShare: 0.375 },
    { serverShare: 0.125, friendShare: 0.375 },
    { serverShare: 0, friendShare: 0 },
    { serverShare: 0, friendShare: 0 },
  ]);
  assert.equal(wholeOf(columns), { serverShare: 0.35, friendShare: 0.15 });
  assert.equal(
    filmStrip(parts, 0, 1),
    [{ serverShare: 0, friendShare: 0 }],
    'how long it is is not known yet',
  );
});

drawing.run();
