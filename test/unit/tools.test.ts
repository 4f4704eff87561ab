import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { launchBrowser } from '../tools/browser.ts';
import { rootFolder } from '../tools/cache-folder.ts';
import { generatedClip, mainClip, mediaFile } from '../tools/clips.ts';
import { isExecutable } from '../tools/executables.ts';
import { findFfmpeg } from '../tools/media-tools.ts';
import { didAllPass } from '../tools/run-files.ts';
import { runProgram } from '../tools/run-program.ts';
import { startServer } from '../tools/running-server.ts';
import { temporaryFolder } from '../tools/temporary-folder.ts';

const browser = suite('the browser for the tests');

browser('should open a page that can play H.264 and talk over a data channel', async () => {
  const running = await launchBrowser();
  try {
    const page = await running.newPage();
    await page.setContent('<h1>Matinee</h1>');
    assert.is(await page.textContent('h1'), 'Matinee');
    assert.ok(await page.evaluate(canPlay), 'MediaSource takes H.264 and AAC');
    assert.is(await page.evaluate(echoOverDataChannel, 'hello'), 'hello');
  } finally {
    await running.close();
  }
});

browser.run();

function canPlay(): boolean {
  return MediaSource.isTypeSupported('video/mp4; codecs="avc1.64001f, mp4a.40.2"');
}

/** Runs in the page: a text sent from one end of a connection, as it arrives at the other. */
async function echoOverDataChannel(text: string): Promise<string> {
  const [near, far] = [new RTCPeerConnection(), new RTCPeerConnection()];
  near.onicecandidate = ({ candidate }) => void (candidate && far.addIceCandidate(candidate));
  far.onicecandidate = ({ candidate }) => void (candidate && near.addIceCandidate(candidate));
  const arrived = new Promise<string>((resolve) => {
    far.ondatachannel = ({ channel }) => {
      channel.onmessage = ({ data }) => resolve(data);
    };
  });
  const channel = near.createDataChannel('test');
  channel.onopen = () => channel.send(text);
  const offer = await near.createOffer();
  await near.setLocalDescription(offer);
  await far.setRemoteDescription(offer);
  const answer = await far.createAnswer();
  await far.setLocalDescription(answer);
  await near.setRemoteDescription(answer);
  return arrived;
}

const counting = suite('tests that did not begin, or ran beside each other');

const tests = "one('a', () => new Promise(setImmediate)); one('b', () => {});";
const SUITES = {
  whole: `${tests} one.run();`,
  skipping: "one('a', () => {}); one.skip('b', () => {}); one.run();",
  unprepared: "one.before(() => { throw new Error('no machine for it'); }); one('a', () => {}); one.run();",
  split: `${tests} one.run(); await new Promise((done) => setTimeout(done)); ${tests} one.run();`,
};

for (const [name, suites] of Object.entries(SUITES)) {
  counting(`should be found by what uvu writes of a suite that is ${name}`, async () => {
    const program = `import { suite } from 'uvu'; const one = suite('one'); ${suites}`;
    const options = { cwd: rootFolder };
    const written = await runProgram(process.execPath, ['--input-type=module', '-e', program], options);
    assert.match(written, /Total:/);
    assert.is(didAllPass(written), name === 'whole' || name === 'skipping');
  });
}

counting.run();

const media = suite('the media for the tests');

media('should find an ffmpeg and an ffprobe that may be run', async () => {
  const { ffmpeg, ffprobe } = await findFfmpeg();
  assert.ok(await isExecutable(ffmpeg));
  assert.ok(await isExecutable(ffprobe));
});

media('should have a main clip of 90 s at 24 pictures a second', async () => {
  const clip = await mainClip();
  assert.is(clip.frameCount, 90 * 24);
  assert.ok(Math.abs(clip.durationS - 90) < 0.1, `${clip.durationS} s`);
  assert.equal([clip.widthPx, clip.heightPx], [1280, 720]);
});

media('should make a clip of the length and at least the size asked for', async () => {
  const sizeBytes = 3_000_000;
  const clip = await generatedClip({ durationS: 12, sizeBytes, widthPx: 320, heightPx: 180 });
  assert.is(clip.frameCount, Math.round(clip.durationS * 24));
  assert.ok(
    clip.durationS >= 12 && clip.sizeBytes >= sizeBytes,
    `${clip.durationS} s, ${clip.sizeBytes} bytes`,
  );
});

media('should say null for a media file that is not there', () => {
  assert.is(mediaFile('no-such-file.mp4'), null);
});

media.run();

const folders = suite('a temporary folder');

folders('should be new and empty, and gone with its files once removed', async () => {
  const [one, other] = await Promise.all([temporaryFolder(), temporaryFolder()]);
  assert.is.not(one.path, other.path);
  assert.equal(await readdir(one.path), []);
  await writeFile(join(one.path, 'file'), 'text');
  await Promise.all([one.remove(), other.remove()]);
  await rejects(readdir(one.path), /ENOENT/);
});

folders.run();

const servers = suite('a running server');

// Stands in for the seed server, so that these cases need no build of it; it answers with its data folder
// and the id of a child it started.
const honest = `
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { stdio: 'ignore' });
const server = createServer((_, answer) => answer.end(process.env.DATA_DIR + ' ' + child.pid));
server.listen(Number(process.env.PORT), process.env.HOST, () =>
  console.log('Matinee is open at http://127.0.0.1:' + server.address().port));
`;

servers('should be reached at the address it told, with its data folder and settings', async () => {
  await withProgram(honest, async (program) => {
    const server = await startServer({ program });
    const [dataDir] = (await (await fetch(server.url)).text()).split(' ');
    assert.is(dataDir, server.dataDir);
    await server.stop();
    await rejects(readdir(server.dataDir), /ENOENT/);
  });
});

servers('should be gone with the processes it started once killed, its data kept', async () => {
  await withProgram(honest, async (program) => {
    const server = await startServer({ program });
    const [, childId] = (await (await fetch(server.url)).text()).split(' ');
    await server.kill('SIGKILL');
    assert.equal(await readdir(server.dataDir), []);
    assert.not.ok(await isRunning(Number(childId)));
    await server.stop();
  });
});

servers('should tell what it wrote when it ends before it is open', async () => {
  await withProgram("console.error('the port is taken'); process.exit(3);", async (program) => {
    await rejects(startServer({ program }), /ended with 3[\s\S]*the port is taken/);
  });
});

servers('should take the port it is given', async () => {
  await withProgram(honest, async (program) => {
    const port = await freePort();
    const server = await startServer({ program, port });
    assert.is(server.url, `http://127.0.0.1:${port}`);
    await server.stop();
  });
});

servers.run();

async function withProgram(source: string, use: (program: string) => Promise<void>): Promise<void> {
  const folder = await temporaryFolder();
  try {
    const program = join(folder.path, 'program.mjs');
    await writeFile(program, source);
    await use(program);
  } finally {
    await folder.remove();
  }
}

async function rejects(promise: Promise<unknown>, pattern: RegExp): Promise<void> {
  const outcome = await promise.then(
    () => 'no error',
    (error: unknown) => String(error),
  );
  assert.match(outcome, pattern);
}

/** Whether a process runs; one that only waits for somebody to read its end does not. */
async function isRunning(id: number): Promise<boolean> {
  try {
    process.kill(id, 0);
    if (process.platform !== 'linux') return true;
    return !/\) [ZX] /.test(await readFile(`/proc/${id}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const bound = server.address();
      server.close(() => resolve(bound !== null && typeof bound === 'object' ? bound.port : 0));
    });
  });
}
