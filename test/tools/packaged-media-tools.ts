import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from './cache-folder.ts';
import type { MediaTools } from './media-tools.ts';
import { installPackages } from './npm-package.ts';

const packages = { ffmpeg: '@ffmpeg-installer/ffmpeg@1.1.0', ffprobe: '@ffprobe-installer/ffprobe@2.1.2' };
const suffix = process.platform === 'win32' ? '.exe' : '';

/**
 * ffmpeg and ffprobe that came inside npm packages; fetched (about 40 MB) where they are not in the cache
 * yet. Rejects with npm's words, or when there is no such package for this kind of machine.
 */
export async function packagedMediaTools(): Promise<MediaTools> {
  const folder = await cached('media-tools-1', async (path) => {
    await installPackages(path, Object.values(packages));
    await Promise.all(Object.values(paths(path)).map((program) => chmod(program, 0o755)));
  });
  return paths(folder);
}

function paths(folder: string): MediaTools {
  const machine = `${process.platform}-${process.arch}`;
  const path = (tool: string) => join(folder, 'node_modules', `@${tool}-installer`, machine, tool + suffix);
  return { ffmpeg: path('ffmpeg'), ffprobe: path('ffprobe') };
}
