import type { Clock } from '../../peer/clock.ts';

/** A clock that runs as another one does and names another hour. */
export function wrongBy(clock: Clock, byMs: () => number): Clock {
  return {
    nowMs: () => clock.nowMs(),
    wallMs: () => clock.wallMs() + byMs(),
    after: (delayMs, run) => clock.after(delayMs, run),
  };
}
