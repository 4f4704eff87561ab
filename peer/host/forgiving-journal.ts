import type { UploadJournal, UploadRecord } from './upload-journal.ts';

/** Who wants to know whether an upload can be gone on with. */
export interface JournalWatch {
  /** It is kept from now on. */
  onKept(record: UploadRecord): void;
  /** It cannot be kept (any more). */
  onLost(cause: unknown): void;
}

/** A journal that may fail: the upload goes on all the same, and nothing of it is kept. */
export function forgivingJournal(journal: UploadJournal, { onKept, onLost }: JournalWatch): UploadJournal {
  let isKeeping = true;
  return {
    async begin(record) {
      try {
        await journal.begin(record);
        isKeeping = true;
        onKept(record);
      } catch (cause) {
        isKeeping = false;
        // What an earlier one left there must not be gone on with; where nothing can be kept there is nothing to remove.
        await journal.end().catch(() => undefined);
        onLost(cause);
      }
    },
    async list(firstSegment, entries, extras) {
      if (!isKeeping) return;
      try {
        await journal.list(firstSegment, entries, extras);
      } catch (cause) {
        // Half a journal would be worse than none. Where not even this can be written, hosting ends.
        isKeeping = false;
        await journal.end();
        onLost(cause);
      }
    },
    async end() {
      if (isKeeping) await journal.end();
    },
  };
}
