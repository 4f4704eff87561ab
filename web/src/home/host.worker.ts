import { type Bytes, toBase64url } from '../../../peer/bytes.ts';
import { systemClock } from '../../../peer/clock.ts';
import { chooseCrypto } from '../../../peer/crypto/choose.ts';
import { asMatineeError, MatineeError } from '../../../peer/errors.ts';
import { readSubtitleFiles } from '../../../peer/extras/subtitle-files.ts';
import { readSlices } from '../../../peer/host/blob-reader.ts';
import { type FileIdentity, identifyFile, mustBeSameFile } from '../../../peer/host/file-identity.ts';
import { forgivingJournal } from '../../../peer/host/forgiving-journal.ts';
import { Giveaway } from '../../../peer/host/giveaway.ts';
import { hostVideo } from '../../../peer/host/host-video.ts';
import { fromFile, openVideo, type PlannedVideo, type VideoSource } from '../../../peer/host/package.ts';
import { NO_WISHES, type PackagingWishes } from '../../../peer/host/package-plan.ts';
import { Pause } from '../../../peer/host/pause.ts';
import { isWorthAsking } from '../../../peer/host/plan-question.ts';
import type { KeptUpload, UploadJournal, UploadRecord } from '../../../peer/host/upload-journal.ts';
import { openTextTracks } from '../../../peer/text-tracks/open-text-tracks.ts';
import { type OwnSubtitles, ownSubtitles } from '../../../peer/text-tracks/text-extras.ts';
import type { CourierLost } from './courier-messages.ts';
import { Couriers } from './couriers.ts';
import { loadDecoders, machineAbilities } from './decoders.ts';
import { giveFromWorker } from './give-from-worker.ts';
import {
  type Failure,
  type FromWorker,
  HEAD_START_MS,
  type HostTask,
  type ToWorker,
  type VideoFacts,
} from './host-messages.ts';
import { DatabaseJournal, readUpload, type StoredUpload, type UploadFacts } from './kept-uploads.ts';
import { markUnderWay } from './upload-lock.ts';
import { workerTexts } from './worker-texts.ts';

/** Packages, encrypts and uploads one file away from the page's thread, so that the page stays quick. */

/** Bytes of a request that this worker makes itself. */
const MAX_OWN_BYTES = 16 * 1024;

const cancelled = new AbortController();
const pause = new Pause();
const giveaway = chooseCrypto().then((crypto) => new Giveaway(crypto));
let agree = (): void => undefined;
const agreement = new Promise<void>((resolve) => {
  agree = resolve;
});
/** What is kept of this upload, by its id; null: nothing. */
let keptId: string | null = null;

/** What has a body is sent through them; see couriers.ts. */
const couriers = new Couriers((wish) =>
  self.postMessage(wish, { transfer: wish.type === 'courier' ? [wish.port] : [] }),
);

self.addEventListener('message', ({ data }: MessageEvent<ToWorker | CourierLost>) => {
  if (data.type === 'cancel') cancel();
  else if (data.type === 'courierLost') couriers.lost(data.id);
  else if (data.type === 'start') agree();
  else if (data.type === 'pause') pause.start();
  else if (data.type === 'unpause') pause.end();
  else if (data.type === 'give') void giveaway.then((given) => giveFromWorker(given, data.port));
  else void hostAndTell(data, data.server);
});

function cancel(): void {
  cancelled.abort();
  // Whoever waits for an answer has one: what comes next sees that it was cancelled.
  agree();
}

async function hostAndTell(task: HostTask, server: string): Promise<void> {
  try {
    await host(task, server);
    tell({ type: 'done' });
  } catch (error) {
    tell({ type: 'failed', failure: failureOf(error), canGoOn: await isKept() });
  }
}

async function isKept(): Promise<boolean> {
  return keptId !== null && (await readUpload(keptId).catch(() => null)) !== null;
}

