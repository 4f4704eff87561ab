import type { Bytes } from '../bytes.ts';
import type { Clock } from '../clock.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { deriveRoomKeys, deriveVideoKeys, VIDEO_ID_BYTES, type VideoKeys } from '../crypto/keys.ts';
import { type ErrorCode, MatineeError } from '../errors.ts';
import { encodeManifestUpdate, ManifestWriter } from '../manifest/manifest-writer.ts';
import { signRoomRecord } from '../manifest/room-record.ts';
import type { ListedVideo } from '../manifest/rules.ts';
import { sealInfo, sealTitle } from '../video-info.ts';
import { type ExtraSource, withExtras } from './extra-layout.ts';
import type { Giveaway } from './giveaway.ts';
import { FIRST_SEGMENTS, HeadStart } from './head-start.ts';
import { type HostCommands, hostCommands } from './host-commands.ts';
import { type HostProgress, ProgressLog } from './host-progress.ts';
import { type HostedRoom, newRoom } from './new-room.ts';
import type { OpenedVideo, PackagedSegment } from './package.ts';
import type { Pause } from './pause.ts';
import { type RoomRequests, roomRequests, serverOrigin } from './room-requests.ts';
import { type SealedSegment, sealSegment } from './seal-segment.ts';
import { ServerLine } from './server-line.ts';
import { readStored } from './stored-segments.ts';
import { takeDown } from './take-down.ts';
import { together } from './together.ts';
import {
  type AddedTo,
  isSameSegment,
  type KeptUpload,
  NO_JOURNAL,
  type UploadJournal,
  type UploadRecord,
} from './upload-journal.ts';
import { UploadQueue } from './upload-queue.ts';

export type { HostProgress } from './host-progress.ts';
export type { HostedRoom } from './new-room.ts';

/** Segments on their way at once: enough to keep an uplink busy while the server syncs one to disk. */
const PARALLEL_UPLOADS = 3;

/** A server's answer that nothing is stored: PROTOCOL.md, "HTTP". */
const NOTHING_STORED = '{"stored":[]}';

/** Failures after which the upload can go on another time, from where it stopped. */
const PASSING: readonly ErrorCode[] = ['SERVER_UNREACHABLE', 'FILE_UNREADABLE', 'MANIFEST_STALE'];

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
  /** What goes with it beside pictures and sound; left out: nothing. */
  extras?: ExtraSource;
  /** Where what is needed to go on after a crash is noted; left out: nowhere. */
  journal?: UploadJournal;
  /** The room that is to get this video besides what it has; null or left out: a new one is made. */
  into?: IntoRoom | null;
  /** The upload to go on with, of which `video` is the same file; null or left out: it is a new one. */
  kept?: KeptUpload | null;
  /** While it is on nothing is sent. */
  pause?: Pause;
  /** How long most of a new upload waits once its first segments are stored, milliseconds: head-start.ts. Left out: not at all. */
  headStartMs?: number;
  /** Is told what viewers can be given before the server has it; left out: nobody is. */
  giveaway?: Giveaway;
  /** Cancels: the upload stops at once and the room is taken down. */
  signal: AbortSignal;
  /** The room exists, its first seconds are stored: its link works from now on. Called once. */
  onRoom(room: HostedRoom): void;
  onProgress(progress: HostProgress): void;
}

/** A room that is there, for another video. */
export interface IntoRoom extends AddedTo {
  room: Omit<HostedRoom, 'videoId'>;
}

/** What is uploaded, and where. */
interface Upload {
  options: HostOptions;
  room: HostedRoom;
  record: UploadRecord;
  /** What was signed before; nothing where the upload is new. */
  kept: KeptUpload | null;
  journal: UploadJournal;
  joinToken: Bytes;
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
  headStart: HeadStart;
}

/** The packager made another segment than the one that was signed under its number: never to be encrypted under the same key. */
class MadeOtherwise extends Error {
  override readonly name = 'MadeOtherwise';
}

