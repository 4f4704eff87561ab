import type { Clock } from '../clock.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { deriveRoomKeys, deriveVideoKeys, type VideoKeys } from '../crypto/keys.ts';
import { MatineeError } from '../errors.ts';
import { encodeManifestUpdate, ManifestWriter } from '../manifest/manifest-writer.ts';
import { signRoomRecord } from '../manifest/room-record.ts';
import { sealInfo } from '../video-info.ts';
import { type HostProgress, ProgressLog } from './host-progress.ts';
import { type HostedRoom, newRoom } from './new-room.ts';
import type { OpenedVideo } from './package.ts';
import { type RoomRequests, roomRequests, serverOrigin } from './room-requests.ts';
import { type SealedSegment, sealSegment } from './seal-segment.ts';
import { ServerLine } from './server-line.ts';
import { takeDown } from './take-down.ts';
import { together } from './together.ts';
import { UploadQueue } from './upload-queue.ts';

export type { HostProgress } from './host-progress.ts';
export type { HostedRoom } from './new-room.ts';

/** Segments on their way at once: enough to keep an uplink busy while the server syncs one to disk. */
const PARALLEL_UPLOADS = 3;

/** The init segment and one that plays: from then on viewers see something. */
const WATCHABLE_SEGMENTS = 2;

export interface HostOptions {
  /** Stays open: whoever opened it closes it. */
  video: OpenedVideo;
  /** Origin URL of the seed server; the link is on the same origin. */
  server: string;
  crypto: Crypto;
  clock: Clock;
  fetch: typeof fetch;
  /** What viewers must type besides having the link; null or left out: the link is enough. */
  roomPassword?: string | null;
  /** What the server asks hosts for; null or left out: nothing. */
  hostPassword?: string | null;
  /** Gives 0 to 1, for spreading retries; no secret comes from it. */
  random: () => number;
  /** Cancels: the upload stops at once and the room is taken down. */
  signal: AbortSignal;
  /** The room exists, its first seconds are stored: its link works from now on. Called once. */
  onRoom(room: HostedRoom): void;
  onProgress(progress: HostProgress): void;
}

/** What is uploaded, and where. */
interface Upload {
  options: HostOptions;
  room: HostedRoom;
  keys: VideoKeys;
  requests: RoomRequests;
  writer: ManifestWriter;
  progress: ProgressLog;
}

/** The same while it runs: what its tasks meet at, until its signal stops them all. */
interface RunningUpload extends Upload {
  signal: AbortSignal;
  queue: UploadQueue;
  line: ServerLine;
  onStored: (segment: SealedSegment) => void;
}

/**
 * Packages, encrypts, signs and uploads a video into a new room; resolves when every segment is safely stored.
 * @throws MatineeError ABORTED on cancel; SERVER_UNREACHABLE where the server never answered, or did not for ten
 *   minutes; what the packager throws; what the server refuses, with its code. Then the room is taken down,
 *   unless the server is out of reach.
 */
export async function hostVideo(options: HostOptions): Promise<HostedRoom> {
  if (options.signal.aborted) throw cancelled(true);
  const upload = await prepare(options);
  try {
    await together(options.signal, (signal) => startTasks(upload, signal));
  } catch (error) {
    const isGone = !isUnreachable(error) && (await takeDown(options, upload.room, upload.requests));
    throw options.signal.aborted ? cancelled(isGone) : error;
  }
  return upload.room;
}

async function prepare(options: HostOptions): Promise<Upload> {
  const { crypto, video } = options;
  const origin = serverOrigin(options.server);
  const room = await newRoom(crypto, origin, options.roomPassword ?? null);
  const { roomId, videoId, hostKey } = room;
  const keys = await deriveVideoKeys(crypto, room.roomSecret, videoId);
  const info = await sealInfo(crypto, keys.infoKey, videoId, video.info);
  const { durationMs, sourceBytes } = video.info;
  return {
    options,
    room,
    keys,
    requests: roomRequests(origin, roomId, videoId, options.hostPassword ?? null),
    writer: new ManifestWriter(crypto, hostKey, { room: roomId, video: videoId, info, durationMs }),
    progress: new ProgressLog(sourceBytes, (progress) => options.onProgress(progress)),
  };
}

