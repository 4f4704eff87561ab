/** Handles of files, by which a page can open a file again after a reload: Chromium's, so far. Other browsers have none of this. */

interface PermittedHandle extends FileSystemFileHandle {
  queryPermission?(descriptor: { mode: 'read' }): Promise<PermissionState>;
  requestPermission?(descriptor: { mode: 'read' }): Promise<PermissionState>;
}

interface PickerOptions {
  types: { description: string; accept: Record<string, string[]> }[];
}

interface WindowWithPicker {
  showOpenFilePicker?(options: PickerOptions): Promise<FileSystemFileHandle[]>;
}

interface ItemWithHandle {
  getAsFileSystemHandle?(): Promise<FileSystemHandle | null>;
}

/** A file as it was chosen, with its handle where there is one. */
export interface ChosenFile {
  file: File;
  handle: FileSystemFileHandle | null;
}

/** The endings are for systems that do not know these as videos and would grey them out. */
export const VIDEO_ENDINGS = ['.mkv', '.mov', '.m4v', '.avi', '.ts', '.m2ts', '.webm', '.ogv'];
export const SOUND_ENDINGS = ['.mp3', '.m4a', '.flac', '.ogg', '.opus', '.wav'];

export function canPickHandles(): boolean {
  return (window as WindowWithPicker).showOpenFilePicker !== undefined;
}

/** Lets the person choose a video; null where they chose none. Only in answer to a click. */
export async function pickVideo(description: string): Promise<ChosenFile | null> {
  try {
    const types = [{ description, accept: { 'video/*': VIDEO_ENDINGS, 'audio/*': SOUND_ENDINGS } }];
    const [handle] = (await (window as WindowWithPicker).showOpenFilePicker?.({ types })) ?? [];
    return handle ? { file: await handle.getFile(), handle } : null;
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return null;
    throw error;
  }
}

/** The file of a drop with its handle. To be called while the drop is being handled. */
export async function droppedFile(data: DataTransfer): Promise<ChosenFile | null> {
  const file = data.files[0];
  const item = [...data.items].find(({ kind }) => kind === 'file') as ItemWithHandle | undefined;
  const handle = item?.getAsFileSystemHandle?.().catch(() => null);
  if (!file) return null;
  const opened = await handle;
  return { file, handle: opened?.kind === 'file' ? (opened as FileSystemFileHandle) : null };
}

/** Opens the file of a kept handle, where the person allows it; null where they do not, or the file is gone. */
export async function openHandle(handle: FileSystemFileHandle, mayAsk: boolean): Promise<File | null> {
  const permitted = handle as PermittedHandle;
  try {
    const now = (await permitted.queryPermission?.({ mode: 'read' })) ?? 'granted';
    const state = now === 'prompt' && mayAsk ? await permitted.requestPermission?.({ mode: 'read' }) : now;
    return state === 'granted' ? await handle.getFile() : null;
  } catch {
    // Moved, deleted or unplugged: the person chooses it anew.
    return null;
  }
}
