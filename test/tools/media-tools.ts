import { dirname, join } from 'node:path';
import { firstExecutable, isExecutable, placesOnPath } from './executables.ts';
import { once } from './once.ts';
import { packagedMediaTools } from './packaged-media-tools.ts';
import { runProgram } from './run-program.ts';
import { tell } from './tell.ts';

/** Paths of the two programs. */
export interface MediaTools {
  ffmpeg: string;
  ffprobe: string;
}

/**
 * The ffmpeg and ffprobe to test with: `MATINEE_FFMPEG` (the path of an ffmpeg that has ffprobe beside it,
 * or `npm` for the packaged ones), else the installed ones where they can encode H.264 and AAC, else those
 * that ship inside npm packages. Says once which they are. Rejects with what to install where none work.
 */
export const findFfmpeg: () => Promise<MediaTools> = once(async () => {
  const { MATINEE_FFMPEG: wish = '' } = process.env;
  const tools = await chooseTools(wish);
  tell(`ffmpeg for the tests: ${tools.ffmpeg}`);
  return tools;
});

async function chooseTools(wish: string): Promise<MediaTools> {
  if (wish === 'npm') return packagedOrAdvice();
  if (wish !== '') return wishedTools(wish);
  return (await installedTools()) ?? packagedOrAdvice();
}

async function wishedTools(ffmpeg: string): Promise<MediaTools> {
  const tools = {
    ffmpeg,
    ffprobe: join(dirname(ffmpeg), ffmpeg.endsWith('.exe') ? 'ffprobe.exe' : 'ffprobe'),
  };
  if ((await isExecutable(tools.ffprobe)) && (await canEncode(tools.ffmpeg))) return tools;
  throw new Error(
    `MATINEE_FFMPEG names ${ffmpeg}: there must be an ffmpeg with libx264 there, and ffprobe beside it.`,
  );
}

async function installedTools(): Promise<MediaTools | null> {
  const ffmpeg = await firstExecutable(placesOnPath(['ffmpeg']));
  const ffprobe = await firstExecutable(placesOnPath(['ffprobe']));
  if (ffmpeg === null || ffprobe === null || !(await canEncode(ffmpeg))) return null;
  return { ffmpeg, ffprobe };
}

async function packagedOrAdvice(): Promise<MediaTools> {
  try {
    const tools = await packagedMediaTools();
    if (await canEncode(tools.ffmpeg)) return tools;
    throw new Error(`${tools.ffmpeg} has no libx264`);
  } catch (cause) {
    const advice = 'Install one (Debian: apt-get install ffmpeg), or set MATINEE_FFMPEG to the path of one.';
    throw new Error(
      `No ffmpeg that encodes H.264 is installed and npm could not bring one. ${advice} (${cause})`,
      {
        cause,
      },
    );
  }
}

/** Whether it runs and has both encoders: some distributions leave libx264 out. */
async function canEncode(ffmpeg: string): Promise<boolean> {
  try {
    const encoders = await runProgram(ffmpeg, ['-hide_banner', '-encoders']);
    return /^\s*V\S+ libx264 /m.test(encoders) && /^\s*A\S+ aac /m.test(encoders);
  } catch {
    return false;
  }
}
