import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import { seededRandom } from '../sim/seeded-random.ts';
import { LedgerUpload, Refused } from '../tools/ledger-upload.ts';
import { type RunningServer, startServer } from '../tools/running-server.ts';
import { mountSmallDisk, reasonForNoDisk, type SmallDisk } from '../tools/small-disk.ts';
import { tell } from '../tools/tell.ts';

const DISK_BYTES = 8 * 1024 * 1024;

/** What lies on the disk besides Matinee's data, until somebody makes room. */
const BALLAST_BYTES = 5 * 1024 * 1024;

/** Some 5.5 MB: more than is left beside the ballast, less than the disk holds. */
const SEGMENTS = 50;

const crypto = await chooseCrypto();
const reason = await reasonForNoDisk();
if (reason !== null) tell(`SKIPPED: full and read-only disks, for none can be mounted here. ${reason}`);

interface Bench {
  disk: SmallDisk;
  dataDir: string;
  start(): Promise<RunningServer>;
  upload: LedgerUpload;
}

/** A small disk, and servers on it that are ended with the test. */
function onSmallDisk(body: (bench: Bench) => Promise<void>): () => Promise<void> {
  return async () => {
    const disk = await mountSmallDisk(DISK_BYTES);
    const dataDir = join(disk.path, 'data');
    const servers: RunningServer[] = [];
    const start = async (): Promise<RunningServer> => {
      const server = await startServer({ dataDir, env: { LOG_LEVEL: 'error' } });
      servers.push(server);
      return server;
    };
    try {
      await body({
        disk,
        dataDir,
        start,
        upload: await LedgerUpload.create(crypto, SEGMENTS, seededRandom(7)),
      });
    } finally {
      for (const server of servers) await server.kill('SIGKILL');
      await disk.remove();
    }
  };
}

/** What the server refuses an upload with. */
async function refusal(running: Promise<void>): Promise<Refused> {
  const outcome = await running.catch((error: unknown) => error);
  if (outcome instanceof Refused) return outcome;
  throw outcome ?? new Error('It was not refused.');
}

async function isAlive(server: RunningServer): Promise<boolean> {
  return (await fetch(`${server.url}/api/health`)).ok;
}

/** Why a server does not start. */
async function startFailure(start: () => Promise<RunningServer>): Promise<string> {
  const outcome = await start().catch((error: unknown) => error);
  return outcome instanceof Error ? outcome.message : 'It started.';
}

const disks = suite('a data folder');
const onDisk = reason === null ? disks : disks.skip;

onDisk(
  'should, on a full disk, refuse what has no room, keep what it has, and go on once there is room',
  onSmallDisk(async ({ disk, dataDir, start, upload }) => {
    await writeFile(join(disk.path, 'ballast'), new Uint8Array(BALLAST_BYTES));
    let server = await start();
    const { status, code, message } = await refusal(upload.run(server.url));
    assert.equal([status, code], [507, 'STORE_FULL']);
    assert.match(message, 'The server has no space left');
    assert.ok(upload.acknowledged.size > 5, 'the disk was full from the start');
    assert.ok(upload.acknowledged.size < SEGMENTS);
    assert.is((await upload.check(server.url)).unacknowledgedSegments, 0);
    assert.equal(await readdir(join(dataDir, 'temporary')), []);
    assert.is((await refusal(upload.run(server.url))).code, 'STORE_FULL');
    assert.ok(await isAlive(server));

    await server.kill('SIGKILL');
    await writeFile(join(disk.path, 'more'), new Uint8Array(DISK_BYTES)).catch(() => {});
    server = await start();
    await upload.check(server.url);
    assert.is((await refusal(upload.run(server.url))).code, 'STORE_FULL');

    await rm(join(disk.path, 'ballast'));
    await rm(join(disk.path, 'more'));
    await upload.run(server.url);
    assert.is((await upload.check(server.url)).acknowledgedSegments, SEGMENTS);
  }),
);

onDisk(
  'should, where it turns read-only, still be read, say so to who uploads, and take more once it is writable',
  onSmallDisk(async ({ disk, dataDir, start, upload }) => {
    const server = await start();
    await upload.run(server.url);
    await disk.remount('ro');
    const next = await LedgerUpload.create(crypto, 5, seededRandom(8));
    const { status, code, message } = await refusal(next.run(server.url));
    assert.equal([status, code], [503, 'STORE_READ_ONLY']);
    assert.match(message, 'cannot write to its disk');
    assert.is((await upload.check(server.url)).acknowledgedSegments, SEGMENTS);
    assert.is((await refusal(upload.takeDown(server.url))).code, 'STORE_READ_ONLY');
    assert.is((await upload.check(server.url)).acknowledgedSegments, SEGMENTS);
    assert.ok(await isAlive(server));

    await server.kill('SIGKILL');
    const failure = await startFailure(start);
    assert.match(failure, 'ended with 1 before');
    assert.match(
      failure,
      `The data folder ${dataDir} is on a read-only disk (EROFS). Make that writable again, or`,
    );

    await disk.remount('rw');
    const again = await start();
    await next.run(again.url);
    assert.is((await next.check(again.url)).acknowledgedSegments, 5);
    assert.is((await upload.check(again.url)).acknowledgedSegments, SEGMENTS);
  }),
);

onDisk(
  'should, where it turns read-only for a while, take the rest afterwards from the same server',
  onSmallDisk(async ({ disk, start, upload }) => {
    const server = await start();
    await disk.remount('ro');
    assert.is((await refusal(upload.run(server.url))).code, 'STORE_READ_ONLY');
    await disk.remount('rw');
    await upload.run(server.url);
    assert.is((await upload.check(server.url)).acknowledgedSegments, SEGMENTS);
  }),
);

disks.run();
