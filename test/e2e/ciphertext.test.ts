import { execFile } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concat, toBase64url, toHex } from '../../peer/bytes.ts';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import { counterBlock } from '../../peer/crypto/content.ts';
import { deriveVideoKeys } from '../../peer/crypto/keys.ts';
import { openHead } from '../../peer/manifest/head.ts';
import { parseRoomLink } from '../../peer/room-link.ts';
import { launchBrowser } from '../tools/browser.ts';
import { shortClip } from '../tools/clips.ts';
import { findFfmpeg } from '../tools/media-tools.ts';
import { plainExtra } from '../tools/plain-extra.ts';
import { runProgram } from '../tools/run-program.ts';
import { startBuiltServer } from '../tools/running-server.ts';
import { temporaryFolder } from '../tools/temporary-folder.ts';
import { hostThroughPage, say, visit } from './pages.ts';

const ciphertext = suite('what lies in the data folder');

const BOX_NAMES = ['ftyp', 'moov', 'moof', 'mdat', 'avc1', 'mp4a', 'isom'];
const SECRET_TEXT = 'A line that no server may ever read';

/** Decrypts one stored segment with the real openssl, as PROTOCOL.md says. */
async function decryptWithOpenssl(path: string, keyHex: string, segment: number): Promise<Buffer> {
  const args = [
    'enc',
    '-d',
    '-aes-256-ctr',
    '-K',
    keyHex,
    '-iv',
    toHex(counterBlock(segment, 0)),
    '-in',
    path,
  ];
  const { stdout } = await promisify(execFile)('openssl', args, { encoding: 'buffer', maxBuffer: 1 << 28 });
  return stdout;
}

/** The decoded pictures' hashes and times, by ffmpeg. */
async function frameHashes(path: string): Promise<string[]> {
  const { ffmpeg } = await findFfmpeg();
  const text = await runProgram(ffmpeg, ['-v', 'error', '-i', path, '-map', '0:v:0', '-f', 'framemd5', '-']);
  const rows = text.split('\n').filter((row) => row !== '' && !row.startsWith('#'));
  return rows.map((row) => row.split(',').at(-1)?.trim() ?? '');
}

ciphertext(
  'should be unreadable there, and be the film again under openssl with the key from the link',
  async () => {
    const clip = await shortClip(20);
    const server = await startBuiltServer();
    const browser = await launchBrowser();
    const folder = await temporaryFolder();
    try {
      const host = await visit(browser, server.url);
      const link = parseRoomLink(await hostThroughPage(host.page, clip.path));
      await saySomething(browser, link.roomId, link.roomSecret, server.url);
      const crypto = await chooseCrypto();
      const room = join(server.dataDir, 'rooms', toBase64url(link.roomId));
      const [videoId = ''] = await readdir(join(room, 'videos'));
      const video = join(room, 'videos', videoId);
      const head = await openHead(crypto, link.roomId, new Uint8Array(await readFile(join(video, 'head'))));
      const { contentKey } = await deriveVideoKeys(crypto, link.roomSecret, head.video);

      const plain: Buffer[] = [];
      for (let segment = 0; segment < head.segmentCount; segment++) {
        const path = join(video, 'segments', String(segment));
        const bytes = await decryptWithOpenssl(path, toHex(contentKey), segment);
        if (!plainExtra(bytes)) plain.push(bytes);
      }
      const decrypted = join(folder.path, 'decrypted.mp4');
      await writeFile(decrypted, concat(...plain));
      const { ffprobe } = await findFfmpeg();
      const probed = await runProgram(ffprobe, [
        '-v',
        'error',
        '-show_entries',
        'stream=codec_name',
        '-of',
        'csv=p=0',
        decrypted,
      ]);
      assert.match(probed, 'h264');
      assert.match(probed, 'aac');
      const hashes = await frameHashes(decrypted);
      assert.is(hashes.length, clip.frameCount);
      assert.equal(hashes, await frameHashes(clip.path));

      const secrets = [link.roomSecret, contentKey].flatMap((key) => [
        Buffer.from(key),
        Buffer.from(toHex(key)),
        Buffer.from(toBase64url(key)),
      ]);
      const forbidden = [
        ...[...BOX_NAMES, SECRET_TEXT, 'big-buck', 'video/mp4'].map((text) => Buffer.from(text)),
        ...secrets,
      ];
      const files = await readdir(server.dataDir, { recursive: true, withFileTypes: true });
      const found: string[] = [];
      for (const file of files.filter((entry) => entry.isFile())) {
        const bytes = await readFile(join(file.parentPath, file.name));
        for (const needle of forbidden) {
          // A name of four bytes is in megabytes of noise now and then; only where it would stand does it tell.
          const at = needle.byteLength > 4 ? bytes.indexOf(needle) : bytes.subarray(0, 64).indexOf(needle);
          if (at >= 0) found.push(`${file.name}: ${needle.toString('latin1').slice(0, 20)} at ${at}`);
        }
      }
      assert.equal(found, []);
      assert.not(server.log().includes(toBase64url(link.roomSecret)), 'nor is the secret in the log');
    } finally {
      await browser.close();
      await server.stop();
      await folder.remove();
    }
  },
);

async function saySomething(
  browser: Awaited<ReturnType<typeof launchBrowser>>,
  roomId: Uint8Array,
  secret: Uint8Array,
  url: string,
): Promise<void> {
  const { page, context } = await visit(browser, `${url}/r/${toBase64url(roomId)}#${toBase64url(secret)}`);
  await page.waitForFunction(() => window.matinee?.stats().isOriginConnected);
  await say(page, SECRET_TEXT);
  await page.getByTestId('chat-line').waitFor();
  await context.close();
}

ciphertext.run();
