/** Every tab's file of pieces has a name of its own that begins with this, and a Web Lock of the same name as long as the tab lives. */
export const FILE_PREFIX = 'matinee-';

/**
 * Removes the files of tabs that went without removing theirs: a crash, a phone that ended the browser. Rejects where
 * the browser refuses storage.
 */
export async function removeAbandonedFiles(): Promise<void> {
  const folder = await navigator.storage.getDirectory();
  const names: string[] = [];
  for await (const name of folder.keys()) if (name.startsWith(FILE_PREFIX)) names.push(name);
  await Promise.all(names.map((name) => removeUnlessLocked(folder, name)));
}

async function removeUnlessLocked(folder: FileSystemDirectoryHandle, name: string): Promise<void> {
  await navigator.locks.request(name, { ifAvailable: true }, async (lock) => {
    if (!lock) return;
    try {
      await folder.removeEntry(name);
    } catch {
      // Its tab ended just now and the browser has not closed the file yet, or another tab was quicker: a later visit sees.
    }
  });
}
