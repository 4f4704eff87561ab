import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { concat } from '../../peer/bytes.ts';
import type { Clip } from './clips.ts';
import { findFfmpeg } from './media-tools.ts';
import { runProgram } from './run-program.ts';
import { temporaryFolder } from './temporary-folder.ts';

const WIDTH_PX = 8;
const HEIGHT_PX = 8;

/** Subtitles as Blu-rays have them (PGS, a .sup file): a small white square, twice. */
function pgs(): Uint8Array {
  const line = Uint8Array.of(0, 0x80 | WIDTH_PX, 1, 0, 0);
  const pixels = concat(...Array.from({ length: HEIGHT_PX }, () => line));
  const [size, place] = [
    concat(number(2, WIDTH_PX), number(2, HEIGHT_PX)),
    concat(number(2, 100), number(2, 600)),
  ];
  const screen = (count: number, objects: Uint8Array, state: number) =>
    concat(
      number(2, 1280),
      number(2, 720),
      Uint8Array.of(0x10),
      number(2, count),
      Uint8Array.of(state, 0, 0),
      objects,
    );
  const window = concat(Uint8Array.of(1, 0), place, size);
  const shown = (atMs: number, count: number) =>
    concat(
      segment(atMs, 0x16, screen(count, concat(Uint8Array.of(1, 0, 0, 0, 0), place), 0x80)),
      segment(atMs, 0x17, window),
      segment(atMs, 0x14, Uint8Array.of(0, 0, 1, 235, 128, 128, 255)),
      segment(
        atMs,
        0x15,
        concat(Uint8Array.of(0, 0, 0, 0xc0), number(3, pixels.byteLength + 4), size, pixels),
      ),
      segment(atMs, 0x80, new Uint8Array()),
    );
  const hidden = (atMs: number, count: number) =>
    concat(
      segment(atMs, 0x16, screen(count, Uint8Array.of(0), 0)),
      segment(atMs, 0x17, window),
      segment(atMs, 0x80, new Uint8Array()),
    );
  return concat(shown(1000, 0), hidden(2500, 1), shown(5000, 2), hidden(7000, 3));
}

function segment(atMs: number, kind: number, data: Uint8Array): Uint8Array {
  const head = concat(Uint8Array.of(0x50, 0x47), number(4, atMs * 90), number(4, 0), Uint8Array.of(kind));
  return concat(head, number(2, data.byteLength), data);
}

function number(byteCount: number, value: number): Uint8Array {
  return Uint8Array.from({ length: byteCount }, (_, i) => value >>> (8 * (byteCount - 1 - i)));
}

/** The clip as a file of that name with German subtitles that are pictures, by ffmpeg; `codec`: its name for their kind, or "copy" for PGS. */
export async function filmWithPictures(
  clip: Clip,
  name: string,
  codec: string,
): Promise<Buffer<ArrayBuffer>> {
  const folder = await temporaryFolder();
  try {
    const [pictures, path] = [join(folder.path, 'pictures.sup'), join(folder.path, name)];
    await writeFile(pictures, pgs());
    const { ffmpeg } = await findFfmpeg();
    const inputs = ['-v', 'error', '-i', clip.path, '-i', pictures, '-map', '0', '-map', '1'];
    await runProgram(ffmpeg, [
      ...inputs,
      '-c',
      'copy',
      '-c:s',
      codec,
      '-metadata:s:s:0',
      'language=ger',
      path,
    ]);
    return await readFile(path);
  } finally {
    await folder.remove();
  }
}
