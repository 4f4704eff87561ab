import { MatineeError } from '../errors.ts';
import { isSubtitleName } from '../extras/subtitle-name.ts';
import { CONVERT_IT } from './package-plan.ts';
import { readExactly, type VideoSource } from './package-source.ts';

/** Where a video format that isn't read yet shows itself: these bytes, as Latin-1 text, at this place of the file. */
const KNOWN_FORMATS = [
  { name: 'AVI', at: 8, magic: 'AVI ' },
  { name: 'Flash video (FLV)', at: 0, magic: 'FLV\x01' },
  { name: 'Windows Media (WMV)', at: 0, magic: '\x30\x26\xb2\x75\x8e\x66\xcf\x11' },
  { name: 'RealMedia', at: 0, magic: '.RMF' },
  { name: 'MPEG program stream (MPG or VOB)', at: 0, magic: '\x00\x00\x01\xba' },
];

const MPEG4_PART_2_IDS = ['FMP4', 'MP4V', 'XVID', 'DIVX', 'DX50'];

/** Enough for an AVI's stream headers. */
const HEAD_BYTES = 4096;

/**
 * The error for a file no reader knows: CODEC_UNSUPPORTED, naming format and codec, where it is a video nonetheless,
 * else FILE_NOT_VIDEO.
 * @throws MatineeError FILE_UNREADABLE where the start of the file can't be read.
 */
export async function unknownFileError(source: VideoSource, cause: unknown): Promise<MatineeError> {
  if (isSubtitleName(source.name)) return subtitlesAlone(cause);
  const head = latin1(await readExactly(source, 0, Math.min(HEAD_BYTES, source.sizeBytes)));
  const format = KNOWN_FORMATS.find(({ at, magic }) => head.startsWith(magic, at));
  if (!format) {
    return new MatineeError(
      'FILE_NOT_VIDEO',
      'This file is not a video that Matinee knows. Drop an MP4, MOV, MKV, WebM or TS file.',
      { cause },
    );
  }
  const codec = format.name === 'AVI' ? aviCodec(head) : null;
  const what = codec === null ? `${format.name} files` : `${format.name} files with ${codec}`;
  return new MatineeError('CODEC_UNSUPPORTED', `${what} can't be played in a room. ${CONVERT_IT}`, { cause });
}

function subtitlesAlone(cause: unknown): MatineeError {
  return new MatineeError(
    'FILE_NOT_VIDEO',
    'These are subtitles without a video. Drop them together with their video, both at once.',
    { cause },
  );
}

/** The error for a file whose format is known but that has no track in it. */
export function noTracksError(): MatineeError {
  return new MatineeError(
    'FILE_NOT_VIDEO',
    'This file begins like a video, but its index is missing: the recording or the download was probably cut off. ' +
      'Download it again, or have it repaired by the program that recorded it.',
  );
}

/** The video codec of an AVI, from the stream header's fccHandler, which follows fccType 'vids'. */
function aviCodec(head: string): string | null {
  const at = head.indexOf('vids');
  if (at < 0) return null;
  const id = head.slice(at + 4, at + 8).toUpperCase();
  return MPEG4_PART_2_IDS.includes(id)
    ? `MPEG-4 Part 2 video (${id})`
    : `${id.replace(/[^\w ]/g, '?')} video`;
}

function latin1(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
