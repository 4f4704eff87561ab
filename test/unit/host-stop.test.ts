import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { toBase64url } from '../../peer/bytes.ts';
import { parseHostKey } from '../../peer/host/host-key-file.ts';
import { parseRoomLink } from '../../peer/room-link.ts';
import { seededRandom } from '../sim/seeded-random.ts';
import { type Clip, shortClip } from '../tools/clips.ts';
import { type Outcome, outcomeOf, startHost } from '../tools/host-command.ts';
import { type RunningServer, startServer } from '../tools/running-server.ts';
import { type SlowLine, slowLine } from '../tools/slow-line.ts';
import { extrasOfStored } from '../tools/stored-film.ts';
import { tell } from '../tools/tell.ts';
import { type TemporaryFolder, temporaryFolder } from '../tools/temporary-folder.ts';

/** Rerun a failure with the same moments. */
const SEED = Number(process.env.MATINEE_SEED ?? 7);
const KILLS = Number(process.env.MATINEE_KILLS ?? 2);
const SLOW_BYTES_PER_SEC = 1_000_000;
/** Slow enough for other commands to come and go before the film is up. */
const CREEPING_BYTES_PER_SEC = 50_000;

/** One run of the command. */
interface Life {
  child: ChildProcess;
  ended: Promise<Outcome>;
}

interface Rig {
  clip: Clip;
  server: RunningServer;
  line: SlowLine;
  /** Where the commands keep what they keep, and the test its own files. */
  folder: TemporaryFolder;
  lives: Life[];
}

const stopped = suite<Rig>('a host command that stops');

stopped.before(async (rig) => {
  // 20 s are some 4 MB: ten segments.
  rig.clip = await shortClip(20);
  rig.server = await startServer();
});

stopped.after(({ server }) => server.stop());

stopped.before.each(async (rig) => {
  rig.lives = [];
  rig.folder = await temporaryFolder();
  rig.line = await slowLine(rig.server.url, SLOW_BYTES_PER_SEC);
});

stopped.after.each(async ({ lives, line, folder }) => {
  for (const { child } of lives) child.kill('SIGKILL');
  await Promise.all(lives.map(({ ended }) => ended));
  await line.close();
  await folder.remove();
});

/** Runs the command on the rig's clip and line. */
function live({ clip, line, folder, lives }: Rig, args: readonly string[] = [], state = folder.path): Life {
  const child = startHost([clip.path, '--server', line.url, ...args], { XDG_STATE_HOME: state });
  const life = { child, ended: outcomeOf(child) };
  lives.push(life);
  return life;
}

/** Resolves once the film is open and so many bytes went up since. Rejects where the command ends before. */
async function untilSent({ line }: Rig, life: Life, bytes: number): Promise<void> {
  // What a killed one left on the line has gone by then.
  await inLife(life, once(life.child.stderr ?? life.child, 'data'));
  await inLife(life, line.carried(bytes));
}

/** Resolves with the room's link, once it works. */
async function untilLink(life: Life): Promise<string> {
  return String(await inLife(life, once(life.child.stdout ?? life.child, 'data')));
}

async function inLife<T>({ ended }: Life, task: Promise<T>): Promise<T> {
  const early = ended.then(({ stderr }) => Promise.reject(new Error(`It ended early: ${stderr}`)));
  return await Promise.race([task, early]);
}

/** What is kept of uploads that stopped. */
function kept({ folder }: Rig): Promise<string[]> {
  return readdir(join(folder.path, 'matinee', 'uploads'));
}

/** Something that was kept long ago of another upload: a command that uploads removes it. */
async function keepOld({ folder }: Rig): Promise<void> {
  const place = join(folder.path, 'matinee', 'uploads', 'long-ago');
  await mkdir(place, { recursive: true });
  await writeFile(join(place, 'upload'), '');
  await utimes(join(place, 'upload'), 0, 0);
}

/** The ids of the rooms on the server. */
function rooms({ server }: Rig): Promise<string[]> {
  return readdir(join(server.dataDir, 'rooms'));
}

function roomOf(link: string): string {
  return toBase64url(parseRoomLink(link.trimEnd()).roomId);
}

async function assertWhole({ server, clip }: Rig, { code, stdout, stderr }: Outcome): Promise<void> {
  assert.is(code, 0, stderr);
  assert.equal(await extrasOfStored(server.dataDir, stdout.trimEnd(), clip.path), []);
}

