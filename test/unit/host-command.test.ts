import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { toBase64url } from '../../peer/bytes.ts';
import type { HostProgress } from '../../peer/host/host-video.ts';
import { progressText } from '../../peer/host/progress-text.ts';
import { UploadSpeed } from '../../peer/host/upload-speed.ts';
import { parseRoomLink } from '../../peer/room-link.ts';
import { ProgressOutput } from '../../seed-server/host-output.ts';
import { type Outcome, outcomeOf, startHost } from '../tools/host-command.ts';
import { temporaryFolder } from '../tools/temporary-folder.ts';
import { deafAddress, gate, present, TestServer } from './host-rig.ts';

const MEDIA = fileURLToPath(new URL('../../../shared/media/', import.meta.url));
const CLIP = join(MEDIA, 'rooftop-moov-at-end.mp4');
const hasClip = existsSync(CLIP);
if (!hasClip) process.stderr.write(`SKIPPED: hosting real clips, since ${CLIP} is not there.\n`);

/** Where those runs keep what they keep. */
const state = await temporaryFolder();

function start(args: string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  return startHost(args, { XDG_STATE_HOME: state.path, ...env });
}

function host(...args: string[]): Promise<Outcome> {
  return outcomeOf(start(args));
}

/** Checks for an end with one sentence and nothing else. */
function assertFails({ code, stdout, stderr }: Outcome, sentence: RegExp): void {
  assert.match(stderr, sentence);
  assert.is(stderr.trim().split('\n').length, 1, stderr);
  assert.not.match(stderr, /\n\s+at /);
  assert.is(stdout, '');
  assert.is(code, 1);
}

const command = suite('the host command');

command.after(() => state.remove());

const whereClips = hasClip ? command : command.skip;

whereClips('should put a film into a room and print its link alone', async () => {
  const server = await new TestServer().start();
  try {
    const { code, stdout, stderr } = await host(CLIP, '--server', server.address);
    assert.is(code, 0, stderr);
    const { roomId } = parseRoomLink(stdout.trimEnd());
    assert.ok(stdout.startsWith(`${server.address}/r/`) && stdout.indexOf('\n') === stdout.length - 1);
    assert.equal([...server.rooms.keys()], [toBase64url(roomId)]);
    const { head } = server.room.manifest;
    assert.is(head?.isDone, true);
    assert.is(server.room.segments.size, head?.segmentCount);
    assert.match(stderr, /All [\d.]+ MB are stored\.\n$/);
  } finally {
    await server.stop();
  }
});

whereClips('should take subtitles along, and refuse what is none', async () => {
  const server = await new TestServer().start();
  const folder = await temporaryFolder();
  try {
    const [good, bad] = [join(folder.path, 'film.de.srt'), join(folder.path, 'list.srt')];
    await writeFile(good, '00:00:01,000 --> 00:00:02,000\nHallo\n');
    await writeFile(bad, 'bread, milk');
    assertFails(await host(CLIP, bad, '--server', server.address), /no subtitles in “list\.srt”/);
    assert.is(server.rooms.size, 0, 'nothing was sent');
    assert.is((await host(CLIP, good, '--server', server.address)).code, 0);
    const { manifest, segments } = server.room;
    assert.equal([...manifest.extras], [1]);
    assert.is(segments.size, manifest.head?.segmentCount);
  } finally {
    await folder.remove();
    await server.stop();
  }
});

whereClips('should take the room down on Ctrl-C', async () => {
  const server = await new TestServer().start();
  const never = gate();
  try {
    let child: ChildProcess | null = null;
    server.disturb = async ({ segment }) => {
      if (segment !== 2) return null;
      child?.kill('SIGINT');
      await never.opened;
      return null;
    };
    child = start([CLIP, '--server', server.address]);
    const { code, stderr } = await outcomeOf(child);
    assert.is(code, 130);
    assert.match(stderr, /The upload was cancelled\. Nothing of it is kept\.\n$/);
    assert.is(server.rooms.size, 0);
  } finally {
    never.open();
    await server.stop();
  }
});

whereClips('should say when the server is not there', async () => {
  const server = await deafAddress();
  const { code, stdout, stderr } = await host(CLIP, '--server', server);
  assert.is(code, 1);
  assert.is(stdout, '');
  assert.match(stderr, `The server at ${server} does not answer.`);
});

