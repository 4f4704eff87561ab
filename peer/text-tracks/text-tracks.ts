import type { Cue } from '../extras/extra.ts';
import type { SubtitleName } from '../extras/subtitle-name.ts';

/** Text tracks that are read of one file. Some releases have one for every language there is. */
export const MAX_TEXT_TRACKS = 32;

/** Cues of one track: a film has 1,500, one with signs and songs 10,000. */
export const MAX_TRACK_CUES = 20_000;

/** Bytes of a document of many cues (TTML). */
export const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024;

/** Bytes of one cue as it lies in the file; with its styles one has 2 kB at most. */
export const MAX_CUE_BYTES = 64 * 1024;

/** Bytes of all cues of a file together. */
export const MAX_TEXT_BYTES = 32 * 1024 * 1024;

/** The text tracks of a file, known by its index alone. */
export interface TextTracks {
  /** In the order of the file. */
  readonly names: readonly SubtitleName[];
  /** Subtitles that are pictures, in the order of the file: no text track can show them, so they are left out. */
  readonly pictures: readonly SubtitleName[];
  /** Those of kinds that are not read here, their names saying which, in the order of the file. */
  readonly unread: readonly SubtitleName[];
  /**
   * The cues of each, in the order they begin, with the file's times; what cannot be understood is left out.
   * @throws MatineeError FILE_UNREADABLE; the signal's reason once it aborts.
   */
  read(signal: AbortSignal): Promise<Cue[][]>;
}

/** A cue as it lies in the file. */
export interface RawCue {
  startMs: number;
  /** Exclusive; null: the file does not say, so until the next one begins. */
  endMs: number | null;
  /** With the markup of its format. */
  text: string;
}
