import { type ChosenFile, droppedFile } from './file-handle.ts';

export interface FileDropHandlers {
  /** Files hover over the page, or no longer do. */
  onHover(isOver: boolean): void;
  onFile(chosen: ChosenFile): void;
}

/**
 * Takes files dropped anywhere on the page; the returned function stops that. Every drop of files is taken
 * from the browser, which would leave the page for the file, even where `onFile` then has no use for it.
 */
export function watchFileDrops(page: Window, { onHover, onFile }: FileDropHandlers): () => void {
  const watching = new AbortController();
  const listen = <T extends keyof WindowEventMap>(type: T, run: (event: WindowEventMap[T]) => void) =>
    page.addEventListener(type, run, { signal: watching.signal });

  listen('dragover', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    onHover(true);
  });
  listen('dragleave', (event) => {
    // Leaving one element for another inside the page is no leaving.
    if (event.relatedTarget === null) onHover(false);
  });
  listen('drop', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    onHover(false);
    if (!event.dataTransfer) return;
    void droppedFile(event.dataTransfer).then((chosen) => chosen && onFile(chosen));
  });
  return () => watching.abort();
}

function hasFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes('Files') ?? false;
}
