import { createHash } from 'node:crypto';
import { readdir, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { toHex } from '../peer/bytes.ts';
import { MatineeError } from '../peer/errors.ts';
import type { FileIdentity } from '../peer/host/file-identity.ts';
import { KEPT_FOR_MS } from '../peer/host/upload-journal.ts';
import { codeOf, makeFolders } from './store/durable.ts';
import { type FolderLock, lockFolder } from './store/folder-lock.ts';

const JOURNAL = 'upload';
const LOCK = 'lock';

/** Tries to get a folder that whoever had it is just removing. */
const MAX_TRIES = 5;

/** Where the upload of one file to one server is noted, ours alone until `release`. */
export interface UploadPlace {
  /** Path of its journal, which need not be there. */
  journal: string;
  /** Leaves it to others; a folder in which nothing is kept goes. */
  release(): Promise<void>;
}

/**
 * Takes the place of a file's upload to a server: a folder named after both, under `folder`. A copy of the file, under whatever name,
 * has the same one.
 * @param server the seed server's origin.
 * @throws MatineeError REQUEST_MALFORMED where another process on this machine has it (but on Windows, where nobody is kept out); the system's error
 *   where it cannot be made.
 */
export async function takeUploadPlace(
  folder: string,
  server: string,
  { sizeBytes, digest }: FileIdentity,
): Promise<UploadPlace> {
  const subject = `${server}\n${sizeBytes}\n${toHex(digest)}`;
  const path = join(folder, createHash('sha256').update(subject).digest('hex').slice(0, 32));
  return await takePlace(path, () => underWay(server));
}

/**
 * Removes what is kept under `folder` of uploads of which nothing was noted for KEPT_FOR_MS. Those that some process has, this one too,
 * stay, whatever their age, and so does what cannot be removed.
 */
export async function removeOldUploads(folder: string, nowMs: number): Promise<void> {
  for (const name of await readdir(folder)) {
    // In use, or not ours to remove.
    await removeIfOld(join(folder, name), nowMs).catch(() => undefined);
  }
}

async function removeIfOld(path: string, nowMs: number): Promise<void> {
  if (!(await isOld(path, nowMs))) return;
  const place = await takePlace(path, () => new Error('in use'));
  try {
    // Whoever had it may have gone on with it meanwhile.
    if (await isOld(path, nowMs)) await rm(place.journal);
  } finally {
    await place.release();
  }
}

async function isOld(path: string, nowMs: number): Promise<boolean> {
  return nowMs - (await stat(join(path, JOURNAL))).mtimeMs > KEPT_FOR_MS;
}

async function takePlace(path: string, inUse: () => Error): Promise<UploadPlace> {
  const lock = await lockPlace(path, inUse);
  const release = async (): Promise<void> => {
    await lock.release();
    await removeIfEmpty(join(path, LOCK));
    await removeIfEmpty(path);
  };
  try {
    await removeLeftovers(path);
    return { journal: join(path, JOURNAL), release };
  } catch (error) {
    await release();
    throw error;
  }
}

async function lockPlace(path: string, inUse: () => Error): Promise<FolderLock> {
  for (let tries = 1; ; tries++) {
    try {
      await makeFolders(path);
      return await lockFolder(path, inUse);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' || tries === MAX_TRIES) throw error;
    }
  }
}

/** What was on its way to be the journal when its writer died. */
async function removeLeftovers(path: string): Promise<void> {
  for (const name of await readdir(path))
    if (name !== JOURNAL && name !== LOCK) await rm(join(path, name), { force: true });
}

async function removeIfEmpty(path: string): Promise<void> {
  await rmdir(path).catch((error: unknown) => {
    // Something is kept there, or somebody else has taken it by now.
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(codeOf(error) ?? '')) throw error;
  });
}

function underWay(server: string): MatineeError {
  return new MatineeError(
    'REQUEST_MALFORMED',
    `This very file is being uploaded to ${server} by another command. Wait until that one has ended; its link works meanwhile.`,
  );
}
