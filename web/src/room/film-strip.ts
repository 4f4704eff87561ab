import type { FilmPart } from '../room-session.ts';

/** One column of the strip: 0 to 1 of it each, together at most 1. */
export interface StripColumn {
  friendShare: number;
  serverShare: number;
}

/** The film cut into so many columns of one length, each with the shares of what lies in it. */
export function filmStrip(parts: readonly FilmPart[], durationMs: number, count: number): StripColumn[] {
  const columns = Array.from({ length: count }, () => ({ friendShare: 0, serverShare: 0 }));
  if (durationMs <= 0) return columns;
  const columnMs = durationMs / count;
  for (const { startMs, durationMs: lengthMs, friendShare, serverShare } of parts) {
    const endMs = startMs + lengthMs;
    const last = Math.min(count - 1, Math.floor(endMs / columnMs));
    for (let i = Math.floor(startMs / columnMs); i <= last; i++) {
      const sharedMs = Math.min(endMs, (i + 1) * columnMs) - Math.max(startMs, i * columnMs);
      const column = columns[i];
      if (!column || sharedMs <= 0) continue;
      column.friendShare += (friendShare * sharedMs) / columnMs;
      column.serverShare += (serverShare * sharedMs) / columnMs;
    }
  }
  return columns;
}

/** The whole film's shares. */
export function wholeOf(columns: readonly StripColumn[]): StripColumn {
  const sum = (share: keyof StripColumn): number =>
    columns.reduce((total, column) => total + column[share], 0) / Math.max(1, columns.length);
  return { friendShare: sum('friendShare'), serverShare: sum('serverShare') };
}
