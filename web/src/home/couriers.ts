import type { CourierRequest, CourierWish, FromCourier, ToCourier } from './courier-messages.ts';

/**
 * Bytes after which a courier is replaced. A browser keeps what was sent until a garbage collection that nothing of that
 * size hurries, seen to reach 250 MB in Chromium; the end of a worker frees all it holds at once.
 */
const COURIER_BYTES = 8 * 1024 * 1024;

interface Pending {
  resolve(response: Response): void;
  reject(reason: unknown): void;
}

/** Sends the host's requests through workers that are replaced every so often. Their page makes and ends them: courier-desk.ts. */
export class Couriers {
  readonly #wish: (wish: CourierWish) => void;
  /** Those that are not idle and retired. */
  readonly #couriers = new Map<number, Courier>();
  #current: Courier | null = null;
  #lastId = 0;

  /** @param wish tells the page; a port that is in it is handed over. */
  constructor(wish: (wish: CourierWish) => void) {
    this.#wish = wish;
  }

  /** As the global fetch, for requests whose address is a text and whose body is a Blob. */
  readonly fetch: typeof fetch = async (input, init = {}) => {
    if (typeof input !== 'string' || !(init.body instanceof Blob))
      throw new TypeError('a courier takes a Blob to an address');
    const { method = 'GET', body, signal } = init;
    const headers = [...new Headers(init.headers)];
    return this.#courier().send({ url: input, method, headers, body }, signal ?? null);
  };

  /** Has the first worker started ahead of what it will send. */
  prepare(): void {
    this.#courier();
  }

  /** The page could not load this one. */
  lost(id: number): void {
    this.#couriers.get(id)?.fail();
  }

  /** Ends all workers once what is under way has been answered. */
  close(): void {
    this.#current?.retire();
    this.#current = null;
  }

  #courier(): Courier {
    if (this.#current?.hasCarriedEnough) this.close();
    this.#current ??= this.#newCourier();
    return this.#current;
  }

  #newCourier(): Courier {
    const id = ++this.#lastId;
    const { port1, port2 } = new MessageChannel();
    const courier = new Courier(port1, () => {
      this.#couriers.delete(id);
      this.#wish({ type: 'courierEnds', id });
    });
    this.#couriers.set(id, courier);
    this.#wish({ type: 'courier', id, port: port2 });
    return courier;
  }
}

/** One worker, from its first request to the answer of its last one. */
class Courier {
  readonly #port: MessagePort;
  readonly #onEnd: () => void;
  readonly #pending = new Map<number, Pending>();
  #carriedBytes = 0;
  #lastId = 0;
  #isRetired = false;

  constructor(port: MessagePort, onEnd: () => void) {
    this.#port = port;
    this.#onEnd = onEnd;
    port.onmessage = ({ data }: MessageEvent<FromCourier>) => this.#receive(data);
  }

  get hasCarriedEnough(): boolean {
    return this.#carriedBytes >= COURIER_BYTES;
  }

  async send(request: CourierRequest, signal: AbortSignal | null): Promise<Response> {
    signal?.throwIfAborted();
    const id = ++this.#lastId;
    this.#carriedBytes += request.body.size;
    // Whoever cancels is not kept waiting for a thread that may be stuck.
    const cancel = () => {
      this.#post({ type: 'cancel', id });
      this.#pending.get(id)?.reject(signal?.reason);
    };
    signal?.addEventListener('abort', cancel);
    try {
      return await new Promise<Response>((resolve, reject) => {
        this.#pending.set(id, { resolve, reject });
        this.#post({ type: 'send', id, request });
      });
    } finally {
      signal?.removeEventListener('abort', cancel);
      this.#pending.delete(id);
      this.#endIfIdle();
    }
  }

  /** Ends the worker when nothing is under way any more; nothing may be sent afterwards. */
  retire(): void {
    this.#isRetired = true;
    this.#endIfIdle();
  }

  /** What was sent with it gets no answer; it is replaced before the next. */
  fail(): void {
    for (const { reject } of this.#pending.values())
      reject(new TypeError('the page could not load its courier'));
    this.#carriedBytes = COURIER_BYTES;
  }

  #post(message: ToCourier): void {
    this.#port.postMessage(message);
  }

  #receive(message: FromCourier): void {
    const pending = this.#pending.get(message.id);
    if (message.type === 'failed') pending?.reject(new TypeError(message.reason));
    else pending?.resolve(responseOf(message));
  }

  #endIfIdle(): void {
    if (!this.#isRetired || this.#pending.size > 0) return;
    this.#port.close();
    this.#onEnd();
  }
}

/** Statuses with which the Fetch standard allows no body, not even an empty text. */
const BODILESS = [204, 205, 304];

function responseOf({ status, text }: { status: number; text: string }): Response {
  return new Response(BODILESS.includes(status) ? null : text, { status });
}
