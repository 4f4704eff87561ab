import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { cached, rootFolder } from './cache-folder.ts';
import { findFfmpeg } from './media-tools.ts';
import { once } from './once.ts';
import { runProgram } from './run-program.ts';
import { type ClipRecipe, cutClip, encodeUnit, repeatUnit } from './synthetic-clip.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** A video file as ffprobe measured it. */
export interface Clip {
  path: string;
  durationS: number;
  /** Coded pictures of the video track. */
  frameCount: number;
  widthPx: number;
  heightPx: number;
  sizeBytes: number;
}

export interface ClipWish {
  /** At least this long; rounded up to a whole key frame interval, 2 s. */
  durationS: number;
  /** At least this large, by a higher bitrate; about 1.6 Mbit/s where it is left out. */
  sizeBytes?: number;
  widthPx?: number;
  heightPx?: number;
}

const mainClipName = 'big-buck-bunny-720p-90s.mp4';
const mainClipDurationS = 90;
const ordinaryBitsPerSec = 1_600_000;

/** Path of a file in the media folder beside the project, or null where this machine has no such file. */
export function mediaFile(name: string): string | null {
  const path = join(rootFolder, '..', 'shared', 'media', name);
  return existsSync(path) ? path : null;
}

/**
 * The clip most tests play: 90 s, 1280x720, 24 fps, H.264 High with B-frames and AAC, a key frame every
 * 2 s, about 1.6 Mbit/s. A piece of a real film where the media folder is there, else a made one alike.
 */
export const mainClip: () => Promise<Clip> = once(async () => {
  const real = mediaFile(mainClipName);
  return real === null ? generatedClip({ durationS: mainClipDurationS }) : measureClip(real);
});

/**
 * A made clip like the main one, of any length and size: a few seconds are encoded and repeated, so 2 GB
 * take seconds. It stays in the cache. Rejects with ffmpeg's words.
 */
export async function generatedClip(wish: ClipWish): Promise<Clip> {
  const recipe = recipeFor(wish);
  const { widthPx, heightPx, bitsPerSec, durationS, sizeBytes } = recipe;
  const name = `clip-1-${widthPx}x${heightPx}-${durationS}s-${sizeBytes}B-${bitsPerSec}bps.mp4`;
  const path = await cached(name, (unfinished) => makeClip(recipe, unfinished));
  return measureClip(path);
}

/** A made clip of small pictures at the ordinary bitrate: where many bytes must come and few may be decoded. */
export function lightClip(durationS: number): Promise<Clip> {
  return generatedClip({ durationS, widthPx: 320, heightPx: 180 });
}

/** The beginning of the main clip, unchanged: a real film that is soon over. Whole key frame intervals of 2 s. */
export async function shortClip(durationS: number): Promise<Clip> {
  const main = await mainClip();
  const name = `short-1-${main.sizeBytes}B-${durationS}s.mp4`;
  return measureClip(await cached(name, (path) => cutClip(main.path, durationS, path)));
}

/** Two seconds with two sound tracks: English in AAC, which is the default, and German in Opus. */
export function twoSounds(): Promise<string> {
  return cached('two-sounds-1.mkv', async (path) => {
    const { ffmpeg } = await findFfmpeg();
    const input = (source: string) => ['-f', 'lavfi', '-i', source];
    const inputs = [
      ...input('testsrc2=d=2:r=25:s=320x180'),
      ...input('sine=440:d=2:r=48000'),
      ...input('sine=880:d=2:r=48000'),
    ];
    const codecs = ['-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-c:a:0', 'aac', '-c:a:1', 'libopus'];
    const languages = ['-metadata:s:a:0', 'language=eng', '-metadata:s:a:1', 'language=ger'];
    const maps = ['-map', '0', '-map', '1', '-map', '2'];
    await runProgram(ffmpeg, ['-v', 'error', ...inputs, ...maps, ...codecs, ...languages, path]);
  });
}

/** Twenty seconds with sound and a key frame every ten, as many a download has it. */
export async function rareKeyFrames(): Promise<Clip> {
  const path = await cached('rare-key-frames-1.mp4', async (unfinished) => {
    const { ffmpeg } = await findFfmpeg();
    const inputs = [
      '-f',
      'lavfi',
      '-i',
      'testsrc2=d=20:r=24:s=320x180',
      '-f',
      'lavfi',
      '-i',
      'sine=d=20:r=48000',
    ];
    const video = [
      '-c:v',
      'libx264',
      '-pix_fmt',
      'yuv420p',
      '-b:v',
      '800k',
      '-g',
      '240',
      '-sc_threshold',
      '0',
    ];
    await runProgram(ffmpeg, ['-v', 'error', ...inputs, ...video, '-c:a', 'aac', '-f', 'mp4', unfinished]);
  });
  return measureClip(path);
}

/** What ffprobe finds in a video file; rejects where it finds no video track. */
export async function measureClip(path: string): Promise<Clip> {
  const { ffprobe } = await findFfmpeg();
  const entries = 'stream=width,height,nb_read_packets:format=duration';
  const select = ['-select_streams', 'v:0', '-count_packets', '-show_entries', entries];
  const text = await runProgram(ffprobe, [
    '-v',
    'error',
    ...select,
    '-of',
    'default=noprint_wrappers=1',
    path,
  ]);
  const figure = (name: string): number => {
    const value = Number(new RegExp(`^${name}=(.+)$`, 'm').exec(text)?.[1]);
    if (Number.isFinite(value)) return value;
    throw new Error(`ffprobe told no ${name} of ${path}: is it a video? It said: ${text}`);
  };
  const { size: sizeBytes } = await stat(path);
  const [durationS, frameCount] = [figure('duration'), figure('nb_read_packets')];
  return { path, durationS, frameCount, widthPx: figure('width'), heightPx: figure('height'), sizeBytes };
}

function recipeFor(wish: ClipWish): Required<ClipWish> & ClipRecipe {
  const { durationS, sizeBytes = 0, widthPx = 1280, heightPx = 720 } = wish;
  const bitsPerSec = Math.max(ordinaryBitsPerSec, Math.ceil((sizeBytes * 8) / durationS));
  return { durationS, sizeBytes, widthPx, heightPx, bitsPerSec };
}

/** An encoder may fall short of its bitrate, so how often to repeat goes by the unit's true size. */
async function makeClip(recipe: Required<ClipWish> & ClipRecipe, path: string): Promise<void> {
  const folder = await temporaryFolder();
  try {
    const unit = await measureClip(await encodeUnit(recipe, join(folder.path, 'unit.mp4')));
    const neededS = (recipe.sizeBytes / unit.sizeBytes) * unit.durationS;
    await repeatUnit(unit.path, Math.max(recipe.durationS, neededS), path);
  } finally {
    await folder.remove();
  }
}