/**
 * Packages, encrypts, signs and uploads a video into a new room, or goes on with an upload that stopped; resolves when
 * every segment is safely stored.
 * @throws MatineeError ABORTED on cancel; SERVER_UNREACHABLE where the server never answered, or did not for ten
 *   minutes; what the packager throws; what the server refuses, with its code. Then the room is taken down, unless the
 *   server is out of reach, or there is a journal and the upload may go on another time.
 */
export async function hostVideo(options: HostOptions): Promise<HostedRoom> {
  if (options.signal.aborted && !options.kept) throw cancelled(true);
  const upload = await prepare(options);
  try {
    await together(options.signal, (signal) => startTasks(upload, signal));
    await upload.journal.end();
  } catch (error) {
    if (error instanceof MadeOtherwise) return await hostAnew(upload);
    if (!options.signal.aborted && canGoOn(options, error)) throw error;
    const isGone = await undo(upload);
    await upload.journal.end();
    throw options.signal.aborted ? cancelled(isGone) : error;
  }
  return upload.room;
}

async function prepare(options: HostOptions): Promise<Upload> {
  const { crypto, video, kept = null, journal = NO_JOURNAL } = options;
  const origin = serverOrigin(options.server);
  const record = kept ?? (await newRecord(options, origin));
  if (!kept) await journal.begin(record);
  options.giveaway?.begin(record.room);
  const { room, info } = record;
  const { roomId, videoId, hostKey } = room;
  const { durationMs, sourceBytes } = video.info;
  const subject = { room: roomId, video: videoId, info, durationMs };
  return {
    options,
    room,
    record,
    kept,
    journal,
    joinToken: (await deriveRoomKeys(crypto, room.roomSecret, roomId)).joinToken,
    keys: await deriveVideoKeys(crypto, room.roomSecret, videoId),
    requests: roomRequests(origin, roomId, videoId, options.hostPassword ?? null),
    writer: await writerAfter(kept, new ManifestWriter(crypto, hostKey, subject)),
    progress: new ProgressLog(video.expectedBytes ?? sourceBytes, (progress) => options.onProgress(progress)),
  };
}

async function newRecord(options: HostOptions, origin: string): Promise<UploadRecord> {
  const { crypto, clock, into = null } = options;
  if (into) {
    const room = { ...into.room, videoId: crypto.randomBytes(VIDEO_ID_BYTES) };
    const info = await sealedInfo(options, room);
    return { room, createdAtMs: clock.wallMs(), info, addedTo: { present: into.present } };
  }
  const room = await newRoom(crypto, origin, options.roomPassword ?? null);
  return { room, createdAtMs: clock.wallMs(), info: await sealedInfo(options, room) };
}

async function sealedInfo({ crypto, video }: HostOptions, room: HostedRoom): Promise<Bytes> {
  const { infoKey } = await deriveVideoKeys(crypto, room.roomSecret, room.videoId);
  return await sealInfo(crypto, infoKey, room.videoId, video.info);
}

function commandsOf({
  options,
  record: { room },
  joinToken,
}: Pick<Upload, 'options' | 'record' | 'joinToken'>): HostCommands {
  const { roomId, hostKey } = room;
  return hostCommands({ ...options, server: serverOrigin(options.server), roomId, hostKey, joinToken });
}

/** Removes what was uploaded: the room that was made for it, or the video from one that has others. Says whether it is gone. */
async function undo(upload: Upload): Promise<boolean> {
  const { options, record, room, requests } = upload;
  if (!record.addedTo) return await takeDown(options, room, requests);
  return await commandsOf(upload)
    .removeVideo(room.videoId)
    .then(
      () => true,
      () => false,
    );
}

/** The video as the room's list shows it. */
async function listedVideo(
  { crypto, video }: HostOptions,
  { roomSecret, videoId }: HostedRoom,
): Promise<ListedVideo> {
  const { infoKey } = await deriveVideoKeys(crypto, roomSecret, videoId);
  return { video: videoId, title: await sealTitle(crypto, infoKey, videoId, video.info.title) };
}

