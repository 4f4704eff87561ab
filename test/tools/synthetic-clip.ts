import { findFfmpeg } from './media-tools.ts';
import { runProgram } from './run-program.ts';

export interface ClipRecipe {
  widthPx: number;
  heightPx: number;
  bitsPerSec: number;
}

const fps = 24;
const keyFrameEveryS = 2;
const unitS = 8;
const audioBitsPerSec = 128_000;

/** Encodes the few seconds of picture that get repeated, at that path: a test card under moving noise. */
export async function encodeUnit(recipe: ClipRecipe, path: string): Promise<string> {
  const { ffmpeg } = await findFfmpeg();
  await runProgram(ffmpeg, ['-v', 'error', '-y', ...picture(recipe), ...coding(recipe), path]);
  return path;
}

/**
 * Writes the unit's pictures again and again, unchanged, until that many seconds are reached, ending before
 * a key frame, under one unbroken tone; moov comes first.
 */
export async function repeatUnit(unit: string, durationS: number, path: string): Promise<void> {
  const { ffmpeg } = await findFfmpeg();
  const wholeS = Math.ceil(durationS / keyFrameEveryS) * keyFrameEveryS;
  const sound = `sine=frequency=440:sample_rate=48000:duration=${wholeS}`;
  const inputs = ['-stream_loop', '-1', '-i', unit, '-f', 'lavfi', '-i', sound];
  const video = ['-map', '0:v', '-c:v', 'copy', '-frames:v', String(wholeS * fps)];
  const audio = ['-map', '1:a', '-c:a', 'aac', '-ac', '2', '-b:a', String(audioBitsPerSec)];
  await runProgram(ffmpeg, [
    '-v',
    'error',
    '-y',
    ...inputs,
    ...video,
    ...audio,
    '-movflags',
    '+faststart',
    path,
  ]);
}

/** Writes the first so many seconds of a film of our frame rate, copied as they are; moov comes first. */
export async function cutClip(film: string, durationS: number, path: string): Promise<void> {
  const { ffmpeg } = await findFfmpeg();
  // By time alone the first pictures of the next key frame interval would come along.
  const length = ['-t', String(durationS), '-frames:v', String(durationS * fps)];
  const copied = [...length, '-c', 'copy', '-movflags', '+faststart'];
  await runProgram(ffmpeg, ['-v', 'error', '-y', '-i', film, ...copied, path]);
}

function picture({ widthPx, heightPx }: ClipRecipe): string[] {
  // Without noise the card costs almost nothing, and no encoder would reach a high bitrate.
  const card = `testsrc2=size=${widthPx}x${heightPx}:rate=${fps}:duration=${unitS}`;
  return ['-f', 'lavfi', '-i', `${card},noise=alls=20:allf=t`];
}

function coding({ bitsPerSec }: ClipRecipe): string[] {
  const groupFrames = String(keyFrameEveryS * fps);
  const keyFrames = ['-g', groupFrames, '-keyint_min', groupFrames, '-sc_threshold', '0', '-bf', '2'];
  const format = ['-c:v', 'libx264', '-preset', 'veryfast', '-profile:v', 'high', '-pix_fmt', 'yuv420p'];
  return [...format, ...keyFrames, '-b:v', String(bitsPerSec - audioBitsPerSec)];
}
