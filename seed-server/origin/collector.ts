import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Clock } from '../../peer/clock.ts';

/** Soon enough that threads and ports of connections that ended do not pile up, seldom enough that it costs nobody anything. */
const AFTER_MS = 5_000;

/** What the first one lets go of holds what the second one finds. */
const ROUNDS = 2;

/**
 * Has garbage collected some seconds after it was asked for, once for all who asked. wrtc lets go of the threads and sockets
 * of some closed connections only when their objects are collected, and a process that has little to do does that seldom.
 */
export class Collector {
  readonly #clock: Clock;
  readonly #collect: () => void;
  #roundsLeft = 0;
  #cancel: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
    setFlagsFromString('--expose-gc');
    this.#collect = runInNewContext('gc') as () => void;
  }

  /** A connection ended. */
  soon(): void {
    this.#roundsLeft = ROUNDS;
    this.#cancel ??= this.#later();
  }

  close(): void {
    this.#cancel?.();
  }

  #later(): () => void {
    return this.#clock.after(AFTER_MS, () => {
      this.#collect();
      this.#roundsLeft -= 1;
      this.#cancel = this.#roundsLeft > 0 ? this.#later() : null;
    });
  }
}
