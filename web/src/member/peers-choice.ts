/** Whether a person wants connections to other viewers, who then see their network address. */
export type PeersChoice = 'yes' | 'no';

/** `localStorage[PEERS_KEY]`, and `?peers=` of the address, which goes before it: both can be set before the page opens. */
const PEERS_KEY = 'matinee.peers';

/** What was chosen, by this address or at an earlier visit; null where nothing was. */
export function chosenPeers(query: string): PeersChoice | null {
  return asChoice(new URLSearchParams(query).get('peers')) ?? asChoice(remembered());
}

/** Keeps the choice for the next room, where the browser lets us. */
export function rememberPeers(choice: PeersChoice): void {
  try {
    localStorage.setItem(PEERS_KEY, choice);
  } catch {
    // Blocked storage costs the same question at the next visit.
  }
}

function remembered(): string | null {
  try {
    return localStorage.getItem(PEERS_KEY);
  } catch {
    return null;
  }
}

function asChoice(text: string | null): PeersChoice | null {
  return text === 'yes' || text === 'no' ? text : null;
}
