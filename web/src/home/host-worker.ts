import { CourierDesk } from './courier-desk.ts';
import type { CourierLost, CourierWish } from './courier-messages.ts';
import type { Failure, FromWorker, HostTask, ToWorker } from './host-messages.ts';
import { texts } from './texts.ts';

/** What can be said to hosting under way. */
export interface HostingControl {
  /** Nothing is called back afterwards, while the worker lives on just long enough to take the room down again. */
  cancel(): void;
  /** The person agrees to what was planned. */
  start(): void;
  /** Nothing is sent until `unpause`, but for what is under way. */
  pause(): void;
  unpause(): void;
  /** Tells the page at the other end of this port what there is to give to viewers, in place of one before. */
  give(port: MessagePort): void;
}

/** A worker that is loaded ahead of the first file; null: there is none. */
let prepared: Worker | null = null;

/** Loads the worker for the first file before there is one. */
export function prepareHosting(): void {
  if (prepared) return;
  prepared = newWorker();
  // The next try says why.
  prepared.onerror = () => {
    prepared = null;
  };
}

function newWorker(): Worker {
  return new Worker(new URL('./host.worker.ts', import.meta.url), { type: 'module' });
}

function takeWorker(): Worker {
  const worker = prepared ?? newWorker();
  prepared = null;
  return worker;
}

/** Hosts a file in a worker of its own and calls back with each of its messages. */
export function startHosting(task: HostTask, onMessage: (message: FromWorker) => void): HostingControl {
  const worker = takeWorker();
  const desk = new CourierDesk((lost) => send(worker, lost));
  let isCancelled = false;
  const receive = (message: FromWorker) => {
    if (isLast(message)) {
      worker.terminate();
      desk.close();
    }
    if (!isCancelled) onMessage(message);
  };
  worker.onmessage = ({ data }: MessageEvent<FromWorker | CourierWish>) => {
    if (data.type === 'courier' || data.type === 'courierEnds') desk.obey(data);
    else receive(data);
  };
  worker.onerror = (event) => receive({ type: 'failed', failure: failureOf(event), canGoOn: false });
  send(worker, { type: 'host', server: location.origin, ...task });
  return {
    cancel() {
      isCancelled = true;
      send(worker, { type: 'cancel' });
    },
    start: () => send(worker, { type: 'start' }),
    pause: () => send(worker, { type: 'pause' }),
    unpause: () => send(worker, { type: 'unpause' }),
    give: (port) => send(worker, { type: 'give', port }, [port]),
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

function send(worker: Worker, message: ToWorker | CourierLost, transfer: Transferable[] = []): void {
  worker.postMessage(message, transfer);
}