whereClips('should take a file from where npm was called', async () => {
  const child = start(['rooftop-moov-at-end.mp4', '--server', 'nowhere'], {
    npm_lifecycle_event: 'host',
    INIT_CWD: MEDIA,
  });
  assertFails(await outcomeOf(child), /“nowhere” is not the address of a server/);
});

command('should say that a file is not there', async () => {
  assertFails(await host('no such film.mp4'), /^There is no file .*no such film\.mp4\./);
});

command('should say that a folder is not a file', async () => {
  assertFails(await host('test'), /test is a folder\. Name a video file in it\.$/m);
});

command('should say that a file is no video', async () => {
  const folder = await temporaryFolder();
  try {
    const path = join(folder.path, 'notes.mp4');
    await writeFile(path, 'Dear diary, this is no film at all.');
    assertFails(await host(path), /not a video/);
    await writeFile(path, '');
    assertFails(await host(path), /empty/);
  } finally {
    await folder.remove();
  }
});

command('should say how it is used', async () => {
  const wrong = await Promise.all([host(), host('a.mp4', 'b.mp4'), host('a.mp4', '--sever', 'x')]);
  const sentences = [
    /^Which file\? Say: npm run host/,
    /^One file at a time/,
    /^Unknown option '--sever'\. Say:/,
  ];
  wrong.forEach((outcome, i) => {
    assertFails(outcome, present(sentences[i]));
  });
  const { code, stdout } = await host('--help');
  assert.is(code, 0);
  assert.match(stdout, 'npm run host -- FILE [SUBTITLES ...] [--server URL]');
});

command.run();

const output = suite('progress in a terminal and in a log');

const HALF: HostProgress = {
  phase: 'uploading',
  packagedBytes: 60e6,
  uploadedBytes: 50e6,
  totalBytes: 100e6,
  uploadedMs: 60_000,
  segmentCount: 31,
  retryInMs: null,
  problem: null,
};

/** Shows the same news ten times a second for `seconds`, and gives what was written. */
function written(isTTY: boolean, seconds: number): string {
  let all = '';
  let nowMs = 0;
  const write = (part: string | Uint8Array): boolean => {
    all += part;
    return true;
  };
  const clock = { nowMs: () => nowMs, wallMs: () => nowMs, after: () => () => undefined };
  const shown = new ProgressOutput({ isTTY, columns: 30, write }, clock);
  for (; nowMs < seconds * 1000; nowMs += 100) shown.show({ ...HALF, uploadedBytes: nowMs * 1000 });
  shown.endLine();
  return all;
}

output('should be one line that is rewritten, and never wraps, in a terminal', () => {
  const text = written(true, 10);
  assert.is(text.split('\n').length, 2);
  const frames = text.trimEnd().split('\r\u001b[K').slice(1);
  assert.is(frames.length, 50);
  assert.ok(frames.every((frame) => frame.length < 30 && frame.length > 10));
});

output('should be a line every few seconds in a log', () => {
  const lines = written(false, 20).trimEnd().split('\n');
  assert.is(lines.length, 4);
  assert.is(lines[3], '15 %, 15.0 MB of 100.0 MB, 1.0 MB/s, 1 min 25 s left');
});

output('should tell what is wrong instead of a speed', () => {
  const problem = 'The server does not answer. Trying again in 4 s.';
  assert.is(progressText({ ...HALF, problem }, 1e6), `50 %, 50.0 MB of 100.0 MB, ${problem}`);
});

output('should keep 100 % for the end', () => {
  assert.match(progressText({ ...HALF, uploadedBytes: 99.99e6 }, null), /^99 %, /);
  assert.match(progressText({ ...HALF, uploadedBytes: 100e6, phase: 'finishing' }, null), /^99 %, /);
  assert.is(progressText({ ...HALF, uploadedBytes: 100e6, phase: 'done' }, null), 'All 100.0 MB are stored.');
});

output('should measure the speed of the last seconds only', () => {
  const speed = new UploadSpeed();
  assert.is(speed.bytesPerSec, null);
  for (let atMs = 0; atMs <= 60_000; atMs += 1000) speed.note(atMs, atMs * 5);
  assert.is(Math.round(speed.bytesPerSec ?? 0), 5000);
  for (let atMs = 61_000; atMs <= 80_000; atMs += 1000) speed.note(atMs, 300_000);
  assert.is(speed.bytesPerSec, 0);
});

output.run();
