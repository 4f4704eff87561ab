import type { Stall } from './stall.ts';

/** The room waits so long at most, and then goes on without whoever is not ready. */
export const MAX_WAIT_MS = 20_000;

/** For a member that was waited for it does not wait again so soon. */
export const WAIT_AGAIN_MS = 60_000;

/** What the host's page sees when it decides. */
export interface WaitingView {
  nowMs: number;
  isPlaying: boolean;
  /** The room stands since this page made it wait. */
  isOurWait: boolean;
  stalled: readonly Stall[];
}

export type WaitDecision = { kind: 'wait'; forName: string } | { kind: 'go' } | null;

/** Decides for a host who wants it when the room waits for members whose film stands still, and for how long. */
export class WaitForAll {
  #sinceMs = 0;
  #isWaiting = false;
  /** Until when nobody waits for this member again. */
  readonly #spentUntilMs = new Map<string, number>();

  /** What to do now: stop the room, let it go on, or nothing. */
  decide({ nowMs, isPlaying, isOurWait, stalled }: WaitingView): WaitDecision {
    if (isOurWait) return this.#isOver(nowMs, stalled) ? { kind: 'go' } : null;
    // Somebody had enough of it.
    if (this.#isWaiting) this.#end(nowMs, stalled);
    if (!isPlaying) return null;
    for (const [id, untilMs] of this.#spentUntilMs) if (untilMs <= nowMs) this.#spentUntilMs.delete(id);
    const first = stalled.find(({ from }) => !this.#spentUntilMs.has(from));
    if (!first) return null;
    this.#sinceMs = nowMs;
    this.#isWaiting = true;
    return { kind: 'wait', forName: first.name };
  }

  #isOver(nowMs: number, stalled: readonly Stall[]): boolean {
    if (stalled.length > 0 && nowMs - this.#sinceMs < MAX_WAIT_MS) return false;
    this.#end(nowMs, stalled);
    return true;
  }

  #end(nowMs: number, stalled: readonly Stall[]): void {
    this.#isWaiting = false;
    for (const { from } of stalled) this.#spentUntilMs.set(from, nowMs + WAIT_AGAIN_MS);
  }
}
