import type { Doing } from '../../../peer/chat/presence.ts';
import type { Stats } from '../room-session.ts';

/** What the others are told that this member does. */
export function doingOf(startupMs: Stats['startupMs'], isWaiting: boolean, isHidden: boolean): Doing {
  if (isHidden) return 'away';
  if (startupMs === null) return 'waiting';
  return isWaiting ? 'buffering' : 'watching';
}
