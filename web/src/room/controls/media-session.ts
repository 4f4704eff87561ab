import type { FilmPlace } from './told-place.ts';

/** What the keys of a keyboard, a headset or a locked phone's screen ask for. */
export interface MediaKeys {
  play(): void;
  pause(): void;
  stepBy(byS: number): void;
  seekTo(placeS: number): void;
}

const STEP_S = 10;

/** Tells the machine what plays here and hears its media keys; returns the undo. Nothing where the browser has no such keys. */
export function hearMediaKeys(title: string, keys: MediaKeys): () => void {
  const session = navigator.mediaSession;
  if (!session) return () => undefined;
  session.metadata = new MediaMetadata({ title });
  const handlers: [MediaSessionAction, MediaSessionActionHandler][] = [
    ['play', () => keys.play()],
    ['pause', () => keys.pause()],
    ['seekbackward', ({ seekOffset }) => keys.stepBy(-(seekOffset ?? STEP_S))],
    ['seekforward', ({ seekOffset }) => keys.stepBy(seekOffset ?? STEP_S)],
    ['seekto', ({ seekTime }) => keys.seekTo(seekTime ?? 0)],
  ];
  const set = (action: MediaSessionAction, handler: MediaSessionActionHandler | null): void => {
    try {
      session.setActionHandler(action, handler);
    } catch {
      // This browser does not know that key.
    }
  };
  for (const [action, handler] of handlers) set(action, handler);
  return () => {
    for (const [action] of handlers) set(action, null);
    session.metadata = null;
  };
}

/** Shows it on the machine's own timeline, which goes on by itself from there (told-place.ts). */
export function tellPlace({ placeS, durationS, rate, isPlaying }: FilmPlace): void {
  const session = navigator.mediaSession;
  if (!session) return;
  session.playbackState = isPlaying ? 'playing' : 'paused';
  if (durationS <= 0 || rate <= 0) return;
  session.setPositionState?.({
    duration: durationS,
    position: Math.min(placeS, durationS),
    playbackRate: rate,
  });
}
