/** Over how long a rate is taken. */
const SPAN_MS = 3_000;

/** The rate of a growing count over the last seconds. */
export class RateMeter {
  #marks: { atMs: number; count: number }[] = [];

  /** Notes the count now and returns its growth per second. */
  update(nowMs: number, count: number): number {
    this.#marks.push({ atMs: nowMs, count });
    while (this.#marks.length > 2 && nowMs - (this.#marks[1]?.atMs ?? nowMs) >= SPAN_MS) this.#marks.shift();
    const oldest = this.#marks[0];
    if (!oldest || nowMs === oldest.atMs) return 0;
    return ((count - oldest.count) * 1000) / (nowMs - oldest.atMs);
  }
}
