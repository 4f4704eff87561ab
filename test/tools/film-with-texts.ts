import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clip } from './clips.ts';
import { findFfmpeg } from './media-tools.ts';
import { runProgram } from './run-program.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** A text track of a film, as SRT. */
export interface FilmText {
  /** ISO 639-2. */
  language: string;
  title?: string;
  srt: string;
}

/** The clip as a file of that name with texts inside, by ffmpeg; `how`: more of its options, such as the texts' codec. */
export async function filmWithTexts(
  clip: Clip,
  name: string,
  texts: readonly FilmText[],
  how: readonly string[],
): Promise<Buffer<ArrayBuffer>> {
  const folder = await temporaryFolder();
  try {
    const inputs: string[] = [];
    const marks: string[] = [];
    for (const [i, { language, title = '', srt }] of texts.entries()) {
      const path = join(folder.path, `${i}.srt`);
      await writeFile(path, srt);
      inputs.push('-i', path);
      const of = `-metadata:s:s:${i}`;
      marks.push('-map', String(i + 1), of, `language=${language}`, of, `title=${title}`);
    }
    const { ffmpeg } = await findFfmpeg();
    const path = join(folder.path, name);
    const quietly = ['-v', 'error', '-i', clip.path, ...inputs, '-map', '0', '-c', 'copy'];
    await runProgram(ffmpeg, [...quietly, ...marks, ...how, path]);
    return await readFile(path);
  } finally {
    await folder.remove();
  }
}

/** The clip as MP4 with two chapters. */
export async function filmWithChapters(clip: Clip): Promise<Buffer<ArrayBuffer>> {
  const folder = await temporaryFolder();
  try {
    const [list, path] = [join(folder.path, 'chapters'), join(folder.path, 'film.mp4')];
    const chapter = (startS: number, endS: number) =>
      `[CHAPTER]\nTIMEBASE=1/1\nSTART=${startS}\nEND=${endS}\ntitle=From ${startS} s\n`;
    await writeFile(list, `;FFMETADATA1\n${chapter(0, 4)}${chapter(4, 10)}`);
    const { ffmpeg } = await findFfmpeg();
    const inputs = ['-i', clip.path, '-i', list, '-map_metadata', '1'];
    await runProgram(ffmpeg, ['-v', 'error', ...inputs, '-c', 'copy', path]);
    return await readFile(path);
  } finally {
    await folder.remove();
  }
}
