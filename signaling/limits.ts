/**
 * What one address, one room and all together may have of a signaling server. An address may be a school behind one
 * NAT, so one address gets what a few classes need; whoever has more addresses meets the limits of rooms and of all.
 */
export interface SignalingLimits {
  /** Connections open at once, over all addresses. One costs some 26 kB here and one file handle. */
  connections: number;
  /** Connections open at once from one address: eight classes of thirty. */
  connectionsPerAddress: number;
  /** New connections at once from one address: all of those come back after a broken line. */
  burstPerAddress: number;
  /** New connections a second from one address in the long run: a member joins once and stays. */
  perSecPerAddress: number;
  /** Members who join one room at once: a full one comes back after a restart. Each is told of 8 members and dials 4. */
  joinBurstPerRoom: number;
  /** Members who join one room a second in the long run. */
  joinsPerSecPerRoom: number;
}

export const SIGNALING_LIMITS: SignalingLimits = {
  connections: 10_000,
  connectionsPerAddress: 240,
  burstPerAddress: 240,
  perSecPerAddress: 20,
  joinBurstPerRoom: 1000,
  joinsPerSecPerRoom: 100,
};

/** Addresses and rooms remembered at most; those seen last. A bucket takes some 100 bytes. */
export const MAX_REMEMBERED = 20_000;
