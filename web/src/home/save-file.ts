/** Has the browser save a text as a file of this name. */
export function saveFile(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  const anchor = document.createElement('a');
  anchor.href = url;
  anchor.download = name;
  anchor.click();
  // The click has taken the address to the download by the time the next task runs.
  setTimeout(() => URL.revokeObjectURL(url));
}
