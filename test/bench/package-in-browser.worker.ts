import { chooseCrypto } from '../../peer/crypto/choose.ts';
import { fromFile, openVideo } from '../../peer/host/package.ts';
import { sealSegment } from '../../peer/host/seal-segment.ts';

/** Packages, encrypts and hashes the file it is sent, as the host's worker does, and answers with the milliseconds that took. */
self.addEventListener('message', async ({ data }: MessageEvent<File>) => {
  const crypto = await chooseCrypto();
  const key = crypto.randomBytes(32);
  const startMs = performance.now();
  const video = await openVideo(fromFile(data));
  for await (const segment of video.segments(new AbortController().signal))
    await sealSegment(crypto, key, { ...segment, extra: null });
  video.close();
  self.postMessage(performance.now() - startMs);
});
