import type { PeerView } from '../room-session.ts';

/** More would not be told apart: those with the most to give or take are drawn. */
const MAX_DRAWN = 9;

/** Half the width and height of the ring around oneself, in the picture's units. */
const RING_X = 118;
const RING_Y = 62;

/** The widest line, and the rate at which it is drawn. */
const MAX_WIDTH = 6;
const FULL_BYTES_PER_SEC = 4_000_000;

export interface DrawnPeer {
  peer: PeerView;
  /** From the middle of the picture, where one is oneself. */
  x: number;
  y: number;
  /** Width of the line by what flows now; 0 where nothing does. */
  receivedWidth: number;
  sentWidth: number;
}

/** Where each peer is drawn: the server on top, the others around, always in the same order. */
export function swarmLayout(peers: readonly PeerView[]): DrawnPeer[] {
  const drawn = [...peers]
    .sort((a, b) => busyness(b) - busyness(a))
    .slice(0, MAX_DRAWN)
    .sort((a, b) => Number(a.kind === 'member') - Number(b.kind === 'member') || (a.id < b.id ? -1 : 1));
  return drawn.map((peer, index) => {
    const angle = (2 * Math.PI * index) / drawn.length - Math.PI / 2;
    return {
      peer,
      x: Math.cos(angle) * RING_X,
      y: Math.sin(angle) * RING_Y,
      receivedWidth: widthOf(peer.receivedBytesPerSec),
      sentWidth: widthOf(peer.sentBytesPerSec),
    };
  });
}

function busyness({ kind, bytesReceived, bytesSent }: PeerView): number {
  return kind === 'origin' ? Number.POSITIVE_INFINITY : bytesReceived + bytesSent;
}

/** By the square root, so that a trickle is seen beside a flood. */
function widthOf(bytesPerSec: number): number {
  if (bytesPerSec < 500) return 0;
  return Math.max(1.5, MAX_WIDTH * Math.sqrt(Math.min(1, bytesPerSec / FULL_BYTES_PER_SEC)));
}
