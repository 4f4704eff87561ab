import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Clock } from '../../peer/clock.ts';

/** Soon enough that threads and ports of connections that ended do not pile up, seldom enough that it costs nobody anything. */
const AFTER_MS = 5_000;

/**
 * Has garbage collected some seconds after it was asked for, once for all who asked. wrtc lets go of the threads and sockets
 * of some closed connections only when their objects are collected, and a process that has little to do does that seldom.
 */
export class Collector {
  readonly #clock: Clock;
  readonly #collect: () => void;
  #cancel: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
    setFlagsFromString('--expose-gc');
    this.#collect = runInNewContext('gc') as () => void;
  }

  /** A connection ended. */
  soon(): void {
    this.#cancel ??= this.#clock.after(AFTER_MS, () => {
      this.#cancel = null;
      this.#collect();
    });
  }

  close(): void {
    this.#cancel?.();
  }
}
