import { join } from 'node:path';
import type { Bytes } from '../peer/bytes.ts';
import { systemClock } from '../peer/clock.ts';
import type { Crypto } from '../peer/crypto/crypto.ts';
import { MatineeError } from '../peer/errors.ts';
import { plainCover } from '../peer/extras/plain-cover.ts';
import { readSubtitleFiles } from '../peer/extras/subtitle-files.ts';
import type { ExtraSource } from '../peer/host/extra-layout.ts';
import { identifyFile } from '../peer/host/file-identity.ts';
import { forgivingJournal } from '../peer/host/forgiving-journal.ts';
import { type HostOptions, hostVideo } from '../peer/host/host-video.ts';
import { openVideo, type PlannedVideo, type VideoSource } from '../peer/host/package.ts';
import { COPY_ONLY } from '../peer/host/package-options.ts';
import { NO_WISHES } from '../peer/host/package-plan.ts';
import { openTextTracks } from '../peer/text-tracks/open-text-tracks.ts';
import { type OwnSubtitles, ownSubtitles } from '../peer/text-tracks/text-extras.ts';
import { FileJournal } from './file-journal.ts';
import type { HostJob } from './host-arguments.ts';
import { openFile, readWholeFile } from './host-file.ts';
import { HostKeyOutput } from './host-key-output.ts';
import type { ProgressOutput } from './host-output.ts';
import { type Asked, findStopped, giveUp, mustAgree, stoppedAtPercent } from './host-resume.ts';
import type { StoredUpload, UploadFacts } from './kept-upload.ts';
import { planText } from './plan-text.ts';
import { readRoomPassword } from './room-password.ts';
import { stateFolder } from './state-folder.ts';
import { codeOf } from './store/durable.ts';
import { removeOldUploads, takeUploadPlace, type UploadPlace } from './upload-place.ts';

/** What people are told whose upload stopped. */
export const GO_ON = 'The same command again goes on where it stopped.';

/** One run of the command. */
export interface Run {
  job: HostJob;
  crypto: Crypto;
  /** Cancels. */
  signal: AbortSignal;
  output: ProgressOutput;
  /** Is told of the journal as soon as there is one. */
  onJournal(journal: FileJournal): void;
}

/** The file to upload, and what is known of it. */
interface Subject {
  source: VideoSource;
  asked: Asked;
  /** Null: nothing can be kept of the upload. */
  place: UploadPlace | null;
  /** The upload to go on with; null: a new one. */
  stopped: StoredUpload | null;
  /** What it is noted with, but for what only the opened film tells. */
  facts: Omit<UploadFacts, 'durationMs'>;
}

/**
 * Uploads a file as the command line asks for, or goes on with an upload of it that stopped. The link goes to stdout, all else to the run's output.
 * @throws MatineeError as hostVideo and openVideo do; REQUEST_MALFORMED where it cannot be gone on with like this.
 */
export async function host(run: Run): Promise<void> {
  const { job, crypto } = run;
  const file = await openFile(job.path);
  try {
    const { source } = file;
    const asked = await readAsked(job);
    const identity = await identifyFile(crypto, source);
    const place = await takePlace(run, () => takeUploadPlace(uploadsFolder(), job.server, identity));
    try {
      // Ours is in use by now, and stays whatever its age.
      if (place) await removeOldUploads(uploadsFolder(), Date.now());
      const stopped = place && (await stoppedBefore(run, place, asked));
      const { audioTrack, mayLeaveOutSound, subtitles } = asked;
      const choices = { audioTrack, mayLeaveOutSound, subtitles: subtitles ?? [] };
      const facts = stopped?.facts ?? { server: job.server, file: identity, ...choices };
      await hostFile(run, { source, asked, place, stopped, facts });
    } finally {
      await place?.release();
    }
  } finally {
    await file.close();
  }
}

async function readAsked({
  subtitles,
  roomPasswordFile,
  audioTrack,
  mayLeaveOutSound,
}: HostJob): Promise<Asked> {
  const files = await Promise.all(subtitles.map(readWholeFile));
  return {
    audioTrack,
    mayLeaveOutSound,
    subtitles: files.length === 0 ? null : await readSubtitleFiles(files),
    roomPassword: roomPasswordFile === null ? null : await readRoomPassword(roomPasswordFile),
  };
}

function uploadsFolder(): string {
  return join(stateFolder(process.env), 'uploads');
}

/** Null where this machine lets nothing be kept: the upload goes on all the same. */
async function takePlace({ output }: Run, take: () => Promise<UploadPlace>): Promise<UploadPlace | null> {
  try {
    return await take();
  } catch (error) {
    if (error instanceof MatineeError) throw error;
    output.say(cannotKeep(error));
    return null;
  }
}

function cannotKeep(error: unknown): string {
  const reason = codeOf(error) ?? String(error);
  return `Nothing can be kept in ${uploadsFolder()} (${reason}): should this upload stop, it has to start over.`;
}

/** The upload to go on with; null where a new one begins. */
async function stoppedBefore(
  { job, crypto, output }: Run,
  place: UploadPlace,
  asked: Asked,
): Promise<StoredUpload | null> {
  const stopped = await findStopped(place, (sentence) => output.say(sentence));
  if (!stopped) return null;
  const percent = stoppedAtPercent(stopped);
  if (job.isNew) {
    await giveUp(crypto, place, stopped);
    output.say(`The upload that stopped at ${percent} % is given up, and its room taken down.`);
    return null;
  }
  await mustAgree(crypto, stopped, asked);
  output.say(`Going on with an upload that stopped at ${percent} %; --new to start over.`);
  return stopped;
}

