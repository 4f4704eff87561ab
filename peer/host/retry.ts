/** The wait before the second try, milliseconds, and where doubling it stops. */
const MIN_DELAY_MS = 500;
const MAX_DELAY_MS = 15_000;

/** How long a server that has answered before may be away. A router restarts in less, a server is deployed in less. */
const MAX_OUTAGE_MS = 10 * 60 * 1000;

/** Tries before that counts: a laptop that slept through the ten minutes is given a minute to find its network. */
const MIN_OUTAGE_TRIES = 8;

/** A server that never answered is more likely a wrong address: say so while the person still looks. */
const MAX_FIRST_TRIES = 3;
const MAX_FIRST_MS = 5000;

/** The server's silence so far. */
export interface Outage {
  /** Whether the server has ever answered us. */
  hasAnswered: boolean;
  /** Tries that failed since its last answer. */
  tries: number;
  /** Milliseconds since the first of them began. */
  lastedMs: number;
}

/** Whether to stop trying and tell the person. */
export function shouldGiveUp({ hasAnswered, tries, lastedMs }: Outage): boolean {
  return hasAnswered
    ? tries >= MIN_OUTAGE_TRIES && lastedMs >= MAX_OUTAGE_MS
    : tries >= MAX_FIRST_TRIES || lastedMs >= MAX_FIRST_MS;
}

/**
 * Milliseconds to wait after so many failed tries (from 1): doubling from 0.5 s to 15 s, with up to half of it
 * taken off at random so that a server that comes back does not meet everybody in the same moment.
 * @param random gives 0 to 1.
 */
export function backoffMs(tries: number, random: () => number): number {
  const fullMs = Math.min(MAX_DELAY_MS, 2 * MIN_DELAY_MS * 2 ** Math.min(tries - 1, 30));
  return Math.round(fullMs * (1 - random() / 2));
}
