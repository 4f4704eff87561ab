import type { Clock } from '../../peer/clock.ts';
import type { FilmView, Orders } from '../../peer/sync/steering.ts';

export interface ModelPlayerParts {
  clock: Clock;
  durationMs: number;
  /** How long a jump takes until the picture is there. */
  seekMs(): number;
  /** How long it takes from the order to go until the picture moves. */
  startMs: number;
  /** How much faster its own sound card runs than the clock. */
  drift?: number;
  /** Where ends what is at hand; left out: always far ahead. It stands still there. */
  untilMs?(): number;
}

/** A media element as far as steering can tell: it moves at a rate, late to start, and its jumps take time. */
export class ModelPlayer {
  readonly #parts: ModelPlayerParts;
  #placeMs = 0;
  #sinceMs: number;
  #rate = 0;
  #isPlaying = false;
  #moveFromMs = 0;
  #seekUntilMs = 0;
  #stallUntilMs = 0;
  /** Jumps it was ordered to make. */
  seekCount = 0;

  constructor(parts: ModelPlayerParts) {
    this.#parts = parts;
    this.#sinceMs = parts.clock.nowMs();
  }

  get placeMs(): number {
    this.#advance();
    return this.#placeMs;
  }

  /** No pieces for so long from now on. */
  stall(forMs: number): void {
    this.#advance();
    this.#stallUntilMs = this.#parts.clock.nowMs() + forMs;
  }

  view(): FilmView {
    const nowMs = this.#parts.clock.nowMs();
    const { durationMs } = this.#parts;
    const { placeMs } = this;
    const isStalled = nowMs < this.#stallUntilMs;
    const untilMs = Math.min(durationMs, isStalled ? placeMs : this.#untilMs(placeMs + 20_000));
    return {
      placeMs,
      isSeeking: nowMs < this.#seekUntilMs,
      isReady: untilMs > placeMs || (!isStalled && placeMs >= durationMs),
      bufferedUntilMs: untilMs,
      durationMs,
    };
  }

  obey({ isPlaying, rate, seekToMs }: Orders): void {
    this.#advance();
    const nowMs = this.#parts.clock.nowMs();
    const wasMoving = this.#isPlaying && this.#rate > 0;
    if (isPlaying !== null) this.#isPlaying = isPlaying;
    this.#rate = rate;
    if (!wasMoving && this.#isPlaying && rate > 0) this.#moveFromMs = nowMs + this.#parts.startMs;
    if (seekToMs === null) return;
    this.seekCount += 1;
    this.#placeMs = seekToMs;
    this.#seekUntilMs = nowMs + this.#parts.seekMs();
  }

  #untilMs(elseMs: number): number {
    return this.#parts.untilMs?.() ?? elseMs;
  }

  #advance(): void {
    const nowMs = this.#parts.clock.nowMs();
    const fromMs = Math.max(this.#sinceMs, this.#moveFromMs, this.#seekUntilMs, this.#stallUntilMs);
    const movedMs = Math.max(0, nowMs - fromMs) * this.#rate * (1 + (this.#parts.drift ?? 0));
    const endMs = Math.min(this.#parts.durationMs, this.#untilMs(Number.POSITIVE_INFINITY));
    if (this.#isPlaying) this.#placeMs = Math.max(this.#placeMs, Math.min(endMs, this.#placeMs + movedMs));
    this.#sinceMs = nowMs;
  }
}
