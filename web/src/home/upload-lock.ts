/** Which uploads are under way in this browser, by its locks: they end with the page or worker that holds them, however it ends. */

function lockName(id: string): string {
  return `matinee.upload ${id}`;
}

/** Browsers have locks on secure pages only; without them nobody is kept out. */
function locks(): LockManager | null {
  return (navigator as Partial<Navigator>).locks ?? null;
}

/** A worker that has just been ended may hold it for a moment yet. */
export const LETS_GO_WITHIN_MS = 2_000;

/** Marks an upload as under way for as long as this worker lives. False where it is under way elsewhere. */
export function markUnderWay(id: string): Promise<boolean> {
  const manager = locks();
  if (!manager) return Promise.resolve(true);
  return new Promise((resolve) => {
    const hold = async (): Promise<void> => {
      resolve(true);
      // Held until the worker is gone.
      await new Promise(() => undefined);
    };
    const signal = AbortSignal.timeout(LETS_GO_WITHIN_MS);
    manager.request(lockName(id), { signal }, hold).catch(() => resolve(false));
  });
}

/** Resolves when the upload is not under way (any more) anywhere. Rejects with the signal's reason. */
export async function untilIdle(id: string, signal: AbortSignal): Promise<void> {
  await locks()?.request(lockName(id), { mode: 'shared', signal }, async () => undefined);
}
