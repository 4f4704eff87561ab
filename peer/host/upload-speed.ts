/** Over how long a speed is averaged: a few segments on a slow line, few enough to follow a change. */
const WINDOW_MS = 15_000;

/** Marks nearer than this are one: fast uploads tell of hundreds of segments a second. */
const STEP_MS = 250;

/** The speed of an upload over the last seconds. */
export class UploadSpeed {
  #marks: { atMs: number; uploadedBytes: number }[] = [];

  /** Notes how much has been uploaded at a moment, which is not before the last one noted. */
  note(atMs: number, uploadedBytes: number): void {
    const before = this.#marks.at(-2);
    if (before && atMs - before.atMs < STEP_MS) this.#marks.pop();
    this.#marks.push({ atMs, uploadedBytes });
    const firstRecent = this.#marks.findIndex((mark) => mark.atMs >= atMs - WINDOW_MS);
    // The last mark before the window is kept, so that a window without any news shows zero, not nothing.
    this.#marks = this.#marks.slice(Math.max(0, firstRecent - 1));
  }

  /** Bytes per second, or null while there is too little to tell. */
  get bytesPerSec(): number | null {
    const [first, last] = [this.#marks[0], this.#marks.at(-1)];
    if (!first || !last || last.atMs - first.atMs < 500) return null;
    return ((last.uploadedBytes - first.uploadedBytes) * 1000) / (last.atMs - first.atMs);
  }
}
