import { type Bytes, totalBytes } from '../bytes.ts';
import { encryptSegment } from '../crypto/content.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { MatineeError } from '../errors.ts';
import { MAX_SEGMENT_BYTES } from '../limits.ts';
import { piecesOf } from '../manifest/geometry.ts';
import { describeSegment, type SegmentEntry } from '../manifest/page.ts';
import type { LaidOutSegment } from './extra-layout.ts';
import type { PackagedSegment } from './package.ts';

/** A segment ready to be listed and uploaded. */
export interface SealedSegment {
  number: number;
  entry: SegmentEntry;
  /** Its ciphertext, in the pieces that viewers ask for. */
  pieces: readonly Bytes[];
  /** What is in it where it is an extra, which cannot always be made the same again; else null. */
  extra: Bytes | null;
}

/**
 * The segment encrypted under the video's content key, with its entry for the manifest.
 * @throws MatineeError UPLOAD_REFUSED where it is too large for a manifest to list.
 */
export async function sealSegment(
  crypto: Crypto,
  contentKey: Bytes,
  segment: LaidOutSegment,
): Promise<SealedSegment> {
  const { number, startMs, durationMs, parts, extra } = segment;
  if (totalBytes(parts) > MAX_SEGMENT_BYTES) throw tooLarge(segment);
  const pieces = piecesOf(await encryptSegment(crypto, contentKey, number, parts));
  const entry = await describeSegment(crypto, startMs, durationMs, pieces);
  return { number, pieces, entry, extra };
}

function tooLarge({ startMs, parts }: PackagedSegment): MatineeError {
  const [atS, sizeMb] = [Math.round(startMs / 1000), Math.round(totalBytes(parts) / 1e6)];
  return new MatineeError(
    'UPLOAD_REFUSED',
    `This video has ${sizeMb} MB between two key frames, ${atS} s from its start: too much for anyone to wait for. ` +
      'Export it again with a key frame every 2 seconds or a lower bitrate.',
  );
}
