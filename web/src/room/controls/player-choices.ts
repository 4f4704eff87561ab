/** How loud this browser plays and which subtitles it shows: kept for the next film. Storage may be blocked. */

const VOLUME_KEY = 'matinee.volume';
const SUBTITLES_KEY = 'matinee.subtitles';

export interface Loudness {
  /** From 0 to 1. */
  volume: number;
  isMuted: boolean;
}

/** The loudness of last time; null where nothing, or nothing sensible, is kept. */
export function keptLoudness(): Loudness | null {
  const [volumeText = '', mutedText] = read(VOLUME_KEY)?.split(' ') ?? [];
  const volume = Number.parseFloat(volumeText);
  return volume >= 0 && volume <= 1 ? { volume, isMuted: mutedText === 'muted' } : null;
}

export function keepLoudness({ volume, isMuted }: Loudness): void {
  write(VOLUME_KEY, `${volume.toFixed(2)} ${isMuted ? 'muted' : 'on'}`);
}

/** What is kept where somebody wants none: no subtitles have an empty name. */
export const NO_SUBTITLES = '';

/** The name of the subtitles chosen last; NO_SUBTITLES for none of them; null where nobody chose. */
export function keptSubtitles(): string | null {
  return read(SUBTITLES_KEY);
}

export function keepSubtitles(label: string): void {
  write(SUBTITLES_KEY, label);
}

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // It is as it was at the next film, and nothing else.
  }
}
