import type { Bytes } from '../../../peer/bytes.ts';
import { MatineeError } from '../../../peer/errors.ts';
import type { RoomEntry } from '../../../peer/room-link.ts';
import type { FromPasswordWorker, ToPasswordWorker } from './password-messages.ts';
import { texts } from './texts.ts';

/**
 * The secret of a room that has a password, made in a worker of its own: see crypto/password.ts. `onProgress` hears of the
 * share done, 0 to 1. @throws MatineeError INTERNAL where the worker cannot be loaded or has not the memory.
 */
export async function stretchInWorker(
  { roomId, roomSecret }: RoomEntry,
  password: string,
  onProgress: (share: number) => void,
): Promise<Bytes> {
  const worker = new Worker(new URL('./password.worker.ts', import.meta.url), { type: 'module' });
  try {
    const request: ToPasswordWorker = { roomId, roomSecret, password };
    worker.postMessage(request);
    return await answerOf(worker, onProgress);
  } finally {
    worker.terminate();
  }
}

function answerOf(worker: Worker, onProgress: (share: number) => void): Promise<Bytes> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void =>
      reject(new MatineeError('INTERNAL', texts.passwordBroken, { cause }));
    worker.onerror = (event) => fail(event.message);
    worker.onmessage = ({ data }: MessageEvent<FromPasswordWorker>) => {
      if (data.type === 'progress') onProgress(data.share);
      else if (data.type === 'secret') resolve(data.secret);
      else fail(data.reason);
    };
  });
}