async function host(task: HostTask, server: string): Promise<void> {
  const { file, choices, goOnWith } = task;
  couriers.prepare();
  const crypto = await chooseCrypto();
  const before = goOnWith === null ? null : await reopen(goOnWith);
  const plain = plainSource(file);
  const identifying = identifyFile(crypto, plain);
  if (before) mustBeSameFile(before.stored.facts.file, await identifying);
  const wishes = before ? (before.stored.facts.choices.wishes ?? NO_WISHES) : choices.wishes;
  const opening = openFile(file, wishes);
  try {
    // Side by side, for each waits for a few places of the file; but what keeps a film from being opened is told first.
    const rest = Promise.all([
      openTextTracks(plain),
      before ? (before.stored.facts.subtitles ?? []) : readSubtitleFiles(task.subtitles),
      identifying,
    ]);
    // Told where it is waited for; where the film cannot be opened, nobody asks.
    rest.catch(() => undefined);
    const video = await opening;
    const [texts, subtitles, identity] = await rest;
    const own = ownSubtitles(texts, subtitles);
    const info = { ...video.info, title: before?.stored.facts.title ?? video.info.title };
    const { plan, tracks } = video;
    const planned = {
      plan,
      tracks,
      subtitles: own.names,
      leftOutSubtitles: own.leftOut,
      unreadSubtitles: own.unread,
    };
    const isAsking = !before && (task.mustAsk || isWorthAsking(planned, wishes));
    tell({
      type: 'opened',
      video: info,
      planned,
      isAsking,
    });
    if (isAsking) await agreement;
    const isAdded = task.into !== null || before?.stored.record.addedTo !== undefined;
    const journal = journalFor(task, factsOf(task, info, identity, subtitles));
    await hostVideo({
      video,
      server,
      ...choices,
      crypto,
      clock: systemClock,
      fetch: (input, init) => (isLarge(init?.body) ? couriers.fetch(input, init) : fetch(input, init)),
      random: () => Math.random(),
      extras: {
        first: subtitles,
        make: (listed, signal) => makeExtras(video, plain, own, listed, signal),
      },
      journal,
      kept: before?.kept ?? null,
      into: task.into,
      pause,
      headStartMs: HEAD_START_MS,
      giveaway: await giveaway,
      signal: cancelled.signal,
      onRoom: ({ link, hostKey, videoId }) => tell({ type: 'room', link, hostKey, video: videoId, isAdded }),
      onProgress: (progress) => tell({ type: 'progress', progress }),
    });
  } finally {
    couriers.close();
    // Where it cannot be opened there is nothing to close.
    void opening.then((video) => video.close()).catch(() => undefined);
  }
}

/** Couriers are for what is large: what comes first of an upload is small, and need not wait for one to start. */
function isLarge(body: BodyInit | null | undefined): boolean {
  return body instanceof Blob && body.size > MAX_OWN_BYTES;
}

/** The film's own subtitles, then its pictures, by code that comes with the first film. */
async function* makeExtras(
  video: PlannedVideo,
  plain: VideoSource,
  own: OwnSubtitles,
  listed: readonly Bytes[],
  signal: AbortSignal,
): AsyncGenerator<Bytes> {
  yield* own.make(video.originS, listed, signal);
  const { makeCover, makePictures } = await import('./film-pictures.ts');
  const pictures = await video.openPictures(plain);
  if (!pictures) {
    const cover = await video.readCover();
    const poster = cover && (await makeCover(cover, listed));
    if (poster) yield poster;
    return;
  }
  try {
    const { durationMs } = video.info;
    yield* makePictures({ pictures, durationMs, listed, clock: systemClock, signal });
  } finally {
    pictures.close();
  }
}

/** @throws MatineeError ABORTED where it is finished or given up, or under way in another tab. */
async function reopen(id: string): Promise<{ stored: StoredUpload; kept: KeptUpload }> {
  if (!(await markUnderWay(id))) throw new MatineeError('ABORTED', workerTexts.underWayElsewhere);
  const found = await readUpload(id);
  if (!found) throw new MatineeError('ABORTED', workerTexts.keptGone);
  tellKept(id);
  return found;
}

async function openFile(file: File, wishes: PackagingWishes) {
  const abilities = await machineAbilities();
  return await openVideo(fromFile(file), {
    abilities,
    wishes,
    loadDecoders,
  });
}

/** For places here and there, which are read once: large blocks would only be in the way of packaging. */
function plainSource(file: File): VideoSource {
  return { name: file.name, sizeBytes: file.size, read: readSlices(file) };
}

function factsOf(
  { file, handle, choices }: HostTask,
  info: VideoFacts,
  identity: FileIdentity,
  subtitles: readonly Bytes[],
): UploadFacts {
  const { title, durationMs } = info;
  return {
    title,
    durationMs,
    file: identity,
    modifiedAtMs: file.lastModified,
    handle,
    choices: { wishes: choices.wishes },
    subtitles,
  };
}

/** The journal in the browser's database; a browser that keeps nothing (some private windows) hosts all the same. */
function journalFor({ goOnWith }: HostTask, facts: UploadFacts): UploadJournal {
  const idOf = ({ room }: UploadRecord): string => toBase64url(room.videoId);
  const onBegin = async (id: string): Promise<void> => {
    await markUnderWay(id);
  };
  const kept = new DatabaseJournal(facts, goOnWith, idOf, onBegin, systemClock);
  return forgivingJournal(kept, {
    onKept: (record) => tellKept(idOf(record)),
    onLost: () => tellKept(null),
  });
}

function tellKept(id: string | null): void {
  keptId = id;
  tell({ type: 'kept', id });
}

function tell(message: FromWorker): void {
  self.postMessage(message);
}

function failureOf(error: unknown): Failure {
  const { code, message } = asMatineeError(error, 'INTERNAL', workerTexts.broken);
  return { code, message };
}
