import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import { openDataFolder } from '../../seed-server/data-folder.ts';
import { FileStore } from '../../seed-server/store/file-store.ts';
import { bringUpToDate, type Migration } from '../../seed-server/store/folder-version.ts';
import { MadeRoom } from '../tools/made-room.ts';
import { temporaryFolder } from '../tools/temporary-folder.ts';

const crypto = await chooseCrypto();
const NO_LIMITS = { allBytes: Number.POSITIVE_INFINITY, roomBytes: Number.POSITIVE_INFINITY };

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

async function addRoom(store: FileStore, ...sizesBytes: number[]): Promise<MadeRoom> {
  const made = await MadeRoom.create(crypto);
  await store.putRecord(made.room, await made.record());
  await store.putManifest(made.room, made.video, await made.grow(...sizesBytes));
  return made;
}

async function versionIn(folder: string): Promise<string> {
  return await readFile(join(folder, 'version'), 'utf8');
}

const version = suite('the version of a data folder');

version(
  'should be noted in a new one, and in one from before there were versions, whose rooms stay',
  inFolder(async (folder) => {
    const first = await openDataFolder(crypto, folder, NO_LIMITS, () => {});
    const { room } = await addRoom(first.store, 1000);
    await first.release();
    assert.is(await versionIn(folder), '1\n');
    await rm(join(folder, 'version'));
    const second = await openDataFolder(crypto, folder, NO_LIMITS, () => {});
    assert.equal(await second.store.listRooms(), [room]);
    await second.release();
    assert.is(await versionIn(folder), '1\n');
  }),
);

version(
  'should be refused where it is newer or no number, in a sentence, and change nothing',
  inFolder(async (folder) => {
    const refusal = async (text: string) => {
      await writeFile(join(folder, 'version'), text);
      const opened = openDataFolder(crypto, folder, NO_LIMITS, () => {});
      return await opened.then(
        () => 'it was opened',
        (error: Error) => error.message,
      );
    };
    assert.match(
      await refusal('2\n'),
      /was written by a newer Matinee \(version 2, this one knows up to 1\)/,
    );
    assert.match(await refusal('soon'), /says no version\. .*\.$/);
    assert.equal((await readdir(folder)).sort(), ['lock', 'version']);
    await writeFile(join(folder, 'version'), '1\n');
    await (await openDataFolder(crypto, folder, NO_LIMITS, () => {})).release();
  }),
);

version(
  'should go up step by step, each step once, and go on where it was cut off',
  inFolder(async (folder) => {
    await mkdir(join(folder, 'rooms', 'x'), { recursive: true });
    const steps: string[] = [];
    let doesFail = true;
    const migrations: Migration[] = [
      async () => void steps.push('1 to 2'),
      async () => {
        steps.push('2 to 3');
        if (doesFail) throw new Error('the power went');
      },
    ];
    const didFail = await bringUpToDate(folder, migrations).then(
      () => false,
      () => true,
    );
    assert.is(didFail, true);
    assert.is(await versionIn(folder), '2\n');
    doesFail = false;
    await bringUpToDate(folder, migrations);
    await bringUpToDate(folder, migrations);
    assert.is(await versionIn(folder), '3\n');
    assert.equal(steps, ['1 to 2', '2 to 3', '2 to 3']);
  }),
);

version(
  'should be the newest in an empty folder, which needs no steps',
  inFolder(async (folder) => {
    await bringUpToDate(folder, [async () => assert.unreachable()]);
    assert.is(await versionIn(folder), '2\n');
  }),
);

version.run();

const tidying = suite('tidying up a data folder');

tidying(
  'should keep nobody waiting who reads, and count all there is before anything more is stored',
  inFolder(async (folder) => {
    const before = await FileStore.open(crypto, folder);
    for (let i = 0; i < 20; i++) await addRoom(before, 1000);
    const [room = ''] = await before.listRooms();
    // 20 records, heads and pages take some 15 kB: the limit is reached by them alone.
    const store = await FileStore.openUntidied(crypto, folder, 10_000, Number.POSITIVE_INFINITY);
    let isTidied = false;
    void store.tidyUp().then(() => {
      isTidied = true;
    });
    assert.ok(await store.roomRecord(room));
    assert.is(isTidied, false);
    const code = await addRoom(store, 1000).then(
      () => 'stored',
      (error: { code: string }) => error.code,
    );
    assert.is(code, 'STORE_FULL');
    assert.is(isTidied, true);
  }),
);

tidying(
  'should end soon where the folder is let go, and be taken up by the next',
  inFolder(async (folder) => {
    const ROOMS = 300;
    const rooms = Array.from({ length: ROOMS }, (_, i) =>
      Buffer.alloc(16, `room ${i}`).toString('base64url'),
    );
    for (const room of rooms) await mkdir(join(folder, 'rooms', room), { recursive: true });
    const left = async () => (await readdir(join(folder, 'rooms'))).length;
    const first = await openDataFolder(crypto, folder, NO_LIMITS, () => {});
    void first.store.tidyUp();
    await first.release();
    assert.ok((await left()) > 0, 'it was waited for');
    await (await FileStore.open(crypto, folder)).close();
    assert.is(await left(), 0);
  }),
);

tidying.run();
