import type { Failure, FromWorker, HostChoices, ToWorker } from './host-messages.ts';
import { texts } from './texts.ts';

/**
 * Hosts `file` in a worker of its own, which is loaded only now, and calls back with each of its messages.
 * The returned function cancels: nothing is called back afterwards, while the worker lives on just long
 * enough to take the room down again.
 */
export function startHosting(
  file: File,
  choices: HostChoices,
  onMessage: (message: FromWorker) => void,
): () => void {
  const worker = new Worker(new URL('./host.worker.ts', import.meta.url), { type: 'module' });
  let isCancelled = false;
  const receive = (message: FromWorker) => {
    if (isLast(message)) worker.terminate();
    if (!isCancelled) onMessage(message);
  };
  worker.onmessage = ({ data }: MessageEvent<FromWorker>) => receive(data);
  worker.onerror = (event) => receive({ type: 'failed', failure: failureOf(event) });
  send(worker, { type: 'host', file, server: location.origin, choices });
  return () => {
    isCancelled = true;
    send(worker, { type: 'cancel' });
  };
}

/** A worker that cannot be loaded has no error to show; one that fell over outside of what it reports itself has. */
function failureOf(event: ErrorEvent | Event): Failure {
  const didLoad = event instanceof ErrorEvent && event.message !== '';
  return didLoad
    ? { code: 'INTERNAL', message: texts.broken }
    : { code: 'SERVER_UNREACHABLE', message: texts.serverAway };
}

function isLast(message: FromWorker): boolean {
  return message.type === 'done' || message.type === 'failed';
}

function send(worker: Worker, message: ToWorker): void {
  worker.postMessage(message);
}
