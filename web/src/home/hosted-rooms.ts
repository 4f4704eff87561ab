import { areEqual, type Bytes } from '../../../peer/bytes.ts';
import { formatHostKey, type HostedRoomKey, parseHostKey } from '../../../peer/host/host-key-file.ts';
import { parseRoomLink } from '../../../peer/room-link.ts';

/** The rooms this browser is the host of: their keys, in its storage, one file's text for each. */

/** The room page looks for it too, before it loads this: own-host-key.ts. */
const HOSTED_ROOMS_KEY = 'matinee.rooms';

/** Rooms kept at most; the oldest goes first. */
const MAX_HOSTED_ROOMS = 200;

/** All of them, newest first; what cannot be read is left out. */
export function hostedRooms(): HostedRoomKey[] {
  return readTexts().flatMap((text) => {
    try {
      return [parseHostKey(text)];
    } catch {
      // Written by a later version, or by somebody at the console: no room of ours.
      return [];
    }
  });
}

/** The key of this room, or null. */
export function hostKeyOf(roomId: Bytes): HostedRoomKey | null {
  return hostedRooms().find((room) => isRoom(room, roomId)) ?? null;
}

/** Keeps a room's key. Says whether the browser lets us. */
export function keepRoom(room: HostedRoomKey): boolean {
  const { roomId } = parseRoomLink(room.link);
  return write([room, ...hostedRooms().filter((other) => !isRoom(other, roomId))].slice(0, MAX_HOSTED_ROOMS));
}

/** Forgets a room that is gone. */
export function forgetRoom(link: string): void {
  const { roomId } = parseRoomLink(link);
  write(hostedRooms().filter((room) => !isRoom(room, roomId)));
}

function isRoom({ link }: HostedRoomKey, roomId: Bytes): boolean {
  return areEqual(parseRoomLink(link).roomId, roomId);
}

function readTexts(): string[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(HOSTED_ROOMS_KEY) ?? '[]');
    return Array.isArray(stored) ? stored.filter((text) => typeof text === 'string') : [];
  } catch {
    return [];
  }
}

function write(rooms: HostedRoomKey[]): boolean {
  try {
    localStorage.setItem(HOSTED_ROOMS_KEY, JSON.stringify(rooms.map(formatHostKey)));
    return true;
  } catch {
    return false;
  }
}
