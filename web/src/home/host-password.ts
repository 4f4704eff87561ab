import * as v from 'valibot';

/** Where a tab remembers it; gone with the tab. */
const KEY = 'matinee.hostPassword';

const hostingAnswer = v.object({ needsPassword: v.boolean() });

/** Whether this page's server asks hosts for a password; false where it does not say: it will when the room is made. */
export async function doesServerAskHosts(fetch: typeof globalThis.fetch): Promise<boolean> {
  try {
    const response = await fetch('/api/hosting');
    const parsed = v.safeParse(hostingAnswer, await response.json());
    return parsed.success && parsed.output.needsPassword;
  } catch {
    // Offline, or not JSON: hosting itself says what is wrong.
    return false;
  }
}

/** What was typed in this tab before; empty where nothing was. */
export function keptHostPassword(storage: Pick<Storage, 'getItem'>): string {
  return storage.getItem(KEY) ?? '';
}

/** Remembers it for this tab. */
export function keepHostPassword(storage: Pick<Storage, 'setItem'>, password: string): void {
  storage.setItem(KEY, password);
}
