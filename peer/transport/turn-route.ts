/** A row of WebRTC statistics (W3C webrtc-stats), as simple-peer hands them out. */
export interface StatsRow {
  id?: string;
  type?: string;
  nominated?: boolean;
  selected?: boolean;
  state?: string;
  localCandidateId?: string;
  remoteCandidateId?: string;
  candidateType?: string;
}

/** Whether a connection goes through a TURN server, ours or the peer's, by its statistics. */
export function isThroughTurn(rows: readonly StatsRow[]): boolean {
  const pairs = rows.filter(({ type, state }) => type === 'candidate-pair' && state === 'succeeded');
  const pair = pairs.find(({ selected }) => selected) ?? pairs.find(({ nominated }) => nominated);
  const ends = [pair?.localCandidateId, pair?.remoteCandidateId];
  return rows.some(({ id, candidateType }) => candidateType === 'relay' && ends.includes(id));
}
