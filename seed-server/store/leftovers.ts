import { readdir, rm, rmdir } from 'node:fs/promises';
import { codeOf } from './durable.ts';
import { isVideoId, type StorePaths } from './paths.ts';
import { fileBytes } from './quota.ts';

/**
 * Removes the folders of a room and its videos of which a crash left no more than their beginning: nobody was told that
 * they are stored. Whatever holds a record, a head or a segment stays. So every folder there is was synced by whoever
 * made it, as that comes before the first file in it. Its caller sees to it that nobody changes the room meanwhile.
 */
export async function removeLeftovers(paths: StorePaths, room: string): Promise<void> {
  for (const video of (await namesIn(paths.videos(room))).filter(isVideoId)) {
    await removeUnbegun(paths, room, video);
  }
  if ((await fileBytes(paths.record(room))) === 0) await removeIfEmpty(paths.room(room));
}

/** A manifest comes before the first segment, its pages before its head: without the head they are of no use. */
async function removeUnbegun(paths: StorePaths, room: string, video: string): Promise<void> {
  if ((await fileBytes(paths.head(room, video))) > 0) return;
  if ((await namesIn(paths.segments(room, video))).length > 0) return;
  await rm(paths.video(room, video), { recursive: true, force: true });
  await removeIfEmpty(paths.videos(room));
}

async function removeIfEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')) throw error;
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return [];
    throw error;
  }
}
