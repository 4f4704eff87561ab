import SimplePeer from 'simple-peer';
import type { SimplePeerLike } from '../../../peer/transport/simple-peer-channel.ts';
import type { IceServer } from '../../../signaling/messages.ts';

/** What a member connects with in a browser. */

/** Whether this browser has data channels. */
export const canConnect: boolean = SimplePeer.WEBRTC_SUPPORT;

/** One end of a connection to be. */
export function createPeer(isInitiator: boolean, iceServers: readonly IceServer[]): SimplePeerLike {
  const servers = iceServers.map(({ urls, username, credential }) => ({
    urls,
    ...(username !== undefined && { username }),
    ...(credential !== undefined && { credential }),
  }));
  // The package's types leave out the fields we stand on (bufferSize, the channel's low-water event).
  return new SimplePeer({
    initiator: isInitiator,
    config: { iceServers: servers },
  }) as unknown as SimplePeerLike;
}

/** The signaling server's address, for a page of this one. */
export function signalingUrl(href: string): string {
  const url = new URL('/signal', href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  url.hash = '';
  return url.href;
}
