import type { Clock } from '../../peer/clock.ts';
import { type Timer, TimerHeap } from './timer-heap.ts';

/** Time that passes only when told to. Timers that are due at the same moment run in the order they were set. */
export class VirtualClock implements Clock {
  #nowMs = 0;
  #order = 0;
  #pendingTimers = 0;
  readonly #timers = new TimerHeap();

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return Date.UTC(2026, 0, 1) + Math.floor(this.#nowMs);
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = this.#set(delayMs, () => {
      run();
      return true;
    });
    return () => this.#cancel(timer);
  }

  /**
   * As after(), for the simulator's own steps, which cannot be taken back: where `run` returns false it called
   * nothing that could have promises, and time goes on without waiting for any.
   */
  step(delayMs: number, run: () => boolean): void {
    this.#set(delayMs, run);
  }

  /** Timers that are set. */
  get pendingTimers(): number {
    return this.#pendingTimers;
  }

  /** Lets time pass until `isDone`, at most `forMs`; after each timer all promises settle first. Returns whether it was done. */
  async runUntil(isDone: () => boolean, forMs: number): Promise<boolean> {
    const endMs = this.#nowMs + forMs;
    // Called from a timer or an event, the next tick comes before the microtasks; from a microtask, after all of them.
    await null;
    await settle();
    while (!isDone()) {
      const next = this.#timers.peek();
      if (!next || next.atMs > endMs) {
        this.#nowMs = endMs;
        return isDone();
      }
      if (this.#run(next)) await settle();
    }
    return true;
  }

  /** Lets this much time pass. */
  async run(forMs: number): Promise<void> {
    await this.runUntil(() => false, forMs);
  }

  #set(delayMs: number, run: () => boolean): Timer {
    const timer = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, run, isOff: false };
    this.#timers.push(timer);
    this.#pendingTimers += 1;
    return timer;
  }

  #run(timer: Timer): boolean {
    this.#timers.pop();
    this.#cancel(timer);
    this.#nowMs = Math.max(this.#nowMs, timer.atMs);
    return timer.run() !== false;
  }

  #cancel(timer: Timer): void {
    if (timer.isOff) return;
    timer.isOff = true;
    this.#pendingTimers -= 1;
  }
}

/** After so many steps the platform's own events get a turn, should something wait for one. */
const TURN_EVERY_STEPS = 256;

let steps = 0;

/**
 * Everything that promises had still to do is done: Node calls what waits for the next tick only when no microtask is left.
 * (As does a macrotask, but each of those asks the system for events, which cost a fifth of a run.)
 */
function settle(): Promise<void> {
  steps = (steps + 1) % TURN_EVERY_STEPS;
  return new Promise((resolve) => (steps === 0 ? setImmediate(resolve) : process.nextTick(resolve)));
}
