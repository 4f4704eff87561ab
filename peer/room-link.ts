import { type Bytes, fromBase64url, toBase64url } from './bytes.ts';
import { ROOM_ID_BYTES, ROOM_SECRET_BYTES } from './crypto/keys.ts';
import { MatineeError } from './errors.ts';

/** What opens a room: its id, and the secret that all its keys come from. */
export interface RoomEntry {
  readonly roomId: Bytes;
  readonly roomSecret: Bytes;
}

/** What a room's link says. */
export interface RoomLink extends RoomEntry {
  /** Whether the link's secret opens the room only together with a password: see crypto/password.ts. */
  readonly hasPassword: boolean;
}

/** Behind the secret of a room that has a password, so that the page asks for it before it knocks. */
const PASSWORD_MARK = '.p';

const SECRET_CHARS = Math.ceil((ROOM_SECRET_BYTES * 8) / 6);

/**
 * The link of a room, `<origin>/r/<room id>#<room secret>`, and `.p` at the end where there is a password too, on the
 * origin of `base` (a URL; its path is dropped). The secret stays behind the `#`, which browsers never send.
 * Throws TypeError if `base` is no URL.
 */
export function formatRoomLink(base: string, { roomId, roomSecret, hasPassword }: RoomLink): string {
  const mark = hasPassword ? PASSWORD_MARK : '';
  return `${new URL(base).origin}/r/${toBase64url(roomId)}#${toBase64url(roomSecret)}${mark}`;
}

/**
 * The room id and secret of a link, and whether there is a password; a query, as some sites add to links, is ignored.
 * Throws MatineeError LINK_INCOMPLETE if the secret is missing or cut off, LINK_MALFORMED for anything else.
 */
export function parseRoomLink(href: string): RoomLink {
  const url = parseUrl(href);
  const idText = /^\/r\/([^/]*)\/?$/.exec(url.pathname)?.[1];
  if (idText === undefined) throw notARoomLink();
  const fragment = url.hash.slice(1);
  const hasPassword = fragment.endsWith(PASSWORD_MARK);
  const roomSecret = parseSecret(hasPassword ? fragment.slice(0, -PASSWORD_MARK.length) : fragment);
  return { roomId: parseRoomId(idText), roomSecret, hasPassword };
}

function parseUrl(href: string): URL {
  try {
    return new URL(href);
  } catch {
    // Not kept as the cause: in Node that error carries the whole text, and with it the secret.
    throw notARoomLink();
  }
}

function parseSecret(text: string): Bytes {
  if (text.length < SECRET_CHARS) throw linkIncomplete(text === '' ? 'missing' : 'too short');
  const secret = fromBase64url(text);
  if (secret?.byteLength === ROOM_SECRET_BYTES) return secret;
  throw linkMalformed(
    `the part after # is not ${SECRET_CHARS} letters, digits, - and _. Copy it again, without anything around it`,
  );
}

function parseRoomId(text: string): Bytes {
  const roomId = fromBase64url(text);
  if (roomId?.byteLength === ROOM_ID_BYTES) return roomId;
  throw linkMalformed('the part between /r/ and # is no room. Copy it again');
}

function linkIncomplete(what: 'missing' | 'too short'): MatineeError {
  const sentence = `This link is cut off: the part after # is ${what}. Ask the host to send the whole link.`;
  return new MatineeError('LINK_INCOMPLETE', sentence);
}

function linkMalformed(what: string): MatineeError {
  return new MatineeError(
    'LINK_MALFORMED',
    `This link is damaged: ${what}, or ask the host to send it anew.`,
  );
}

function notARoomLink(): MatineeError {
  return new MatineeError(
    'LINK_MALFORMED',
    'This is not the link of a room, which looks like https://…/r/…#…. Ask the host to send the link again.',
  );
}
