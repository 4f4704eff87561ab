import type { CourierLost, CourierPlace, CourierWish } from './courier-messages.ts';

/**
 * Makes the couriers of one host's worker, and ends them. The page does it, not that worker: a worker that makes another one
 * stood still for ever now and then in Firefox (153, once in some twenty-five uploads of 8 MB on a busy machine).
 */
export class CourierDesk {
  readonly #tell: (message: CourierLost) => void;
  readonly #workers = new Map<number, Worker>();

  constructor(tell: (message: CourierLost) => void) {
    this.#tell = tell;
  }

  /** Does what the host's worker asks for. */
  obey(wish: CourierWish): void {
    if (wish.type === 'courier') this.#open(wish.id, wish.port);
    else this.#end(wish.id);
  }

  /** Ends all of them, whatever is under way. */
  close(): void {
    for (const id of [...this.#workers.keys()]) this.#end(id);
  }

  #open(id: number, port: MessagePort): void {
    const worker = new Worker(new URL('./courier.worker.ts', import.meta.url), { type: 'module' });
    this.#workers.set(id, worker);
    // One that could not be loaded says no more than that.
    worker.onerror = () => this.#tell({ type: 'courierLost', id });
    worker.postMessage({ port } satisfies CourierPlace, [port]);
  }

  #end(id: number): void {
    this.#workers.get(id)?.terminate();
    this.#workers.delete(id);
  }
}
