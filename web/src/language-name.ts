import { language } from './language.ts';

/** A language's name for people, in the page's own; null where the code says nothing. */
export function languageName(code: string): string | null {
  if (code === 'und') return null;
  try {
    return new Intl.DisplayNames(language(), { type: 'language' }).of(code) ?? code;
  } catch {
    return code;
  }
}

/** "German", "German (forced)", "forced"; `fallback` where nothing is known of a track. */
export function trackName(track: { language: string; label: string }, fallback: string): string {
  const name = languageName(track.language);
  if (name === null) return track.label || fallback;
  return track.label === '' ? name : `${name} (${track.label})`;
}
