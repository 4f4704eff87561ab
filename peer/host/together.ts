/**
 * Starts tasks side by side and resolves when all have succeeded. The first failure, or `signal`, aborts the
 * signal that `start` was given, which every task must heed by rejecting. That failure is what this rejects
 * with, once every task has ended, so that nothing runs on unseen.
 */
export async function together(
  signal: AbortSignal,
  start: (stopped: AbortSignal) => readonly Promise<void>[],
): Promise<void> {
  const stop = new AbortController();
  const onAbort = (): void => stop.abort(signal.reason);
  signal.addEventListener('abort', onAbort);
  if (signal.aborted) onAbort();
  try {
    await Promise.all(start(stop.signal).map((task) => task.catch((error) => stop.abort(error))));
    stop.signal.throwIfAborted();
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
