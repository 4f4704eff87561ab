import { type Bytes, toHex } from '../bytes.ts';
import type { Crypto } from '../crypto/crypto.ts';
import { asMatineeError } from '../errors.ts';
import type { Link } from '../wire/link.ts';
import { CHAT_ID_BYTES } from '../wire/messages.ts';

/** What something sealed, a line of the chat or a statement of the room's playing, is known by on its way, hex: the first half of the SHA-256 of its sealed form. */
export async function sealedId(crypto: Crypto, sealed: Bytes): Promise<string> {
  return toHex((await crypto.sha256(sealed)).subarray(0, CHAT_ID_BYTES));
}

/** A member has read what it passes on. The origin cannot: something bad that somebody left there must not part us from it. */
export function refuseSealed(link: Link, error: unknown): void {
  if (link.remote.kind === 'origin') return;
  link.close(asMatineeError(error, 'FRAME_MALFORMED', 'sealed message not understood').code);
}
