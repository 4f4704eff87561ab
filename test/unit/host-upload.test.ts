import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { areEqual, concat } from '../../peer/bytes.ts';
import { decryptRange } from '../../peer/crypto/content.ts';
import { deriveRoomKeys, deriveVideoKeys } from '../../peer/crypto/keys.ts';
import { MatineeError } from '../../peer/errors.ts';
import { hostVideo } from '../../peer/host/host-video.ts';
import { isJoinToken } from '../../peer/manifest/room-record.ts';
import { parseRoomLink } from '../../peer/room-link.ts';
import { openInfo } from '../../peer/video-info.ts';
import { crypto, gate, hosting, present, RandomVideo, rejection, sizes, TestServer } from './host-rig.ts';

const upload = suite<{ server: TestServer }>('hosting a video');

upload.before.each(async (context) => {
  context.server = await new TestServer().start();
});

upload.after.each(async ({ server }) => server.stop());

upload('should store what the manifest lists, for members of the link to decrypt', async ({ server }) => {
  // Across pages (32 segments each), with last pieces of all kinds.
  const video = new RandomVideo([700, 1, 65536, 65537, 300_000, ...sizes(70, 9_000)]);
  const room = await hostVideo(hosting(video, server.address).options);
  const { roomId, roomSecret } = parseRoomLink(room.link);
  const { contentKey, infoKey } = await deriveVideoKeys(crypto, roomSecret, room.videoId);
  const { manifest, segments, record } = server.room;
  assert.ok(areEqual(roomId, room.roomId));
  assert.is(segments.size, video.made.length);
  for (const { number, parts, startMs, durationMs } of video.made) {
    const data = concat(...parts);
    const stored = segments.get(number) ?? new Uint8Array();
    assert.ok(areEqual(await decryptRange(crypto, contentKey, number, 0, stored), data), `segment ${number}`);
    assert.not.ok(data.byteLength > 16 && areEqual(stored, data), 'stored in clear');
    const entry = present(manifest.entry(number));
    assert.equal([entry.startMs, entry.durationMs, entry.sizeBytes], [startMs, durationMs, data.byteLength]);
  }
  const head = present(manifest.head);
  assert.ok(head.isDone);
  assert.is(head.segmentCount, video.made.length);
  assert.ok(areEqual(head.video, room.videoId));
  assert.equal(await openInfo(crypto, infoKey, room.videoId, head.info), video.info);
  const { joinToken } = await deriveRoomKeys(crypto, roomSecret, roomId);
  assert.ok(await isJoinToken(crypto, record, joinToken));
});

upload('should list the init segment and the first one at once', async ({ server }) => {
  await hostVideo(hosting(new RandomVideo(sizes(9)), server.address).options);
  const first = server.seen.find(({ kind }) => kind === 'manifest');
  assert.ok((first?.listedCount ?? 0) >= 2);
});

upload('should hand out the link once, when something can be watched', async ({ server }) => {
  const storedAtLink: number[][] = [];
  const { options } = hosting(new RandomVideo(sizes(12)), server.address, {
    onRoom: () => storedAtLink.push([...server.room.segments.keys()]),
  });
  await hostVideo(options);
  assert.is(storedAtLink.length, 1);
  assert.ok(storedAtLink[0]?.includes(0));
  assert.ok(storedAtLink[0]?.includes(1));
});

upload('should not hand out the link before the first segment is stored', async ({ server }) => {
  const rest = gate();
  const held = gate();
  server.disturb = async ({ segment }) => {
    if (segment !== 1) return null;
    held.open();
    await rest.opened;
    return null;
  };
  const { options, told } = hosting(new RandomVideo(sizes(5)), server.address);
  const hosted = hostVideo(options);
  await held.opened;
  assert.is(told.rooms.length, 0);
  rest.open();
  await hosted;
  assert.is(told.rooms.length, 1);
});

