import { chooseCrypto } from '../../../peer/crypto/choose.ts';
import { secretWithPassword } from '../../../peer/crypto/password.ts';
import type { FromPasswordWorker, ToPasswordWorker } from './password-messages.ts';

/** Stretches one password away from the page's thread, which it would hold up for a second or more. */

self.addEventListener('message', ({ data }: MessageEvent<ToPasswordWorker>) => void stretchAndTell(data));

async function stretchAndTell({ password, ...entry }: ToPasswordWorker): Promise<void> {
  try {
    const onProgress = (share: number): void => tell({ type: 'progress', share });
    const secret = await secretWithPassword(await chooseCrypto(), entry, password, onProgress);
    tell({ type: 'secret', secret });
  } catch (error) {
    tell({ type: 'failed', reason: String(error) });
  }
}

function tell(message: FromPasswordWorker): void {
  self.postMessage(message);
}
