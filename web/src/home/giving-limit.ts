import { PIECE_BYTES } from '../../../peer/limits.ts';

/** The upload is what everybody depends on: what is given takes no more than a quarter of a line that both share. */
const SHARE_OF_UPLOAD = 1 / 3;

/** Of what the person lets be given: the rest is for what the page passes on as a viewer. */
export const SHARE_OF_LIMIT = 1 / 2;

/** Bytes a second while the upload's speed is not known yet. */
const FIRST_BYTES_PER_SEC = PIECE_BYTES;

export interface UploadNow {
  /** Null while nothing is known. */
  bytesPerSec: number | null;
  isPaused: boolean;
  /** The server does not answer. */
  isStuck: boolean;
  /** This device is on mobile data, and nothing is to be given on that. */
  isSpared: boolean;
  /** The most that the person lets be given to others here, all together; null: without limit. */
  limitBytesPerSec: number | null;
}

/** Bytes per second that the host's page gives to viewers at most beside its upload: null without limit, 0 nothing. */
export function givingLimit(now: UploadNow): number | null {
  const { isPaused, isSpared, limitBytesPerSec } = now;
  // Who pauses wants the line for something else.
  if (isPaused || isSpared) return 0;
  const besideUpload = limitByUpload(now);
  if (limitBytesPerSec === null) return besideUpload;
  const own = Math.floor(limitBytesPerSec * SHARE_OF_LIMIT);
  return besideUpload === null ? own : Math.min(own, besideUpload);
}

function limitByUpload({ bytesPerSec, isStuck }: UploadNow): number | null {
  if (isStuck) return null;
  return Math.max(1, Math.round(bytesPerSec === null ? FIRST_BYTES_PER_SEC : bytesPerSec * SHARE_OF_UPLOAD));
}
