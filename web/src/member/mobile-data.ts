import { networkInformation } from './network.ts';

const SPARE_KEY = 'matinee.spareMobileData';

/**
 * Calls back with whether this device is on mobile data, at once and at each change; returns the undo. Null where the browser
 * does not say: then nobody is asked about it either.
 */
export function watchMobileData(onChange: (isOn: boolean) => void): (() => void) | null {
  const connection = networkInformation();
  if (connection?.type === undefined) return null;
  const tell = (): void => onChange(connection.type === 'cellular');
  tell();
  connection.addEventListener('change', tell);
  return () => connection.removeEventListener('change', tell);
}

/** Whether nothing is to be uploaded on mobile data. Yes, until somebody says that it may be: it can cost them money. */
export function isMobileDataSpared(): boolean {
  try {
    return localStorage.getItem(SPARE_KEY) !== 'no';
  } catch {
    return true;
  }
}

/** Keeps that choice for the next room, where the browser lets us. */
export function rememberSparing(isSpared: boolean): void {
  try {
    localStorage.setItem(SPARE_KEY, isSpared ? 'yes' : 'no');
  } catch {
    // Blocked storage costs the same choice at the next visit.
  }
}
