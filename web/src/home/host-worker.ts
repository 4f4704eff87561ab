import type { FromWorker, ToWorker } from './host-messages.ts';
import { texts } from './texts.ts';

/**
 * Hosts `file` in a worker of its own, which is loaded only now, and calls back with each of its messages.
 * The returned function cancels: nothing is called back afterwards, while the worker lives on just long
 * enough to take the room down again.
 */
export function startHosting(file: File, onMessage: (message: FromWorker) => void): () => void {
  const worker = new Worker(new URL('./host.worker.ts', import.meta.url), { type: 'module' });
  let isCancelled = false;
  const receive = (message: FromWorker) => {
    if (isLast(message)) worker.terminate();
    if (!isCancelled) onMessage(message);
  };
  worker.onmessage = ({ data }: MessageEvent<FromWorker>) => receive(data);
  // It did not load, or fell over outside of anything it could report itself.
  worker.onerror = () => receive({ type: 'failed', failure: { code: 'INTERNAL', message: texts.broken } });
  send(worker, { type: 'host', file, server: location.origin });
  return () => {
    isCancelled = true;
    send(worker, { type: 'cancel' });
  };
}

function isLast(message: FromWorker): boolean {
  return message.type === 'done' || message.type === 'failed';
}

function send(worker: Worker, message: ToWorker): void {
  worker.postMessage(message);
}
