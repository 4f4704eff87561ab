import type { RoomSnapshot } from '../room-session.ts';

/** What lies over the video. One at a time, the most pressing first. */
export type Overlay = 'failed' | 'play' | 'connecting' | 'first-pieces' | 'waiting' | null;

/** `snapshot` is null until the room is open. */
export function overlayOf(snapshot: RoomSnapshot | null): Overlay {
  if (!snapshot) return 'connecting';
  if (snapshot.problem?.isFatal) return 'failed';
  if (snapshot.isPlayRefused) return 'play';
  if (snapshot.stats.startupMs !== null) return snapshot.isWaiting ? 'waiting' : null;
  return isConnected(snapshot) ? 'first-pieces' : 'connecting';
}

function isConnected({ video, stats }: RoomSnapshot): boolean {
  return video !== null || stats.connectedPeers > 0;
}
