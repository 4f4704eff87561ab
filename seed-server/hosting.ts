import { createHash, timingSafeEqual } from 'node:crypto';
import { MatineeError } from '../peer/errors.ts';

/** The header by which a host says the server's password, percent-encoded: headers are ASCII. */
export const PASSWORD_HEADER = 'x-host-password';

/** Who may make rooms on a server, and how large. */
export interface HostingRules {
  /** Null: everybody may host. */
  hostPassword: string | null;
  /** Bytes of one room at most; Infinity: no limit of its own. */
  maxRoomBytes: number;
}

export const OPEN_TO_ALL: HostingRules = { hostPassword: null, maxRoomBytes: Number.POSITIVE_INFINITY };

/** What the home page is told of them. */
export function describeHosting({ hostPassword, maxRoomBytes }: HostingRules): {
  needsPassword: boolean;
  maxRoomBytes: number | null;
} {
  return {
    needsPassword: hostPassword !== null,
    maxRoomBytes: Number.isFinite(maxRoomBytes) ? maxRoomBytes : null,
  };
}

/**
 * Passes only who says the password. Takes the same time for every wrong one.
 * @param said the header's value as it came.
 * @throws MatineeError HOSTING_NEEDS_PASSWORD.
 */
export function mustKnowPassword(hostPassword: string, said: string | undefined): void {
  if (said === undefined) {
    throw new MatineeError(
      'HOSTING_NEEDS_PASSWORD',
      'This server asks hosts for a password. Ask whoever runs it.',
    );
  }
  if (timingSafeEqual(digest(hostPassword), digest(decoded(said)))) return;
  throw new MatineeError(
    'HOSTING_NEEDS_PASSWORD',
    'This is not the password for hosting here. Check it and try again.',
  );
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A bare password with a % in it, as somebody may send by hand.
    return text;
  }
}

/** Of one length, whatever is said. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text.normalize('NFKC')).digest();
}
