/**
 * Highest random weight (Thaler and Ravishankar, 1998): every peer ranks the same peers the same way for a piece
 * without talking, and when one leaves only its pieces change hands. FNV-1a with a final mix (MurmurHash3's fmix32):
 * not for secrets, only for an even spread.
 */
function weight(peerId: string, segment: number, piece: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < peerId.length; i++) hash = Math.imul(hash ^ peerId.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ segment, 0x01000193);
  hash = Math.imul(hash ^ piece, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Which of these peers (at least one) is to fetch this piece from the origin for all of them. */
export function responsiblePeer(peerIds: readonly string[], segment: number, piece: number): string {
  let best = peerIds[0] ?? '';
  let bestWeight = -1;
  for (const id of peerIds) {
    const itsWeight = weight(id, segment, piece);
    if (itsWeight > bestWeight || (itsWeight === bestWeight && id > best)) {
      best = id;
      bestWeight = itsWeight;
    }
  }
  return best;
}
