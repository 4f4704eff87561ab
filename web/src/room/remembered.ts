/** What this browser keeps from one room to the next. Every read may find nothing: people block and clear storage. */

const NAME_KEY = 'matinee.name';

/** The name chosen last, or null. */
export function rememberedName(): string | null {
  try {
    return localStorage.getItem(NAME_KEY);
  } catch {
    return null;
  }
}

/** Keeps the name for the next room, where the browser lets us. */
export function rememberName(name: string): void {
  try {
    localStorage.setItem(NAME_KEY, name);
  } catch {
    // Blocked storage costs a default name at the next visit and nothing else.
  }
}