/** The writer as it was when the upload stopped. */
async function writerAfter(kept: KeptUpload | null, writer: ManifestWriter): Promise<ManifestWriter> {
  for (const [number, entry] of kept?.entries.entries() ?? []) {
    if (number === kept?.confirmedCount) writer.markPublished();
    await writer.append(entry);
  }
  return writer;
}

/**
 * Starts from the beginning under a new video id: what was uploaded cannot be gone on with, for the packager makes other
 * segments now. The room's rules name the new one first, so that the server takes it in place of the other.
 */
async function hostAnew({ options, record, joinToken }: Upload): Promise<HostedRoom> {
  const { crypto, journal = NO_JOURNAL } = options;
  const room = { ...record.room, videoId: crypto.randomBytes(VIDEO_ID_BYTES) };
  const begun = { ...record, room, info: await sealedInfo(options, room) };
  await journal.begin(begun);
  const commands = commandsOf({ options, record: begun, joinToken });
  await commands.replaceVideo(record.room.videoId, await listedVideo(options, room));
  return await hostVideo({ ...options, kept: { ...begun, entries: [], confirmedCount: 0 } });
}

function startTasks(upload: Upload, signal: AbortSignal): Promise<void>[] {
  const { options, progress } = upload;
  const line = new ServerLine({
    ...options,
    server: serverOrigin(options.server),
    signal,
    onState: (state) => progress.line(state),
  });
  const headStart = new HeadStart({
    clock: options.clock,
    waitMs: options.headStartMs ?? 0,
    onFirst: () => options.onRoom(upload.room),
    signal,
  });
  // What goes on has had its own.
  if (upload.writer.segmentCount > 0) headStart.end();
  const running = { ...upload, signal, line, headStart, queue: new UploadQueue(signal) };
  const uploads = Array.from({ length: PARALLEL_UPLOADS }, () => uploadFrom(running));
  return [packageAll(running), listAll(running), ...uploads];
}

/** Encrypts what the packager makes, as far as there is room for it; what is stored already is only compared. */
async function packageAll(upload: RunningUpload): Promise<void> {
  const { options, keys, kept, progress, queue, signal, headStart } = upload;
  const signed = kept?.entries ?? [];
  const stored = await findStored(upload);
  let madeCount = 0;
  const segments = withExtras({
    media: endingHeadStart(options.video.segments(signal), headStart),
    extras: afterHeadStart(options.extras ?? { first: [] }, headStart),
    signed,
    signedExtras: kept?.extras ?? new Map(),
    clock: options.clock,
    signal,
  });
  for await (const segment of segments) {
    const sealed = await sealSegment(options.crypto, keys.contentKey, segment);
    signal.throwIfAborted();
    const before = signed[sealed.number];
    if (before && !isSameSegment(before, sealed.entry)) throw new MadeOtherwise();
    madeCount = sealed.number + 1;
    progress.packaged(sealed);
    headStart.made(sealed);
    if (stored.has(sealed.number)) headStart.stored(sealed);
    else queue.add(sealed);
    if (madeCount === signed.length) progress.phase('uploading');
    await queue.untilRoom();
    await headStart.untilFilm(segment.startMs + segment.durationMs);
    await options.pause?.over(signal);
  }
  if (madeCount < signed.length) throw new MadeOtherwise();
  queue.end();
  progress.packagingEnded();
}

/** The same segments; once all are made there is nothing left that would be in anybody's way. */
async function* endingHeadStart(
  media: AsyncIterable<PackagedSegment>,
  headStart: HeadStart,
): AsyncGenerator<PackagedSegment> {
  yield* media;
  headStart.end();
}

/** The same extras, the making of which waits with all else that is not the beginning of the film. */
function afterHeadStart({ first, make }: ExtraSource, headStart: HeadStart): ExtraSource {
  if (!make) return { first };
  return {
    first,
    async *make(listed, signal) {
      await headStart.untilOver();
      yield* make(listed, signal);
    },
  };
}

