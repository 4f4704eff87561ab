import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { overlayOf } from '../../web/src/room/stage-view.ts';
import { trafficOf } from '../../web/src/room/traffic.ts';
import { limitBytesPerSec, UPLOAD_LIMITS_MBIT } from '../../web/src/room/upload-limits.ts';
import type { RoomSnapshot, Stats } from '../../web/src/room-session.ts';

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
  films: [],
  rules: { isOriginOnly: false, isLocked: false, muted: [], removed: [], isSelfMuted: false },
  sync: { isOnOwn: false, control: 'everyone', mayControl: true, doesWait: false, said: null },
  name: 'Ada',
  uploadLimitBytesPerSec: null,
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
