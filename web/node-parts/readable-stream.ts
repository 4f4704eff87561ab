import { EventEmitter } from 'events';

/**
 * What simple-peer needs of Node's streams in a page. It is a Duplex only in name here: frames are sent with send() and come as
 * 'data' events, one for each message, so the piping and back-pressure of a real one would be a quarter of the page for nothing.
 */
class Duplex extends EventEmitter {
  readonly _readableState = { ended: false };
  readonly _writableState = { finished: false };
  /** Messages that came before anybody listened: the other end may speak before 'connect' is out here. */
  #early: unknown[] | null = [];

  /** A message came; null: none will any more. */
  push(chunk: unknown): boolean {
    if (chunk === null) this._readableState.ended = true;
    else if (this.#early) this.#early.push(chunk);
    else this.emit('data', chunk);
    return !this._readableState.ended;
  }

  /** As everywhere; the first one to listen for data gets what came before, once the caller is done. */
  override on(event: string | symbol, listener: (...values: unknown[]) => void): this {
    super.on(event, listener);
    if (event === 'data' && this.#early) queueMicrotask(() => this.#deliverEarly());
    return this;
  }

  /** Nothing more is to be sent. */
  end(): this {
    this._writableState.finished = true;
    return this;
  }

  #deliverEarly(): void {
    const early = this.#early ?? [];
    this.#early = null;
    for (const chunk of early) this.emit('data', chunk);
  }
}

const stream = { Duplex };

// The name by which require() takes a module whole.
export { stream as 'module.exports' };