async function hostFile(run: Run, subject: Subject): Promise<void> {
  const { source, facts } = subject;
  const { audioTrack, mayLeaveOutSound, subtitles } = facts;
  const wishes = { ...NO_WISHES, audioTrack, mayLeaveOutSound };
  const video = await openVideo(source, { ...COPY_ONLY, wishes });
  try {
    const own = ownSubtitles(await openTextTracks(source), subtitles);
    const cover = await readCover(video);
    const hasCover = cover !== null && plainCover(cover, []) !== null;
    for (const line of planText({
      ...video,
      subtitles: own.names,
      leftOutSubtitles: own.leftOut,
      unreadSubtitles: own.unread,
      hasCover,
    }))
      run.output.say(line);
    const extras: ExtraSource = {
      first: subtitles,
      make: (listed, signal) => makeExtras(video, own, cover, listed, signal),
    };
    await withJournal(run, subject, video.info.durationMs, (journal) =>
      withKeyOutput(run, subject, (keyOutput) => upload(run, subject, { video, extras }, journal, keyOutput)),
    );
  } finally {
    video.close();
  }
}

/** The cover of what has no pictures else. What goes with a film is never worth losing it for. */
async function readCover(video: PlannedVideo): Promise<Bytes | null> {
  return video.plan.video ? null : ((await video.readCover().catch(() => null))?.bytes ?? null);
}

/** The film's own subtitles, then its cover. */
async function* makeExtras(
  { originS }: PlannedVideo,
  own: OwnSubtitles,
  cover: Bytes | null,
  listed: readonly Bytes[],
  signal: AbortSignal,
): AsyncGenerator<Bytes> {
  yield* own.make(originS, listed, signal);
  const poster = cover && plainCover(cover, listed);
  if (poster) yield poster;
}

/** A task with the journal of its upload, which stays where there is something to go on with. */
async function withJournal(
  { onJournal }: Run,
  { place, stopped, facts }: Subject,
  durationMs: number,
  task: (journal: FileJournal | null) => Promise<void>,
): Promise<void> {
  if (!place) return await task(null);
  const journal = stopped
    ? await reopen(place, stopped)
    : FileJournal.create(place.journal, { ...facts, durationMs });
  onJournal(journal);
  try {
    await task(journal);
  } finally {
    await (journal.isKeeping ? journal.close() : journal.end());
  }
}

async function reopen({ journal: path }: UploadPlace, stopped: StoredUpload): Promise<FileJournal> {
  try {
    return await FileJournal.reopen(path, stopped);
  } catch (cause) {
    throw new MatineeError(
      'FILE_UNREADABLE',
      `What was noted of the upload that stopped, in ${path}, cannot be written (${codeOf(cause) ?? cause}). Check that you may, or say --new to start over.`,
      { cause },
    );
  }
}

/** A task with the file that waits for the room's key; null where none was asked for. */
async function withKeyOutput(
  { job }: Run,
  { stopped }: Subject,
  task: (output: HostKeyOutput | null) => Promise<void>,
): Promise<void> {
  const { keyOutFile: path } = job;
  const hostKey = stopped?.kept.room.hostKey ?? null;
  const output = path === null ? null : await HostKeyOutput.create(path, hostKey);
  try {
    await task(output);
  } finally {
    await output?.close();
  }
}

async function upload(
  { job, crypto, signal, output }: Run,
  { asked, stopped }: Subject,
  film: Pick<HostOptions, 'extras'> & { video: PlannedVideo },
  journal: FileJournal | null,
  keyOutput: HostKeyOutput | null,
): Promise<void> {
  const onLost = (error: unknown): void => output.say(cannotKeep(error));
  try {
    await hostVideo({
      ...film,
      server: job.server,
      roomPassword: asked.roomPassword,
      hostPassword: await readHostPassword(job.hostPasswordFile),
      crypto,
      clock: systemClock,
      fetch,
      random: Math.random,
      ...(journal ? { journal: forgivingJournal(journal, { onKept: () => undefined, onLost }) } : {}),
      kept: stopped?.kept ?? null,
      signal,
      onRoom({ link, hostKey }) {
        keyOutput?.write({ link, title: film.video.info.title, createdAtMs: Date.now(), hostKey });
        output.endLine();
        process.stdout.write(`${link}\n`);
      },
      onProgress: (progress) => output.show(progress),
    });
  } catch (error) {
    throw error instanceof MatineeError ? withAdvice(error, journal, stopped) : error;
  } finally {
    output.endLine();
  }
}

/** The error with what to do about the upload that it ended. */
function withAdvice(
  error: MatineeError,
  journal: FileJournal | null,
  stopped: StoredUpload | null,
): MatineeError {
  const { code, message } = error;
  const isGone = stopped && code === 'ROOM_UNKNOWN';
  const advice = isGone ? 'The same command again makes a new room.' : journal?.isKeeping ? GO_ON : null;
  return advice === null ? error : new MatineeError(code, `${message} ${advice}`, { cause: error });
}

/** In the environment or a file, for a command line is there for everyone on the machine to see. */
async function readHostPassword(path: string | null): Promise<string | null> {
  const { HOST_PASSWORD: inEnvironment } = process.env;
  return path === null ? inEnvironment || null : await readRoomPassword(path, 'password for hosting');
}
