import type { Stall } from './stall.ts';

/** The room waits so long at most, and then goes on without whoever is not ready. */
export const MAX_WAIT_MS = 20_000;

/** For a member that was waited for it does not wait again so soon. */
export const WAIT_AGAIN_MS = 60_000;

/** What the page that decides sees. */
export interface WaitingView {
  nowMs: number;
  isPlaying: boolean;
  /** The room stands since this page made it wait. */
  isOurWait: boolean;
  stalled: readonly Stall[];
  /** Members who are in the film, this one included. */
  watchingCount: number;
  /** The host wants everybody to be waited for; else the room waits only where most would miss something. */
  isForEach: boolean;
}

export type WaitDecision = { kind: 'wait'; forName: string } | { kind: 'go' } | null;

/** Decides when the room waits for members whose film stands still, and for how long. */
export class WaitForAll {
  #sinceMs = 0;
  #isWaiting = false;
  /** Until when nobody waits for this member again. */
  readonly #spentUntilMs = new Map<string, number>();

  /** What to do now: stop the room, let it go on, or nothing. */
  decide({ nowMs, isPlaying, isOurWait, stalled, watchingCount, isForEach }: WaitingView): WaitDecision {
    if (isOurWait) return this.#isOver(nowMs, stalled) ? { kind: 'go' } : null;
    // Somebody had enough of it.
    if (this.#isWaiting) this.#end(nowMs, stalled);
    if (!isPlaying) return null;
    for (const [id, untilMs] of this.#spentUntilMs) if (untilMs <= nowMs) this.#spentUntilMs.delete(id);
    // Without most of its members a room would only run away from them, and each jump after it costs all they had got ready.
    // Who is alone is not waited for: the room is where they are.
    const isForMost = watchingCount > 1 && 2 * stalled.length > watchingCount;
    if (!isForEach && !isForMost) return null;
    const first = isForMost ? stalled[0] : stalled.find(({ from }) => !this.#spentUntilMs.has(from));
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
