import type { Clip } from './clips.ts';

/** The server's environment for a line that carries so many times what a clip needs, to all viewers together. */
export function originLine({ sizeBytes, durationS }: Clip, times: number): { ORIGIN_MBIT: string } {
  const bitrateMbit = (sizeBytes * 8) / durationS / 1e6;
  return { ORIGIN_MBIT: (times * bitrateMbit).toFixed(2) };
}