stopped(`should finish after ${KILLS} deaths, with the segments of one without any`, async (rig) => {
  const random = seededRandom(SEED);
  const before = await rooms(rig);
  await keepOld(rig);
  const lifeBytes = (0.9 * rig.clip.sizeBytes) / KILLS;
  const links = new Set<string>();
  const percents: number[] = [];
  const note = ({ stdout, stderr }: Outcome): void => {
    if (stdout !== '') links.add(stdout);
    const percent = /^Going on with an upload that stopped at (\d+) %; --new to start over\.$/m.exec(stderr);
    if (percent) percents.push(Number(percent[1]));
  };
  for (let kill = 0; kill < KILLS; kill++) {
    const life = live(rig);
    await untilSent(rig, life, (0.2 + 0.8 * random()) * lifeBytes);
    life.child.kill('SIGKILL');
    note(await life.ended);
  }
  rig.line.bytesPerSec = Number.POSITIVE_INFINITY;
  const last = await live(rig).ended;
  note(last);
  tell(`Killed ${KILLS} times (seed ${SEED}), it went on at ${percents.join(', ')} %.`);
  assert.is(percents.length, KILLS, 'it went on each time');
  assert.ok((percents.at(-1) ?? 0) > 0);
  assert.equal(
    percents,
    [...percents].sort((a, b) => a - b),
  );
  assert.is(links.size, 1, 'in one room');
  await assertWhole(rig, last);
  assert.is((await rooms(rig)).length, before.length + 1);
  assert.equal(await kept(rig), []);
});

stopped('should go on in its room after others were kept away, and its server was gone', async (rig) => {
  const keyFile = join(rig.folder.path, 'key.json');
  const first = live(rig, ['--key-out', keyFile]);
  await untilLink(first);
  rig.line.bytesPerSec = CREEPING_BYTES_PER_SEC;
  const second = await live(rig).ended;
  assert.is(second.code, 1);
  assert.match(second.stderr, /^This very file is being uploaded to http:\S+ by another command\./);
  first.child.kill('SIGTERM');
  const { code, stdout: link, stderr } = await first.ended;
  assert.is(code, 143);
  assert.match(stderr, /The upload has stopped\. The same command again goes on where it stopped\.\n$/);
  const other = await live(rig, ['--without-sound']).ended;
  assert.is(other.code, 1);
  assert.match(other.stderr, /stopped at \d+ %, and it began with something else for --without-sound\./);
  await rig.server.kill('SIGTERM');
  const away = await live(rig).ended;
  assert.is(away.code, 1);
  assert.match(away.stderr, /does not answer\. .* The same command again goes on where it stopped\.\n$/);
  const { dataDir, url } = rig.server;
  rig.server = await startServer({ dataDir, port: Number(new URL(url).port) });
  rig.line.bytesPerSec = Number.POSITIVE_INFINITY;
  const last = await live(rig, ['--key-out', keyFile]).ended;
  await assertWhole(rig, last);
  assert.is(last.stdout, link);
  assert.is(parseHostKey(await readFile(keyFile, 'utf8')).link, link.trimEnd());
  assert.equal(await kept(rig), []);
});

stopped('should start over where that is asked for, and leave nothing when it is cancelled', async (rig) => {
  const first = live(rig);
  await untilLink(first);
  first.child.kill('SIGKILL');
  const { stdout: before } = await first.ended;
  assert.ok((await rooms(rig)).includes(roomOf(before)));
  const anew = live(rig, ['--new']);
  await untilLink(anew);
  assert.not.ok((await rooms(rig)).includes(roomOf(before)), 'its room is gone');
  anew.child.kill('SIGKILL');
  const { stdout: link, stderr } = await anew.ended;
  assert.match(stderr, /^The upload that stopped at \d+ % is given up, and its room taken down\.$/m);
  assert.is.not(link, before);
  const again = live(rig);
  await untilSent(rig, again, 500_000);
  again.child.kill('SIGINT');
  const { code, stderr: farewell } = await again.ended;
  assert.is(code, 130);
  assert.match(farewell, /Going on .*The upload was cancelled\. Nothing of it is kept\.\n$/s);
  assert.not.ok((await rooms(rig)).includes(roomOf(link)));
  assert.equal(await kept(rig), []);
});

stopped('should upload where nothing can be kept, and say so', async (rig) => {
  rig.line.bytesPerSec = Number.POSITIVE_INFINITY;
  const noFolder = join(rig.folder.path, 'file');
  await writeFile(noFolder, '');
  const outcome = await live(rig, [], noFolder).ended;
  assert.match(
    outcome.stderr,
    /^Nothing can be kept in \S+ \(ENOTDIR\): should this upload stop, it has to start over\.$/m,
  );
  await assertWhole(rig, outcome);
});

stopped.run();