/** The numbers of the segments that the server has already. */
async function findStored({
  kept,
  requests,
  line,
  joinToken,
  progress,
}: RunningUpload): Promise<ReadonlySet<number>> {
  if (!kept || kept.entries.length === 0) return new Set();
  const answer = await line.deliver(requests.listStored(joinToken)).catch((error: unknown) => {
    // A room that keeps people out tells members alone, and the host's uploads are none: all is sent again.
    if (error instanceof MatineeError && error.code === 'SIGNATURE_WRONG') return NOTHING_STORED;
    throw error;
  });
  const stored = readStored(answer, kept.entries.length);
  progress.resumed(kept.entries.filter((_, number) => stored.has(number)));
  return stored;
}

/** Makes the room, lists in its manifest all that was packaged meanwhile, again and again, and closes it when all is stored. */
async function listAll(upload: RunningUpload): Promise<void> {
  const { queue, writer, progress } = upload;
  if (writer.segmentCount > 0) await publish(upload, false);
  else await openRoom(upload);
  for (let batch = await queue.takeUnlisted(); batch; batch = await queue.takeUnlisted()) {
    await list(upload, batch);
    upload.options.giveaway?.listed(batch);
    queue.markListed(batch);
  }
  if (writer.segmentCount < FIRST_SEGMENTS) throw nothingToWatch();
  await queue.untilAllStored();
  progress.phase('finishing');
  await publish(upload, true);
  progress.phase('done');
}

/** Lists those of a batch that are not listed yet: one of an earlier time may only want to be uploaded. */
async function list(upload: RunningUpload, batch: readonly SealedSegment[]): Promise<void> {
  const { writer, journal } = upload;
  const firstSegment = writer.segmentCount;
  const unlisted = batch.filter(({ number }) => number >= firstSegment);
  if (unlisted.length === 0) return;
  const extras = unlisted.flatMap(({ number, extra }): [number, Bytes][] => (extra ? [[number, extra]] : []));
  const entries = unlisted.map(({ entry }) => entry);
  await journal.list(firstSegment, entries, new Map(extras));
  for (const entry of entries) await writer.append(entry);
  await publish(upload, false);
}

/** Has the server take the video: into a room made for it, or into one that lists it from now on. */
async function openRoom(upload: RunningUpload): Promise<void> {
  const { addedTo } = upload.record;
  if (!addedTo) await createRoom(upload);
  else await commandsOf(upload).addVideo(await listedVideo(upload.options, upload.room), addedTo.present);
}

async function createRoom({
  options,
  record,
  room,
  joinToken,
  requests,
  line,
}: RunningUpload): Promise<void> {
  const { crypto } = options;
  await line.deliver(
    requests.createRoom(await signRoomRecord(crypto, room.hostKey, joinToken, record.createdAtMs)),
  );
}

/** One at a time: each update must continue the one before, and repeating the same one does no harm. */
async function publish({ options, requests, writer, line }: RunningUpload, isDone: boolean): Promise<void> {
  const update = await writer.publish(isDone);
  await line.deliver(requests.publish(encodeManifestUpdate(update)));
  await options.giveaway?.published(update);
}

/** One of the uploaders that share the queue. */
async function uploadFrom({
  options,
  requests,
  progress,
  queue,
  line,
  headStart,
}: RunningUpload): Promise<void> {
  for (let segment = await queue.takeListed(); segment; segment = await queue.takeListed()) {
    await line.deliver(requests.storeSegment(segment.number, segment.pieces));
    options.giveaway?.stored(segment);
    progress.stored(segment);
    headStart.stored(segment);
    queue.markStored(segment);
  }
}

/** Whether what is uploaded stays: for another time where there is a journal, or since nobody can be told that it is to go. */
function canGoOn({ journal }: HostOptions, error: unknown): boolean {
  if (!(error instanceof MatineeError)) return false;
  return error.code === 'SERVER_UNREACHABLE' || (journal !== undefined && PASSING.includes(error.code));
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
