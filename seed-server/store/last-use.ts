import { stat, utimes } from 'node:fs/promises';
import { codeOf } from './durable.ts';
import type { StorePaths } from './paths.ts';

/** Milliseconds since 1970 of a room's last change or noted use: by the times of its folders, which change with what is moved into them. */
export async function lastUseMs(paths: StorePaths, room: string, videos: readonly string[]): Promise<number> {
  const places = videos.flatMap((video) => [paths.video(room, video), paths.segments(room, video)]);
  const times = await Promise.all([paths.room(room), paths.record(room), ...places].map(changedMs));
  return Math.max(...times);
}

/** Writes down a room's use, as the time of its record, which is itself never changed. Does nothing where there is no such room. */
export async function noteUse(paths: StorePaths, room: string, atMs: number): Promise<void> {
  try {
    await utimes(paths.record(room), new Date(atMs), new Date(atMs));
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

async function changedMs(path: string): Promise<number> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 0;
    throw error;
  }
}
