import { once } from 'node:events';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import { rootFolder } from '../tools/cache-folder.ts';
import { ask } from '../tools/http-server.ts';
import { MadeRoom } from '../tools/made-room.ts';
import { runProgram } from '../tools/run-program.ts';
import { startServer } from '../tools/running-server.ts';
import { joinOf, memberKey, RawClient } from '../tools/signaling-fixture.ts';
import { temporaryFolder } from '../tools/temporary-folder.ts';

const BIN = join(rootFolder, 'seed-server', 'bin.js');
const crypto = await chooseCrypto();

function matinee(dataDir: string, ...args: string[]): Promise<string> {
  return runProgram(process.execPath, [BIN, ...args], { env: { ...process.env, DATA_DIR: dataDir } });
}

/** What it complains of. */
function failing(dataDir: string, ...args: string[]): Promise<string> {
  return matinee(dataDir, ...args).then(
    () => 'it did not fail',
    (error: Error) => error.message,
  );
}

async function addRoom(url: string): Promise<MadeRoom> {
  const made = await MadeRoom.create(crypto);
  const { status } = await ask(`${url}/api/rooms/${made.room}`, { method: 'PUT', body: await made.record() });
  assert.is(status, 201);
  return made;
}

const commands = suite('the commands of whoever runs the server');

commands('should see and remove rooms under a running server, which sends their members away', async () => {
  const server = await startServer();
  const { dataDir } = server;
  try {
    const [one, other] = [await addRoom(server.url), await addRoom(server.url)];
    assert.is((await stat(join(dataDir, 'admin'))).mode & 0o777, 0o600);
    const member = await RawClient.open(`${server.url.replace('http', 'ws')}/signal`);
    member.send(joinOf(memberKey(1), one.room, one.token));
    await member.next('welcome');
    const list = await matinee(dataDir, 'rooms');
    assert.match(list, new RegExp(`^${one.room} +\\d+\\.\\d MB  used \\d{4}-.*Z  1 in it now$`, 'm'));
    assert.match(list, new RegExp(`^${other.room} +\\d+\\.\\d MB  used .*Z$`, 'm'));
    // The one with a member stays.
    assert.is(await matinee(dataDir, 'gc', '--days', '0'), `Removed ${other.room}.\n1 rooms removed.\n`);
    const ended = once(member.socket, 'close');
    assert.is(await matinee(dataDir, 'rm', one.room), `Removed ${one.room}.\n`);
    await ended;
    assert.equal(await readdir(join(dataDir, 'rooms')), []);
    const headers = { authorization: `Bearer ${one.token}` };
    assert.is((await ask(`${server.url}/api/rooms/${one.room}`, { headers })).status, 404);
    assert.match(await failing(dataDir, 'rm', one.room), /ended with 1: There is no such room/);
  } finally {
    await server.stop();
  }
});

commands('should work without a server, also where one was killed', async () => {
  const { path: dataDir, remove } = await temporaryFolder();
  try {
    const server = await startServer({ dataDir });
    const [one, other] = [await addRoom(server.url), await addRoom(server.url)];
    await server.kill('SIGKILL');
    assert.is((await matinee(dataDir, 'rooms')).split('\n').length, 3);
    assert.is(await matinee(dataDir, 'rm', one.room), `Removed ${one.room}.\n`);
    assert.is(await matinee(dataDir, 'gc', '--days', '1'), '0 rooms removed.\n');
    assert.is(await matinee(dataDir, 'gc', '--days', '0'), `Removed ${other.room}.\n1 rooms removed.\n`);
    assert.is(await matinee(dataDir, 'rooms'), 'There are no rooms.\n');
  } finally {
    await remove();
  }
});

commands('should say what is wrong with what they are asked', async () => {
  const { path: dataDir, remove } = await temporaryFolder();
  try {
    assert.match(await failing(dataDir, 'rm', '../rooms'), /ended with 1: This is no room id/);
    assert.match(await failing(dataDir, 'rm'), /ended with 1: matinee rm: name one room/);
    assert.match(await failing(dataDir, 'gc'), /ended with 1: matinee gc: say --days N, or set ROOM_DAYS/);
    assert.match(await failing(dataDir, 'gc', '--days', 'all'), /--days must be a number/);
    assert.match(await failing(dataDir, 'film'), /ended with 2: .*there is no such command/);
  } finally {
    await remove();
  }
});

commands.run();
