import { FILE_PREFIX, removeAbandonedFiles } from './abandoned-files.ts';
import { type FromPieceFile, SLOT_BYTES, type ToPieceFile } from './piece-file-messages.ts';

/** Keeps a tab's pieces in a file of the Origin Private File System, which only a worker may read and write at once. */

/** The most the file may take, and the part of what the browser would still give: other sites and tabs want to live, too. */
const MAX_FILE_BYTES = 2 * 1024 ** 3;
const PART_OF_QUOTA = 1 / 3;

/** What TypeScript knows only of workers, and this project is checked as pages. */
interface SyncAccessHandle {
  read(into: Uint8Array, options: { at: number }): number;
  write(from: Uint8Array, options: { at: number }): number;
  close(): void;
}
type SyncFileHandle = FileSystemFileHandle & { createSyncAccessHandle(): Promise<SyncAccessHandle> };

class PieceFile {
  readonly slotCount: number;
  readonly #handle: SyncAccessHandle;
  readonly #remove: () => Promise<void>;

  /** @throws DOMException where the browser refuses storage. */
  static async open(): Promise<PieceFile> {
    await removeAbandonedFiles();
    const name = `${FILE_PREFIX}${crypto.randomUUID()}`;
    // The lock comes first: a file without one belongs to nobody.
    await lockForLife(name);
    const slotCount = Math.floor((await budgetBytes()) / SLOT_BYTES);
    const folder = await navigator.storage.getDirectory();
    const file = (await folder.getFileHandle(name, { create: true })) as SyncFileHandle;
    const remove = (): Promise<void> => folder.removeEntry(name);
    return new PieceFile(slotCount, await file.createSyncAccessHandle(), remove);
  }

  private constructor(slotCount: number, handle: SyncAccessHandle, remove: () => Promise<void>) {
    this.slotCount = slotCount;
    this.#handle = handle;
    this.#remove = remove;
  }

  /** @throws DOMException QuotaExceededError; Error where less was written. */
  write(slot: number, data: Uint8Array): void {
    const writtenBytes = this.#handle.write(data, { at: slot * SLOT_BYTES });
    if (writtenBytes !== data.byteLength)
      throw new Error(`wrote ${writtenBytes} of ${data.byteLength} bytes`);
  }

  /** What the file has from the slot on, `sizeBytes` at most. */
  read(slot: number, sizeBytes: number): Uint8Array<ArrayBuffer> {
    const into = new Uint8Array(sizeBytes);
    const readBytes = this.#handle.read(into, { at: slot * SLOT_BYTES });
    return into.subarray(0, readBytes);
  }

  async close(): Promise<void> {
    this.#handle.close();
    await this.#remove();
  }
}

/** Resolves once this worker holds the lock; it keeps it until it ends. */
function lockForLife(name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const hold = (): Promise<never> => {
      resolve();
      return new Promise(() => undefined);
    };
    navigator.locks.request(name, hold).catch(reject);
  });
}

async function budgetBytes(): Promise<number> {
  const { quota = 0, usage = 0 } = await navigator.storage.estimate();
  return Math.min(MAX_FILE_BYTES, Math.max(0, quota - usage) * PART_OF_QUOTA);
}

async function answer(file: PieceFile, message: ToPieceFile): Promise<void> {
  const { id } = message;
  try {
    if (message.type === 'close') {
      await file.close();
      tell({ type: 'closed', id });
    } else if (message.type === 'write') {
      file.write(message.slot, message.data);
      tellData(id, message.data);
    } else {
      tellData(id, file.read(message.slot, message.sizeBytes));
    }
  } catch (error) {
    tell({ type: 'failed', id, reason: String(error) });
  }
}

function tell(message: FromPieceFile, transfer: Transferable[] = []): void {
  self.postMessage(message, { transfer });
}

function tellData(id: number, data: Uint8Array<ArrayBuffer>): void {
  tell({ type: 'done', id, data }, [data.buffer]);
}

try {
  const file = await PieceFile.open();
  self.addEventListener('message', ({ data }: MessageEvent<ToPieceFile>) => void answer(file, data));
  tell({ type: 'opened', slotCount: file.slotCount });
} catch (error) {
  tell({ type: 'refused', reason: String(error) });
}
