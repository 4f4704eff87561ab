import type { Stats } from 'node:fs';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { MatineeError } from '../peer/errors.ts';
import type { SubtitleSource } from '../peer/extras/subtitle-files.ts';
import { BLOCK_BYTES, readInBlocks } from '../peer/host/block-reader.ts';
import type { VideoSource } from '../peer/host/package.ts';

/** A file to package, open until it is closed. */
export interface OpenFile {
  source: VideoSource;
  close(): Promise<void>;
}

/**
 * Opens a file to package.
 * @throws MatineeError FILE_UNREADABLE where it is not there, not a file, or not ours to read.
 */
export async function openFile(path: string): Promise<OpenFile> {
  const handle = await open(path, 'r').catch((error: unknown) => {
    throw unreadable(path, error);
  });
  const stats = await handle.stat();
  if (!stats.isFile()) {
    await handle.close();
    throw notAFile(path, stats.isDirectory());
  }
  const read = readInBlocks(stats.size, async (start, end) => {
    const bytes = await readRange(handle, start, end);
    mustBeAsItWas(stats, await handle.stat());
    return bytes;
  });
  return {
    source: { name: basename(path), sizeBytes: stats.size, read, blockBytes: BLOCK_BYTES },
    close: () => handle.close(),
  };
}

/** A small file, open only while it is read. @throws MatineeError FILE_UNREADABLE as openFile. */
export async function readWholeFile(path: string): Promise<SubtitleSource> {
  const { source, close } = await openFile(path);
  const { name, sizeBytes: size } = source;
  await close();
  return { name, size, arrayBuffer: async () => new Uint8Array(await readFile(path)).buffer };
}

/** Fewer bytes than asked for where the file ends before. */
async function readRange(handle: FileHandle, start: number, end: number): Promise<Uint8Array> {
  // Not filled with zeros first: all that is given was read.
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(end - start).buffer);
  let at = 0;
  while (at < bytes.byteLength) {
    const { bytesRead } = await handle.read(bytes, at, bytes.byteLength - at, start + at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return bytes.subarray(0, at);
}

/**
 * Of a file that changes while it is read one part would be from before and one from after.
 * @throws MatineeError FILE_UNREADABLE.
 */
function mustBeAsItWas(before: Stats, now: Stats): void {
  if (before.mtimeMs === now.mtimeMs && before.size === now.size) return;
  const sentence =
    now.size > before.size
      ? 'This file is still being written: it has grown since it was opened. Wait until the recording or the download has ended, and give the command again.'
      : 'This file was changed while it was read. Give the command again once it stays as it is.';
  throw new MatineeError('FILE_UNREADABLE', sentence);
}

function unreadable(path: string, cause: unknown): MatineeError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : 'unknown';
  const sentence =
    code === 'ENOENT' || code === 'ENOTDIR'
      ? `There is no file ${path}. Check the name, and put quotes around one that has spaces.`
      : `The file ${path} can't be opened (${code}). Check that you may read it.`;
  return new MatineeError('FILE_UNREADABLE', sentence, { cause });
}

function notAFile(path: string, isFolder: boolean): MatineeError {
  const what = isFolder ? 'is a folder. Name a video file in it' : 'is not a file. Name a video file';
  return new MatineeError('FILE_UNREADABLE', `${path} ${what}.`);
}
