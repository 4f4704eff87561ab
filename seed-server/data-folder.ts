import type { Crypto } from '../peer/crypto/crypto.ts';
import { StartError } from './start-error.ts';
import { codeOf } from './store/durable.ts';
import { FileStore } from './store/file-store.ts';
import { type FolderLock, lockFolder } from './store/folder-lock.ts';
import { bringUpToDate } from './store/folder-version.ts';
import type { QuotaLimits } from './store/quota.ts';

/** The store of a data folder that no other server writes meanwhile, not yet tidied up. */
export interface OpenFolder {
  store: FileStore;
  /** Leaves the folder to others; the store must not be used any more. */
  release(): Promise<void>;
}

/**
 * Takes a data folder, which is made where it is missing, and opens its store.
 * @param limits of all rooms together and of each; Infinity: no limit.
 * @param warn is told where other servers cannot be kept away from the folder.
 * @throws StartError with a sentence that says what is in the way.
 */
export async function openDataFolder(
  crypto: Crypto,
  dataDir: string,
  limits: QuotaLimits,
  warn: (message: string) => void,
): Promise<OpenFolder> {
  let lock: FolderLock | null = null;
  try {
    // Opening the store throws away what looks left over, which is what another server is just receiving.
    lock = await lockFolder(dataDir, () => inUse(dataDir));
    if (!lock.isExclusive)
      warn('other servers cannot be kept away from the data folder: start no second one');
    const { release } = lock;
    await bringUpToDate(dataDir);
    const store = await FileStore.openUntidied(crypto, dataDir, limits.allBytes, limits.roomBytes);
    return {
      store,
      async release() {
        await store.close().catch(() => {});
        await release();
      },
    };
  } catch (error) {
    await lock?.release();
    throw error instanceof StartError ? error : cannotWrite(dataDir, error);
  }
}

function inUse(dataDir: string): StartError {
  return new StartError(
    `Another Matinee server is using the data folder ${dataDir}. Stop that one, or set DATA_DIR to another folder.`,
  );
}

function cannotWrite(dataDir: string, cause: unknown): StartError {
  const code = codeOf(cause) ?? String(cause);
  const elsewhere = 'set DATA_DIR to a folder that this user may write';
  const sentences: Record<string, string> = {
    EROFS: `The data folder ${dataDir} is on a read-only disk (EROFS). Make that writable again, or ${elsewhere}.`,
    ENOSPC: `The disk of the data folder ${dataDir} is full (ENOSPC). Make room on it, or ${elsewhere}.`,
  };
  const sentence =
    sentences[code] ??
    `The data folder ${dataDir} cannot be written (${code}). Set DATA_DIR to a folder that this user may write.`;
  return new StartError(sentence, { cause });
}
