import { systemClock } from '../../../peer/clock.ts';
import { chooseCrypto } from '../../../peer/crypto/choose.ts';
import { asMatineeError } from '../../../peer/errors.ts';
import { hostVideo } from '../../../peer/host/host-video.ts';
import { fromFile, openVideo } from '../../../peer/host/package.ts';
import { Couriers } from './couriers.ts';
import type { Failure, FromWorker, HostChoices, ToWorker } from './host-messages.ts';
import { texts } from './texts.ts';

/** Packages, encrypts and uploads one file away from the page's thread, so that the page stays quick. */

const cancelled = new AbortController();

self.addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  if (data.type === 'cancel') cancelled.abort();
  else void hostAndTell(data.file, data.server, data.choices);
});

async function hostAndTell(file: File, server: string, choices: HostChoices): Promise<void> {
  try {
    await host(file, server, choices);
    tell({ type: 'done' });
  } catch (error) {
    tell({ type: 'failed', failure: failureOf(error) });
  }
}

async function host(file: File, server: string, choices: HostChoices): Promise<void> {
  const crypto = await chooseCrypto();
  const video = await openVideo(fromFile(file));
  const couriers = new Couriers();
  try {
    tell({ type: 'opened', video: video.info });
    await hostVideo({
      video,
      server,
      ...choices,
      crypto,
      clock: systemClock,
      fetch: couriers.fetch,
      random: () => Math.random(),
      signal: cancelled.signal,
      onRoom: ({ link, hostKey }) => tell({ type: 'room', link, hostKey }),
      onProgress: (progress) => tell({ type: 'progress', progress }),
    });
  } finally {
    couriers.close();
    video.close();
  }
}

function tell(message: FromWorker): void {
  self.postMessage(message);
}

function failureOf(error: unknown): Failure {
  const { code, message } = asMatineeError(error, 'INTERNAL', texts.broken);
  return { code, message };
}
