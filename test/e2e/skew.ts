/** Where one page's film was, seconds, at moments of the machine's clock, milliseconds. */
export interface Track {
  places: [atMs: number, placeS: number][];
}

/** A page of any browser. */
interface FilmPage {
  evaluate(inPage: (forMs: number) => Promise<Track>, forMs: number): Promise<Track>;
}

/** Notes 20 times a second where the film is in each page, for so long. */
export function follow(pages: readonly FilmPage[], forMs: number): Promise<Track[]> {
  return Promise.all(
    pages.map((page) =>
      page.evaluate(
        (durationMs) =>
          new Promise<Track>((resolve) => {
            const video = document.querySelector('video');
            if (!video) throw new Error('no video element');
            const places: [number, number][] = [];
            const untilMs = performance.now() + durationMs;
            const timer = setInterval(() => {
              places.push([performance.timeOrigin + performance.now(), video.currentTime]);
              if (performance.now() < untilMs) return;
              clearInterval(timer);
              resolve({ places });
            }, 50);
          }),
        forMs,
      ),
    ),
  );
}

/** The greatest distance between any two films at each tenth of a second that all were followed, milliseconds. */
export function skews(tracks: readonly Track[]): { atMs: number; skewMs: number }[] {
  const fromMs = Math.max(...tracks.map(({ places }) => places[0]?.[0] ?? 0));
  const untilMs = Math.min(...tracks.map(({ places }) => places.at(-1)?.[0] ?? 0));
  const found: { atMs: number; skewMs: number }[] = [];
  for (let atMs = fromMs; atMs <= untilMs; atMs += 100) {
    const places = tracks.map((track) => placeAt(track, atMs));
    found.push({ atMs, skewMs: (Math.max(...places) - Math.min(...places)) * 1000 });
  }
  return found;
}

/** The value that 95 of a hundred do not exceed. */
export function p95(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(0.95 * sorted.length))] ?? 0;
}

function placeAt({ places }: Track, atMs: number): number {
  const next = places.findIndex(([ms]) => ms >= atMs);
  const [b, a] = [places[next], places[next - 1]];
  if (!b) return places.at(-1)?.[1] ?? 0;
  if (!a || b[0] === a[0]) return b[1];
  return a[1] + ((b[1] - a[1]) * (atMs - a[0])) / (b[0] - a[0]);
}
