/** What a person can choose to send at most, in Mbit/s as internet plans count; null is no limit. */
export const UPLOAD_LIMITS_MBIT = [null, 5, 2, 1, 0] as const;

const BYTES_PER_MBIT = 125_000;

/** Bytes per second of a limit in Mbit/s. */
export function limitBytesPerSec(mbitPerSec: number | null): number | null {
  return mbitPerSec === null ? null : mbitPerSec * BYTES_PER_MBIT;
}