function startTasks(upload: Upload, signal: AbortSignal): Promise<void>[] {
  const { options, progress } = upload;
  const line = new ServerLine({
    ...options,
    server: serverOrigin(options.server),
    signal,
    onState: (state) => progress.line(state),
  });
  const onStored = watchFor(() => options.onRoom(upload.room));
  const running = { ...upload, signal, line, onStored, queue: new UploadQueue(signal) };
  const uploads = Array.from({ length: PARALLEL_UPLOADS }, () => uploadFrom(running));
  return [packageAll(running), listAll(running), ...uploads];
}

/** Encrypts what the packager makes, as far as there is room for it. */
async function packageAll({ options, keys, progress, queue, signal }: RunningUpload): Promise<void> {
  for await (const segment of options.video.segments(signal)) {
    const sealed = await sealSegment(options.crypto, keys.contentKey, segment);
    signal.throwIfAborted();
    queue.add(sealed);
    progress.packaged(sealed);
    await queue.untilRoom();
  }
  queue.end();
  progress.packagingEnded();
}

/** Makes the room, lists in its manifest all that was packaged meanwhile, again and again, and closes it when all is stored. */
async function listAll(upload: RunningUpload): Promise<void> {
  const { queue, writer, progress } = upload;
  await createRoom(upload);
  for (let batch = await queue.takeUnlisted(); batch; batch = await queue.takeUnlisted()) {
    for (const { entry } of batch) await writer.append(entry);
    await publish(upload, false);
    queue.markListed(batch);
  }
  if (writer.segmentCount < WATCHABLE_SEGMENTS) throw nothingToWatch();
  await queue.untilAllStored();
  progress.phase('finishing');
  await publish(upload, true);
  progress.phase('done');
}

async function createRoom({ options, room, requests, line }: RunningUpload): Promise<void> {
  const { crypto, clock } = options;
  const { joinToken } = await deriveRoomKeys(crypto, room.roomSecret, room.roomId);
  const record = await signRoomRecord(crypto, room.hostKey, joinToken, clock.wallMs());
  await line.deliver(requests.createRoom(record));
}

/** One at a time: each update must continue the one before, and repeating the same one does no harm. */
async function publish({ requests, writer, line }: RunningUpload, isDone: boolean): Promise<void> {
  const update = await writer.publish(isDone);
  await line.deliver(requests.publish(encodeManifestUpdate(update)));
}

/** One of the uploaders that share the queue. */
async function uploadFrom({ requests, progress, queue, line, onStored }: RunningUpload): Promise<void> {
  for (let segment = await queue.takeListed(); segment; segment = await queue.takeListed()) {
    await line.deliver(requests.storeSegment(segment.number, segment.ciphertext));
    progress.stored(segment);
    onStored(segment);
    queue.markStored(segment);
  }
}

/** Calls `onWatchable` once the init segment and the first one are among the stored. */
function watchFor(onWatchable: () => void): (stored: SealedSegment) => void {
  let missingCount = WATCHABLE_SEGMENTS;
  return ({ number }) => {
    if (number < WATCHABLE_SEGMENTS && --missingCount === 0) onWatchable();
  };
}

function isUnreachable(error: unknown): boolean {
  return error instanceof MatineeError && error.code === 'SERVER_UNREACHABLE';
}

function cancelled(isGone: boolean): MatineeError {
  const rest = isGone
    ? 'Nothing of it is kept.'
    : 'The server could not be told: what was uploaded, encrypted, may still be there.';
  return new MatineeError('ABORTED', `The upload was cancelled. ${rest}`);
}

function nothingToWatch(): MatineeError {
  return new MatineeError('FILE_EMPTY', 'There is no picture in this video to watch. Choose another file.');
}
