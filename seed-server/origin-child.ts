import * as v from 'valibot';
import { type FromOrigin, type OriginCounts, toOrigin } from './origin-messages.ts';

/** How often the main process is told what was counted. */
const TELL_EVERY_MS = 2000;

export interface OriginDuties {
  counts(): OriginCounts;
  /** Something about this room was stored or removed. */
  onChanged(room: string): void;
  /** So many bytes of film went out by HTTP. */
  onSpent(sizeBytes: number): void;
  /** Time to end: close everything. The process exits once this resolves. Called once. */
  onStop(): Promise<void>;
}

/** Ties the origin's process to the main one that started it: hears from it, and ends when told to or when it is gone. */
export function followParent(duties: OriginDuties): void {
  let isStopping = false;
  const stop = (): void => {
    if (isStopping) return;
    isStopping = true;
    clearInterval(tell);
    duties.onStop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('message', (message) => {
    const parsed = v.safeParse(toOrigin, message);
    if (!parsed.success) return;
    if (parsed.output.type === 'changed') duties.onChanged(parsed.output.room);
    else duties.onSpent(parsed.output.sizeBytes);
  });
  const tell = setInterval(() => {
    const news: FromOrigin = { type: 'counts', counts: duties.counts() };
    if (process.connected) process.send?.(news, undefined, undefined, () => {});
  }, TELL_EVERY_MS);
  process.once('disconnect', stop);
  process.once('SIGTERM', stop);
  // Ctrl+C reaches every process of a terminal; the main one hears it too, and says when to end.
  process.on('SIGINT', () => {});
  // It may have gone while we were starting.
  if (process.connected === false) stop();
}
