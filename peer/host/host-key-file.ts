import * as v from 'valibot';
import { areEqual, type Bytes, fromBase64url, toBase64url, utf8 } from '../bytes.ts';
import type { Crypto, SigningKey } from '../crypto/crypto.ts';
import { roomIdOf } from '../crypto/keys.ts';
import { MatineeError } from '../errors.ts';
import { parseRoomLink, type RoomLink } from '../room-link.ts';

/** What makes somebody the host of a room, wherever they open it: kept by their browser, and carried in a file. */
export interface HostedRoomKey {
  /** The link that viewers get; a password, where there is one, is not in it. */
  readonly link: string;
  readonly title: string;
  /** Milliseconds since 1970. */
  readonly createdAtMs: number;
  readonly hostKey: SigningKey;
}

/** Characters of such a file at most; an honest one has some 700. */
export const MAX_KEY_FILE_CHARS = 8192;

/** Characters of a title kept with a key: it is only to tell rooms apart. */
export const MAX_KEY_TITLE_CHARS = 300;

const MAX_LINK_CHARS = 2000;
const KEY_BYTES = 32;

const WARNING = 'Whoever has this file is the host of this room. Keep it to yourself.';

const keyBytes = v.pipe(
  v.string(),
  v.maxLength(64),
  v.rawTransform<string, Bytes>(({ dataset, addIssue, NEVER }) => {
    const bytes = fromBase64url(dataset.value);
    if (bytes?.byteLength === KEY_BYTES) return bytes;
    addIssue({ message: 'no key' });
    return NEVER;
  }),
);

const keyFile = v.object({
  matinee: v.literal('host key'),
  v: v.literal(1),
  link: v.pipe(v.string(), v.maxLength(MAX_LINK_CHARS)),
  title: v.pipe(v.string(), v.maxLength(MAX_KEY_TITLE_CHARS)),
  createdAtMs: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(8.64e15)),
  publicKey: keyBytes,
  privateKey: keyBytes,
});

/** The text of the file, JSON. */
export function formatHostKey({ link, title, createdAtMs, hostKey }: HostedRoomKey): string {
  const file = {
    matinee: 'host key',
    v: 1,
    warning: WARNING,
    link,
    title: title.slice(0, MAX_KEY_TITLE_CHARS),
    createdAtMs,
    publicKey: toBase64url(hostKey.publicKey),
    privateKey: toBase64url(hostKey.privateKey),
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/**
 * What such a file says, its form checked and no more: see proveHostKey.
 * @throws MatineeError REQUEST_MALFORMED where it is no such file.
 */
export function parseHostKey(text: string): HostedRoomKey {
  if (text.length > MAX_KEY_FILE_CHARS) throw notAKeyFile();
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), keyFile), text);
  if (!parsed.success || linkOf(parsed.output.link) === null) throw notAKeyFile();
  const { link, title, createdAtMs, publicKey, privateKey } = parsed.output;
  return { link, title, createdAtMs, hostKey: { publicKey, privateKey } };
}

/** Proves that the key is the room's: the halves fit, and the room's id follows from them. @throws MatineeError SIGNATURE_WRONG. */
export async function proveHostKey(crypto: Crypto, { link, hostKey }: HostedRoomKey): Promise<void> {
  const { publicKey, privateKey } = hostKey;
  const isOfRoom = areEqual(await roomIdOf(crypto, publicKey), parseRoomLink(link).roomId);
  const probe = utf8('matinee/1 key file');
  if (isOfRoom && (await crypto.verify(publicKey, await crypto.sign(privateKey, probe), probe))) return;
  throw new MatineeError(
    'SIGNATURE_WRONG',
    'The key in this file is not that of its room: the file was changed. Export it again where the room was made.',
  );
}

/** The name to give the file: the room's first characters tell several apart. */
export function keyFileName({ link }: HostedRoomKey): string {
  return `matinee-room-${toBase64url(parseRoomLink(link).roomId).slice(0, 4)}.json`;
}

function linkOf(href: string): RoomLink | null {
  try {
    return parseRoomLink(href);
  } catch {
    // Says no more than that this is no key file, which the caller says better.
    return null;
  }
}

function notAKeyFile(): MatineeError {
  return new MatineeError(
    'REQUEST_MALFORMED',
    'This is not the key file of a room. It is called matinee-room-….json and was saved where the room was made.',
  );
}
