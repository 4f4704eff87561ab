import { areEqual, type Bytes } from '../peer/bytes.ts';
import { systemClock } from '../peer/clock.ts';
import type { Crypto } from '../peer/crypto/crypto.ts';
import { secretWithPassword } from '../peer/crypto/password.ts';
import { MatineeError } from '../peer/errors.ts';
import { roomRequests } from '../peer/host/room-requests.ts';
import { NotNow } from '../peer/host/send.ts';
import { removeRoom } from '../peer/host/take-down.ts';
import { parseRoomLink } from '../peer/room-link.ts';
import { FileJournal, readKeptUpload } from './file-journal.ts';
import type { HostJob } from './host-arguments.ts';
import type { StoredUpload } from './kept-upload.ts';
import type { UploadPlace } from './upload-place.ts';

/** What the command line asked for besides the file. */
export interface Asked extends Pick<HostJob, 'audioTrack' | 'mayLeaveOutSound'> {
  /** The subtitle files as extras; null: none were named. */
  subtitles: readonly Bytes[] | null;
  roomPassword: string | null;
}

/** The upload that stopped at this place; null where there is none. `say` hears of one that nobody can go on with. */
export async function findStopped(
  { journal }: UploadPlace,
  say: (sentence: string) => void,
): Promise<StoredUpload | null> {
  try {
    return await readKeptUpload(journal);
  } catch {
    say(
      'An upload of this file stopped, but what was noted of it cannot be read: it starts over in a new room.',
    );
    return null;
  }
}

/** How much of the film was signed, in whole percent. */
export function stoppedAtPercent({ facts: { durationMs }, kept: { entries } }: StoredUpload): number {
  const last = entries.at(-1);
  const listedMs = last ? last.startMs + last.durationMs : 0;
  return durationMs === 0 ? 0 : Math.min(100, Math.floor((listedMs / durationMs) * 100));
}

/**
 * An upload goes on as it began, so what is asked for must be what it began with, or be left open.
 * @throws MatineeError REQUEST_MALFORMED naming what differs.
 */
export async function mustAgree(crypto: Crypto, stopped: StoredUpload, asked: Asked): Promise<void> {
  const { facts } = stopped;
  const isOtherSound = asked.audioTrack !== null && asked.audioTrack !== facts.audioTrack;
  const different = [
    ...(isOtherSound ? ['--audio'] : []),
    ...(asked.mayLeaveOutSound && !facts.mayLeaveOutSound ? ['--without-sound'] : []),
    ...(asked.subtitles && !areSame(asked.subtitles, facts.subtitles) ? ['the subtitle files'] : []),
    ...((await isOtherPassword(crypto, stopped, asked)) ? ['the room password'] : []),
  ];
  if (different.length === 0) return;
  throw new MatineeError(
    'REQUEST_MALFORMED',
    `An upload of this file stopped at ${stoppedAtPercent(stopped)} %, and it began with something else for ${different.join(' and ')}. ` +
      'Leave that out to go on with it, or say --new to start over.',
  );
}

/**
 * Gives an upload up that stopped: its room goes from the server, and what was noted of it from here.
 * @throws MatineeError SERVER_UNREACHABLE, or what the server refuses it with; then all stays as it is.
 */
export async function giveUp(crypto: Crypto, { journal }: UploadPlace, stopped: StoredUpload): Promise<void> {
  const { server } = stopped.facts;
  const { room } = stopped.kept;
  const requests = roomRequests(server, room.roomId, room.videoId);
  try {
    await removeRoom({ fetch, crypto, clock: systemClock }, room, requests);
  } catch (error) {
    if (!(error instanceof NotNow)) throw error;
    throw new MatineeError(
      'SERVER_UNREACHABLE',
      `The server at ${server} does not answer, so the room of the upload that stopped cannot be taken down. Check that it runs, then try again.`,
      { cause: error },
    );
  }
  await FileJournal.create(journal, stopped.facts).end();
}

function areSame(some: readonly Bytes[], others: readonly Bytes[]): boolean {
  return some.length === others.length && some.every((bytes, i) => areEqual(bytes, others[i] ?? bytes));
}

async function isOtherPassword(
  crypto: Crypto,
  { kept: { room } }: StoredUpload,
  { roomPassword }: Asked,
): Promise<boolean> {
  if (roomPassword === null) return false;
  const link = parseRoomLink(room.link);
  if (!link.hasPassword) return true;
  return !areEqual(await secretWithPassword(crypto, link, roomPassword), room.roomSecret);
}
