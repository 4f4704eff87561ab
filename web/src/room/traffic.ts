import type { Stats } from '../room-session.ts';

/** Whose bytes the film is made of here. */
export interface Traffic {
  fromServerBytes: number;
  fromFriendsBytes: number;
  /** 0 to 1; null while nothing was received. */
  friendsShare: number | null;
}

/** The server's bytes are the same to a person whether they came over a data channel or plain HTTP. */
export function trafficOf({ bytesReceived }: Stats): Traffic {
  const fromServerBytes = bytesReceived.origin + bytesReceived.http;
  const fromFriendsBytes = bytesReceived.peers;
  const allBytes = fromServerBytes + fromFriendsBytes;
  return {
    fromServerBytes,
    fromFriendsBytes,
    friendsShare: allBytes === 0 ? null : fromFriendsBytes / allBytes,
  };
}
