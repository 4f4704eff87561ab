import type { Bytes } from '../bytes.ts';
import { MatineeError } from '../errors.ts';
import { decodeExtra, encodeExtra, MAX_SUBTITLE_TRACKS, subtitleExtras } from './extra.ts';
import { mustBeSmall, readSubtitles } from './subtitle-file.ts';
import { readSubtitleName, type SubtitleName } from './subtitle-name.ts';

/** A subtitle file wherever it is: a File is one. */
export interface SubtitleSource {
  readonly name: string;
  readonly size: number;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/**
 * The files beside a video as encoded extras, a track for each file.
 * @throws MatineeError FILE_NOT_SUBTITLES where one of them is no subtitles, or there are too many; FILE_UNREADABLE.
 */
export async function readSubtitleFiles(files: readonly SubtitleSource[]): Promise<Bytes[]> {
  if (files.length > MAX_SUBTITLE_TRACKS) {
    throw new MatineeError(
      'FILE_NOT_SUBTITLES',
      `These are ${files.length} subtitle files: at most ${MAX_SUBTITLE_TRACKS} go with a video.`,
    );
  }
  const extras: Bytes[] = [];
  for (const [track, file] of files.entries()) {
    const cues = readSubtitles(file.name, await bytesOf(file));
    const subject = { track, ...readSubtitleName(file.name) };
    extras.push(...subtitleExtras(subject, cues).map(encodeExtra));
  }
  return extras;
}

/** What is known of each track of such extras. */
export function subtitleNames(extras: readonly Bytes[]): SubtitleName[] {
  const names = new Map<number, SubtitleName>();
  for (const extra of extras.map(decodeExtra)) {
    if (extra.kind !== 'subtitles') continue;
    const { track, language, label, isDefault } = extra;
    names.set(track, { language, label, isDefault });
  }
  return [...names.values()];
}

async function bytesOf(file: SubtitleSource): Promise<Uint8Array> {
  mustBeSmall(file.name, file.size);
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch (cause) {
    throw new MatineeError(
      'FILE_UNREADABLE',
      `“${file.name}” can no longer be read. It may have been moved, changed or unplugged: choose it again.`,
      { cause },
    );
  }
}
