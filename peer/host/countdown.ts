import type { Clock } from '../clock.ts';

const TICK_MS = 1000;

/** A wait that can be cut short. */
export interface Countdown {
  /** Resolves when the time is up or the wait was ended. */
  readonly over: Promise<void>;
  end(): void;
}

/** Waits `delayMs`; tells the milliseconds left at once and then each second, and 0 when the time is up. */
export function countDown(clock: Clock, delayMs: number, onTick: (leftMs: number) => void): Countdown {
  let cancelTimer = (): void => undefined;
  let resolveOver = (): void => undefined;
  const over = new Promise<void>((resolve) => {
    resolveOver = resolve;
  });
  const tick = (leftMs: number): void => {
    onTick(leftMs);
    const stepMs = Math.min(leftMs, TICK_MS);
    if (stepMs > 0) cancelTimer = clock.after(stepMs, () => tick(leftMs - stepMs));
    else resolveOver();
  };
  const end = (): void => {
    cancelTimer();
    resolveOver();
  };
  tick(delayMs);
  return { over, end };
}
