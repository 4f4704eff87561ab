import { isSubtitleName } from '../../../peer/extras/subtitle-name.ts';

/** Handles of files, by which a page can open a file again after a reload: Chromium's, so far. Other browsers have none of this. */

interface PermittedHandle extends FileSystemFileHandle {
  queryPermission?(descriptor: { mode: 'read' }): Promise<PermissionState>;
  requestPermission?(descriptor: { mode: 'read' }): Promise<PermissionState>;
}

interface PickerOptions {
  types: { description: string; accept: Record<string, string[]> }[];
  multiple: boolean;
}

interface WindowWithPicker {
  showOpenFilePicker?(options: PickerOptions): Promise<FileSystemFileHandle[]>;
}

interface ItemWithHandle {
  getAsFileSystemHandle?(): Promise<FileSystemHandle | null>;
}

/** A video as it was chosen, with its handle where there is one, and the subtitle files beside it. */
export interface ChosenFile {
  file: File;
  handle: FileSystemFileHandle | null;
  subtitles: readonly File[];
}

/** The endings are for systems that do not know these as videos and would grey them out. */
export const VIDEO_ENDINGS = ['.mkv', '.mov', '.m4v', '.avi', '.ts', '.m2ts', '.webm', '.ogv'];
export const SUBTITLE_ENDINGS = ['.srt', '.vtt', '.ass', '.ssa', '.ttml', '.dfxp'];
export const SOUND_ENDINGS = ['.mp3', '.m4a', '.flac', '.ogg', '.opus', '.wav'];

export function canPickHandles(): boolean {
  return (window as WindowWithPicker).showOpenFilePicker !== undefined;
}

/** The first file that is no subtitles, with those that are; subtitles alone are the file. Null where there is none. */
export function sortFiles(files: readonly File[]): Omit<ChosenFile, 'handle'> | null {
  const video = files.find(({ name }) => !isSubtitleName(name));
  const file = video ?? files[0];
  return file ? { file, subtitles: video ? files.filter(({ name }) => isSubtitleName(name)) : [] } : null;
}

/** Lets the person choose a video; null where they chose none. Only in answer to a click. */
export async function pickVideo(description: string): Promise<ChosenFile | null> {
  try {
    const accept = { 'video/*': VIDEO_ENDINGS, 'audio/*': SOUND_ENDINGS, 'text/vtt': SUBTITLE_ENDINGS };
    const options = { types: [{ description, accept }], multiple: true };
    const handles = (await (window as WindowWithPicker).showOpenFilePicker?.(options)) ?? [];
    const files = await Promise.all(handles.map((handle) => handle.getFile()));
    const sorted = sortFiles(files);
    return sorted && { ...sorted, handle: handles[files.indexOf(sorted.file)] ?? null };
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return null;
    throw error;
  }
}

/** The files of a drop, the video with its handle. To be called while the drop is being handled. */
export async function droppedFile(data: DataTransfer): Promise<ChosenFile | null> {
  const files = [...data.files];
  const sorted = sortFiles(files);
  if (!sorted) return null;
  const items = [...data.items].filter(({ kind }) => kind === 'file') as ItemWithHandle[];
  const opened = await items[files.indexOf(sorted.file)]?.getAsFileSystemHandle?.().catch(() => null);
  return { ...sorted, handle: opened?.kind === 'file' ? (opened as FileSystemFileHandle) : null };
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
