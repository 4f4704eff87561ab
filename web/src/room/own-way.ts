/** Whether this tab's person watches on their own, not where the room is: kept for a reload. */

const KEY = 'matinee.onOwn';

export function isOnOwnAtStart(): boolean {
  try {
    return sessionStorage.getItem(KEY) !== null;
  } catch {
    return false;
  }
}

export function rememberOnOwn(isOnOwn: boolean): void {
  try {
    if (isOnOwn) sessionStorage.setItem(KEY, '1');
    else sessionStorage.removeItem(KEY);
  } catch {
    // Blocked storage: after a reload they are with the room again.
  }
}
