import type { Spill } from '../../../peer/swarm/piece-disk.ts';

/** Bytes of ciphertext that stay in memory where a file takes the rest: the window ahead of the playhead, and a little behind. */
const MEMORY_BYTES = 64 * 1024 * 1024;

/**
 * `sessionStorage['matinee.memoryMb']` stands in for MEMORY_BYTES: for the tests, and for who wants to see the file at
 * work with a short film.
 */
const WISH_KEY = 'matinee.memoryMb';

/**
 * Where pieces go that are too many for memory, or null where the browser has no such place (plain http, an old
 * browser). Nothing of it is loaded before it is needed.
 */
export function pieceSpill(): Spill | null {
  if (!hasFileSystem()) return null;
  return {
    memoryBytes: wishedBytes() ?? MEMORY_BYTES,
    open: async () => (await import('./piece-file.ts')).openPieceFile(),
  };
}

/** Removes what earlier tabs left behind, where the browser has files of pieces. Rejects where it refuses storage. */
export async function sweepPieceFiles(): Promise<void> {
  if (hasFileSystem()) await (await import('./abandoned-files.ts')).removeAbandonedFiles();
}

function hasFileSystem(): boolean {
  // Both exist on secure pages only, and came to browsers after all else that a room needs.
  const { storage, locks } = navigator as Partial<Navigator>;
  return storage?.getDirectory !== undefined && locks !== undefined;
}

function wishedBytes(): number | null {
  try {
    const wish = Number(sessionStorage.getItem(WISH_KEY));
    return wish > 0 ? wish * 1e6 : null;
  } catch {
    // Blocked storage: nobody wished anything.
    return null;
  }
}
