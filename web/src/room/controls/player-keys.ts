/** What a key does to the film. Places and steps in seconds; volume from 0 to 1. */
export type PlayerAction =
  | { kind: 'toggle' | 'mute' | 'fullScreen' | 'captions' | 'smallWindow' | 'help' }
  | { kind: 'step'; byS: number }
  | { kind: 'share'; share: number }
  | { kind: 'volume'; by: number }
  | { kind: 'speed'; direction: 1 | -1 };

/** Where the key was pressed. */
export type KeyPlace = 'typing' | 'button' | 'slider' | 'film' | 'elsewhere';

export interface PressedKey {
  key: string;
  hasModifier: boolean;
  place: KeyPlace;
}

const SHORT_STEP_S = 5;
const LONG_STEP_S = 10;
const VOLUME_STEP = 0.05;

/** Keys that people know from other players, by what they type. */
const LETTERS = new Map<string, PlayerAction>(
  Object.entries({
    k: { kind: 'toggle' },
    j: { kind: 'step', byS: -LONG_STEP_S },
    l: { kind: 'step', byS: LONG_STEP_S },
    m: { kind: 'mute' },
    f: { kind: 'fullScreen' },
    c: { kind: 'captions' },
    i: { kind: 'smallWindow' },
    '?': { kind: 'help' },
    '<': { kind: 'speed', direction: -1 },
    '>': { kind: 'speed', direction: 1 },
  }),
);

/** These mean something else in a list, a slider or on a button: they are the film's only where nothing else wants them. */
const ARROWS = new Map<string, PlayerAction>(
  Object.entries({
    ArrowLeft: { kind: 'step', byS: -SHORT_STEP_S },
    ArrowRight: { kind: 'step', byS: SHORT_STEP_S },
    ArrowUp: { kind: 'volume', by: VOLUME_STEP },
    ArrowDown: { kind: 'volume', by: -VOLUME_STEP },
  }),
);

/** What a pressed key does to the film; null: nothing. */
export function actionOf({ key, hasModifier, place }: PressedKey): PlayerAction | null {
  if (hasModifier || place === 'typing') return null;
  if (/^[0-9]$/.test(key)) return { kind: 'share', share: Number(key) / 10 };
  const isFilms = place === 'film';
  if (key === ' ') return isFilms ? { kind: 'toggle' } : null;
  const arrow = ARROWS.get(key);
  if (arrow) return isFilms ? arrow : null;
  return LETTERS.get(key.toLowerCase()) ?? null;
}
