import { type Bytes, fromBase64url } from '../../peer/bytes.ts';
import type { Crypto } from '../../peer/crypto/crypto.ts';
import { MatineeError } from '../../peer/errors.ts';
import type { StorePaths } from './paths.ts';
import type { Quota } from './quota.ts';
import type { ReadStore } from './read-store.ts';

/** What the parts of the file store share. */
export interface Shelf {
  crypto: Crypto;
  paths: StorePaths;
  files: ReadStore;
  quota: Quota;
}

/** The bytes of an id. @throws MatineeError REQUEST_MALFORMED where it is no base64url. */
export function idBytes(id: string): Bytes {
  const bytes = fromBase64url(id);
  if (bytes) return bytes;
  throw new MatineeError('REQUEST_MALFORMED', 'This is not an id. Check the address.');
}

/** The error for a room that is not here. */
export function roomUnknown(): MatineeError {
  return new MatineeError(
    'ROOM_UNKNOWN',
    'There is no such room, or it has been taken down. Ask the host for a new link.',
  );
}
