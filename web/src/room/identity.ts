import * as v from 'valibot';
import { fromBase64url, toBase64url } from '../../../peer/bytes.ts';
import type { Crypto, SigningKey } from '../../../peer/crypto/crypto.ts';

/**
 * Who this tab is in a room: its member key, which survives a reload. It lies in the tab's own storage only while the
 * page is left or out of sight: browsers copy that storage into a duplicated tab, and two tabs with one key would take
 * the place in the room from each other.
 */

/** What we use of sessionStorage. */
export type TabStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

const keyText = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{43}$/));
const kept = v.pipe(v.string(), v.parseJson(), v.strictObject({ publicKey: keyText, privateKey: keyText }));

/** The member key kept for this room (its id), out of the storage now; a fresh one where there is none or anything is wrong with it. */
export async function takeMemberKey(
  crypto: Crypto,
  room: string,
  storage: TabStorage | null,
): Promise<SigningKey> {
  const key = readKey(room, storage);
  forgetMemberKey(room, storage);
  return key && (await isPair(crypto, key)) ? key : await crypto.generateSigningKey();
}

/** Puts the key down for whoever opens this room in this tab next. */
export function leaveMemberKey(room: string, key: SigningKey, storage: TabStorage | null): void {
  const publicKey = toBase64url(key.publicKey);
  const text = JSON.stringify({ publicKey, privateKey: toBase64url(key.privateKey) });
  // Where storage is full or refused a reload makes somebody new: a pity, and no more.
  tryTo(() => storage?.setItem(placeOf(room), text));
}

/** Takes the key out of the storage. */
export function forgetMemberKey(room: string, storage: TabStorage | null): void {
  tryTo(() => storage?.removeItem(placeOf(room)));
}

/** Leaves the key whenever this page is out of sight or left, and when `signal` aborts; takes it back when the page returns. */
export function leaveKeyWhenAway(
  room: string,
  key: SigningKey,
  storage: TabStorage | null,
  signal: AbortSignal,
): void {
  const leave = (): void => leaveMemberKey(room, key, storage);
  const settle = (): void => {
    if (document.visibilityState === 'hidden') leave();
    else forgetMemberKey(room, storage);
  };
  settle();
  document.addEventListener('visibilitychange', settle, { signal });
  window.addEventListener('pageshow', settle, { signal });
  window.addEventListener('pagehide', leave, { signal });
  signal.addEventListener('abort', leave, { once: true });
}

/** This tab's storage; null where the browser refuses it. */
export function tabStorage(): TabStorage | null {
  try {
    return sessionStorage;
  } catch {
    return null;
  }
}

function placeOf(room: string): string {
  return `matinee.member.${room}`;
}

function readKey(room: string, storage: TabStorage | null): SigningKey | null {
  let text: string | null = null;
  tryTo(() => {
    text = storage?.getItem(placeOf(room)) ?? null;
  });
  const parsed = v.safeParse(kept, text);
  if (!parsed.success) return null;
  const publicKey = fromBase64url(parsed.output.publicKey);
  const privateKey = fromBase64url(parsed.output.privateKey);
  return publicKey && privateKey && { publicKey, privateKey };
}

async function isPair(crypto: Crypto, { publicKey, privateKey }: SigningKey): Promise<boolean> {
  const signature = await crypto.sign(privateKey, publicKey);
  return await crypto.verify(publicKey, signature, publicKey);
}

/** Storage may be blocked, cleared or full at any time. */
function tryTo(use: () => void): void {
  try {
    use();
  } catch {
    // As if nothing were kept.
  }
}
