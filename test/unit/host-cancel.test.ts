import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MatineeError } from '../../peer/errors.ts';
import { hostVideo } from '../../peer/host/host-video.ts';
import { gate, hosting, RandomVideo, rejection, sizes, TestServer } from './host-rig.ts';

const cancel = suite<{ server: TestServer }>('cancelling an upload');

cancel.before.each(async (context) => {
  context.server = await new TestServer().start();
});

cancel.after.each(async ({ server }) => server.stop());

cancel('should stop at once and take the room down', async ({ server }) => {
  const abort = new AbortController();
  const never = gate();
  let holdingCount = 0;
  server.disturb = async ({ segment }) => {
    if (segment === null || segment < 6) return null;
    if (++holdingCount === 3) abort.abort();
    await never.opened;
    return null;
  };
  const video = new RandomVideo(sizes(50));
  const { options, told } = hosting(video, server.address, { signal: abort.signal });
  const error = await rejection(hostVideo(options));
  assert.is(error instanceof MatineeError && error.code, 'ABORTED');
  assert.match(String(error), 'Nothing of it is kept.');
  assert.is(server.rooms.size, 0);
  assert.is(server.seen.at(-1)?.kind, 'take-down');
  assert.ok(video.hasStopped);
  assert.ok(video.made.length < 15);
  const toldCount = told.progress.length;
  never.open();
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.is(server.seen.at(-1)?.kind, 'take-down', 'no request follows');
  assert.is(told.progress.length, toldCount, 'no news follows');
});

cancel('should ask nobody for anything when cancelled before it began', async ({ server }) => {
  const video = new RandomVideo(sizes(5));
  const { options } = hosting(video, server.address, { signal: AbortSignal.abort() });
  const error = await rejection(hostVideo(options));
  assert.is(error instanceof MatineeError && error.code, 'ABORTED');
  assert.is(server.seen.length, 0);
  assert.is(video.made.length, 0);
});

cancel(
  'should cut short the wait for a server that went away, and say what may be left',
  async ({ server }) => {
    const abort = new AbortController();
    server.disturb = async ({ segment }) => {
      if (segment === 5) await server.stop();
      return null;
    };
    const { options, told } = hosting(new RandomVideo(sizes(20)), server.address, {
      signal: abort.signal,
      onProgress(progress) {
        told.progress.push(progress);
        if ((progress.retryInMs ?? 0) > 5000) abort.abort();
      },
    });
    const error = await rejection(hostVideo(options));
    assert.is(error instanceof MatineeError && error.code, 'ABORTED');
    assert.match(String(error), 'may still be there');
  },
);

cancel('should leave nothing behind at its signal', async ({ server }) => {
  const { signal } = new AbortController();
  let listenerCount = 0;
  const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listenerCount += 1;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listenerCount -= 1;
    remove(...args);
  };
  await hostVideo(hosting(new RandomVideo(sizes(9)), server.address, { signal }).options);
  assert.is(listenerCount, 0);
});

cancel.run();
