import type { Bytes } from '../../../peer/bytes.ts';
import { PIECE_BYTES } from '../../../peer/limits.ts';
import type { PieceDisk } from '../../../peer/swarm/piece-disk.ts';
import { type FromPieceFile, SLOT_BYTES, type ToPieceFile } from './piece-file-messages.ts';

interface Pending {
  resolve(data: Bytes): void;
  reject(reason: unknown): void;
}

/**
 * How long a page that is being closed is held up while its worker removes the file. Without it, half of all closed tabs
 * in Chromium left their file behind, for their workers end with them; 10 ms were enough every time, on a busy machine too.
 */
const LAST_MOMENT_MS = 50;

/** A request without the number under which it is answered. */
type Request = ToPieceFile extends infer T ? (T extends unknown ? Omit<T, 'id'> : never) : never;

/**
 * Opens this tab's file of pieces, in a worker that is loaded now; it is removed with close(), or after the tab.
 * Rejects where the browser refuses it.
 */
export async function openPieceFile(): Promise<PieceDisk> {
  const worker = new Worker(new URL('./piece-file.worker.ts', import.meta.url), { type: 'module' });
  const first = await new Promise<FromPieceFile>((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<FromPieceFile>) => resolve(data);
    worker.onerror = () => reject(new Error('the worker for the file of pieces could not be loaded'));
  });
  if (first.type === 'opened') return new PieceFile(worker, first.slotCount);
  worker.terminate();
  throw new Error(first.type === 'refused' ? first.reason : `an answer out of turn: ${first.type}`);
}

/** The page's side of the file. */
class PieceFile implements PieceDisk {
  readonly slotBytes = SLOT_BYTES;
  readonly slotCount: number;
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  /** Written out, and ready to carry the next piece: none is left to the garbage collector, which is in no hurry. */
  readonly #buffers: ArrayBuffer[] = [];
  #lastId = 0;
  readonly #listening = new AbortController();
  #failure: Error | null = null;
  #closing: Promise<void> | null = null;

  constructor(worker: Worker, slotCount: number) {
    this.slotCount = slotCount;
    this.#worker = worker;
    worker.onmessage = ({ data }: MessageEvent<FromPieceFile>) => this.#receive(data);
    worker.onerror = (event) => this.#fail(new Error(`the file of pieces broke: ${event.message}`));
    addEventListener('pagehide', () => this.#leave(), { signal: this.#listening.signal });
  }

  async write(slot: number, data: Bytes): Promise<void> {
    const copy = new Uint8Array(this.#buffers.pop() ?? new ArrayBuffer(PIECE_BYTES), 0, data.byteLength);
    copy.set(data);
    const { buffer } = await this.#ask({ type: 'write', slot, data: copy }, [copy.buffer]);
    this.#buffers.push(buffer);
  }

  read(slot: number, sizeBytes: number): Promise<Bytes> {
    return this.#ask({ type: 'read', slot, sizeBytes });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    try {
      await this.#ask({ type: 'close' });
    } finally {
      this.#fail(new Error('the file of pieces was closed'));
    }
  }

  #ask(request: Request, transfer: Transferable[] = []): Promise<Bytes> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      if (this.#failure) throw this.#failure;
      this.#pending.set(id, { resolve, reject });
      this.#worker.postMessage({ ...request, id }, transfer);
    });
  }

  #receive(message: FromPieceFile): void {
    if (message.type === 'opened' || message.type === 'refused') return;
    const pending = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if (message.type === 'failed') pending?.reject(new Error(message.reason));
    else pending?.resolve(message.type === 'done' ? message.data : new Uint8Array());
  }

  /** The page goes away now, and the worker with it. */
  #leave(): void {
    // Whoever could want to know of a failure is gone; the next visit removes what stays.
    this.close().catch(() => undefined);
    const untilMs = performance.now() + LAST_MOMENT_MS;
    while (performance.now() < untilMs) {
      // nothing that is not synchronous would be waited for
    }
  }

  #fail(error: Error): void {
    this.#failure = error;
    this.#listening.abort();
    this.#worker.terminate();
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}