upload('should use new keys and ids for each upload', async ({ server }) => {
  const video = new RandomVideo(sizes(3));
  const a = await hostVideo(hosting(video, server.address).options);
  const b = await hostVideo(hosting(video, server.address).options);
  for (const name of ['roomId', 'roomSecret', 'videoId'] as const)
    assert.not.ok(areEqual(a[name], b[name]), name);
  assert.not.ok(areEqual(a.hostKey.privateKey, b.hostKey.privateKey));
});

upload('should tell its progress to the exact end', async ({ server }) => {
  const video = new RandomVideo(sizes(20, 30_000));
  const { options, told } = hosting(video, server.address);
  await hostVideo(options);
  const [first, last] = [told.progress[0], told.progress.at(-1)];
  const exactBytes = 800 + 19 * 30_000;
  assert.is(first?.phase, 'uploading');
  assert.is(first?.totalBytes, video.info.sourceBytes);
  assert.equal(last, {
    phase: 'done',
    packagedBytes: exactBytes,
    uploadedBytes: exactBytes,
    totalBytes: exactBytes,
    uploadedMs: 19 * 2000,
    segmentCount: 20,
    retryInMs: null,
    problem: null,
  });
  told.progress.reduce((before, next) => {
    assert.ok(next.uploadedBytes >= before.uploadedBytes && next.uploadedBytes <= next.packagedBytes);
    return next;
  });
});

upload('should say so where a film has nothing to watch', async ({ server }) => {
  const error = await rejection(hostVideo(hosting(new RandomVideo([700]), server.address).options));
  assert.is(error instanceof MatineeError && error.code, 'FILE_EMPTY');
  assert.is(server.rooms.size, 0);
});

upload('should refuse a segment too large to be listed, and leave no half room', async ({ server }) => {
  const video = new RandomVideo([700, 5000, 64 * 1024 * 1024 + 1]);
  const error = await rejection(hostVideo(hosting(video, server.address).options));
  assert.is(error instanceof MatineeError && error.code, 'UPLOAD_REFUSED');
  assert.match(String(error), '67 MB');
  assert.is(server.rooms.size, 0);
});

upload.run();

const backpressure = suite<{ server: TestServer }>('hosting on a slow line');

backpressure.before.each(async (context) => {
  context.server = await new TestServer().start();
});

backpressure.after.each(async ({ server }) => server.stop());

/** Uploads while the server holds back every segment from `first` on, and gives how many were packaged when nothing moved any more. */
async function packagedWhileHeld(
  server: TestServer,
  video: RandomVideo,
  first: number,
  atOnceCount: number,
): Promise<number> {
  const held = gate();
  const full = gate();
  let waitingCount = 0;
  server.disturb = async ({ segment }) => {
    if (segment === null || segment < first) return null;
    if (++waitingCount === atOnceCount) full.open();
    await held.opened;
    return null;
  };
  const { options, told } = hosting(video, server.address);
  const hosted = hostVideo(options);
  await full.opened;
  const madeCount = await steadyCount(() => video.made.length);
  assert.is(waitingCount, atOnceCount);
  held.open();
  await hosted;
  assert.ok(told.progress.every(({ problem }) => problem === null));
  return madeCount;
}

/** A count once it has not changed for a while: what would go on without bound goes on within it. */
async function steadyCount(count: () => number): Promise<number> {
  for (let before = -1; before !== count(); ) {
    before = count();
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  return count();
}

backpressure('should hold no more than six segments, and stop the packager meanwhile', async ({ server }) => {
  const video = new RandomVideo(sizes(30, 50_000));
  // Those that open the room are gone by then.
  assert.is(await packagedWhileHeld(server, video, 2, 3), 2 + 6);
  assert.is(server.room.segments.size, 30);
});

backpressure('should hold fewer where they are large', async ({ server }) => {
  const video = new RandomVideo(sizes(5, 33 * 1024 * 1024));
  assert.is(await packagedWhileHeld(server, video, 0, 2), 2);
});

backpressure('should make no more than opens the room before that is stored', async ({ server }) => {
  const video = new RandomVideo(sizes(30, 50_000));
  assert.is(await packagedWhileHeld(server, video, 0, 2), 2);
  assert.is(server.room.segments.size, 30);
});

backpressure.run();
