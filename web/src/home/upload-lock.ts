/** Which uploads are under way in this browser, by its locks: they end with the page or worker that holds them, however it ends. */

function lockName(id: string): string {
  return `matinee.upload ${id}`;
}

/** Browsers have locks on secure pages only; without them nobody is kept out. */
function locks(): LockManager | null {
  return (navigator as Partial<Navigator>).locks ?? null;
}

/** Marks an upload as under way for as long as this worker lives. False where it is under way elsewhere. */
export function markUnderWay(id: string): Promise<boolean> {
  const manager = locks();
  if (!manager) return Promise.resolve(true);
  return new Promise((resolve) => {
    const hold = async (lock: Lock | null): Promise<void> => {
      resolve(lock !== null);
      // Held until the worker is gone.
      if (lock) await new Promise(() => undefined);
    };
    void manager.request(lockName(id), { ifAvailable: true }, hold);
  });
}

/** Resolves when the upload is not under way (any more) anywhere. Rejects with the signal's reason. */
export async function untilIdle(id: string, signal: AbortSignal): Promise<void> {
  await locks()?.request(lockName(id), { mode: 'shared', signal }, async () => undefined);
}
