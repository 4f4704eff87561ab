import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StartError } from '../start-error.ts';
import { codeOf, replaceFile, syncFolder } from './durable.ts';
import { StorePaths } from './paths.ts';

/** Changes a data folder of one version into one of the next; may be cut off at any point, and is then run again. */
export type Migration = (dataDir: string) => Promise<void>;

/** By the version that each starts from, the first of which is 1: how rooms were laid out before folders said their version. */
const MIGRATIONS: readonly Migration[] = [];

const FIRST_VERSION = 1;

/**
 * Changes a data folder to the version that this program writes, one step after the other, and notes it there. The
 * folder exists and is locked.
 * @param migrations other ones than the program's, for tests.
 * @throws StartError where the folder is of a newer version, or says none that can be read.
 */
export async function bringUpToDate(dataDir: string, migrations = MIGRATIONS): Promise<void> {
  const current = FIRST_VERSION + migrations.length;
  const noted = await notedVersion(dataDir);
  const found = noted ?? ((await hasRooms(dataDir)) ? FIRST_VERSION : current);
  if (found > current) throw tooNew(dataDir, found, current);
  for (let version = found; version < current; version++) {
    await migrations[version - FIRST_VERSION]?.(dataDir);
    await noteVersion(dataDir, version + 1);
  }
  if (noted === null && found === current) await noteVersion(dataDir, current);
}

async function notedVersion(dataDir: string): Promise<number | null> {
  const text = await readFile(versionFile(dataDir), 'utf8').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return null;
  if (/^[1-9]\d{0,5}\n?$/.test(text)) return Number(text);
  throw new StartError(
    `The file ${versionFile(dataDir)} says no version. If this is a data folder of Matinee, write the number ${FIRST_VERSION} into it.`,
  );
}

async function noteVersion(dataDir: string, version: number): Promise<void> {
  const { temporary } = new StorePaths(dataDir);
  await mkdir(temporary, { recursive: true });
  await replaceFile(temporary, versionFile(dataDir), Buffer.from(`${version}\n`));
  await syncFolder(dataDir);
}

async function hasRooms(dataDir: string): Promise<boolean> {
  const names = await readdir(new StorePaths(dataDir).rooms).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  });
  return names.length > 0;
}

function versionFile(dataDir: string): string {
  return join(dataDir, 'version');
}

function tooNew(dataDir: string, found: number, current: number): StartError {
  return new StartError(
    `The data folder ${dataDir} was written by a newer Matinee (version ${found}, this one knows up to ${current}). Update Matinee, or set DATA_DIR to another folder.`,
  );
}
