import { MatineeError } from '../../peer/errors.ts';

/** How slowly a body may come. */
export interface Pace {
  /** Milliseconds that may pass without a byte. */
  silenceMs: number;
  /** Bytes a second at least, over each `windowMs` of waiting. A phone on a bad line still has ten times this. */
  minBytesPerSec: number;
  /** Milliseconds of waiting after which the speed is looked at. */
  windowMs: number;
}

export const BODY_PACE: Pace = { silenceMs: 30_000, minBytesPerSec: 1000, windowMs: 20_000 };

/**
 * The same chunks, as long as they keep pace. Only waiting for the sender counts: a slow disk of ours is not its fault.
 * Stopping early does not close the source.
 * @throws MatineeError BODY_TOO_SLOW.
 */
export async function* keepPace(
  chunks: AsyncIterator<Uint8Array>,
  { silenceMs, minBytesPerSec, windowMs }: Pace = BODY_PACE,
): AsyncGenerator<Uint8Array> {
  let waitedMs = 0;
  let sumBytes = 0;
  let isWaiting = false;
  try {
    for (;;) {
      const startedMs = performance.now();
      isWaiting = true;
      const next = await within(silenceMs, chunks.next());
      isWaiting = false;
      waitedMs += performance.now() - startedMs;
      if (next.done) return;
      sumBytes += next.value.byteLength;
      if (waitedMs >= windowMs) {
        if (sumBytes < (minBytesPerSec * waitedMs) / 1000) throw tooSlow();
        waitedMs = 0;
        sumBytes = 0;
      }
      yield next.value;
    }
  } finally {
    // The source lets go of its stream, so that others can read the rest; one that is asked for more answers only after that.
    if (!isWaiting) await chunks.return?.();
  }
}

async function within<T>(patienceMs: number, next: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(tooSlow()), patienceMs);
  });
  // Where the silence wins, what breaks later concerns nobody.
  next.then(undefined, () => {});
  try {
    return await Promise.race([next, silence]);
  } finally {
    clearTimeout(timer);
  }
}

function tooSlow(): MatineeError {
  return new MatineeError(
    'BODY_TOO_SLOW',
    'This came too slowly and was cut off. Try again on a better line.',
  );
}
