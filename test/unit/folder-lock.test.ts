import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { StartError } from '../../seed-server/start-error.ts';
import { lockFolder } from '../../seed-server/store/folder-lock.ts';
import { type RunningServer, startServer } from '../tools/running-server.ts';
import { temporaryFolder } from '../tools/temporary-folder.ts';

function inFolder(body: (folder: string) => Promise<void>): () => Promise<void> {
  return async () => {
    const { path, remove } = await temporaryFolder();
    try {
      await body(path);
    } finally {
      await remove();
    }
  };
}

/** What a second server says. */
async function refusalOf(server: Promise<RunningServer>): Promise<string> {
  const outcome = await server.then(
    async (started) => {
      await started.kill('SIGKILL');
      return 'It started.';
    },
    (error: unknown) => String(error),
  );
  return outcome;
}

const IN_USE =
  /^Another Matinee server is using the data folder .*\. Stop that one, or set DATA_DIR to .*\.$/m;

const servers = suite('two servers with one data folder');

servers(
  'should be kept apart as long as the first one lives, be it stopped, and no longer',
  inFolder(async (dataDir) => {
    const first = await startServer({ dataDir });
    try {
      const refusal = await refusalOf(startServer({ dataDir }));
      assert.match(refusal, IN_USE);
      assert.match(refusal, 'ended with 1 before');
      process.kill(first.pid, 'SIGSTOP');
      assert.match(await refusalOf(startServer({ dataDir })), IN_USE);
      process.kill(first.pid, 'SIGCONT');
      assert.ok((await fetch(`${first.url}/api/health`)).ok);
    } finally {
      await first.kill('SIGKILL');
    }
    const next = await startServer({ dataDir });
    assert.is((await readdir(join(dataDir, 'lock'))).length, 1);
    await next.stop();
    assert.equal(await readdir(join(dataDir, 'lock')), []);
  }),
);

servers.run();

const locks = suite('the lock of a folder');

const inUse = (): Error => new StartError('In use.');

locks(
  'should be had by one at a time, and by the next once it is released',
  inFolder(async (folder) => {
    const lock = await lockFolder(folder, inUse);
    assert.ok(lock.isExclusive);
    const refused = await lockFolder(folder, inUse).catch((error: unknown) => error);
    assert.match(String(refused), 'In use.');
    await lock.release();
    await (await lockFolder(folder, inUse)).release();
    assert.equal(await readdir(join(folder, 'lock')), []);
  }),
);

locks(
  'should never be had by two who ask in the same moment',
  inFolder(async (folder) => {
    for (let round = 0; round < 20; round++) {
      const asked = Array.from({ length: 6 }, () => lockFolder(folder, inUse));
      const outcomes = await Promise.allSettled(asked);
      const locks = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
      for (const outcome of outcomes)
        if (outcome.status === 'rejected') assert.instance(outcome.reason, StartError);
      assert.ok(locks.length <= 1, `${locks.length} have it`);
      await Promise.all(locks.map((lock) => lock.release()));
    }
  }),
);

locks(
  'should do in folders of any depth',
  inFolder(async (folder) => {
    const deep = join(folder, 'deep'.repeat(20), 'er'.repeat(40));
    await mkdir(deep, { recursive: true });
    const lock = await lockFolder(deep, inUse);
    const refused = await lockFolder(deep, inUse).catch((error: unknown) => error);
    // macOS has no way to name a socket there.
    const canLock = process.platform === 'linux';
    assert.is(lock.isExclusive, canLock);
    if (canLock) assert.match(String(refused), 'In use.');
    await lock.release();
    if (canLock) await (await lockFolder(deep, inUse)).release();
    assert.equal(await readdir(join(deep, 'lock')), []);
  }),
);

locks.run();
