import { randomBytes } from 'node:crypto';
import { openVideo } from '../../peer/host/package.ts';
import { sealSegment } from '../../peer/host/seal-segment.ts';
import { openFile } from '../../seed-server/host-file.ts';
import { nodeCrypto } from '../../seed-server/node-crypto.ts';
import { generatedClip } from '../tools/clips.ts';
import { findFfmpeg } from '../tools/media-tools.ts';
import { runProgram } from '../tools/run-program.ts';
import { median, type Report } from './report.ts';

export const PACKAGED_CLIP = { durationS: 300, sizeBytes: 300_000_000 };
const ROUNDS = 3;

/**
 * Packaging, encrypting and hashing in Node against `ffmpeg -c copy` to fragmented MP4 piped into `openssl enc`, on the
 * same file, in turn, MB of source a second. Ours hashes every piece besides, which the other does not.
 */
export async function benchPackaging(): Promise<Report> {
  const clip = await generatedClip(PACKAGED_CLIP);
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round += 1) {
    ours.push(await mbPerS(clip.sizeBytes, () => packageAll(clip.path)));
    theirs.push(await mbPerS(clip.sizeBytes, () => remuxAndEncrypt(clip.path)));
  }
  return {
    name: 'packaging, copied, in Node',
    unit: 'MB/s',
    ours: median(ours),
    baseline: median(theirs),
    baselineName: 'ffmpeg -c copy | openssl enc',
    goal: 0.5,
  };
}

/** MB a second for work on so many bytes. */
export async function mbPerS(sizeBytes: number, work: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  await work();
  return sizeBytes / 1e3 / (performance.now() - startMs);
}

async function packageAll(path: string): Promise<void> {
  const crypto = await nodeCrypto();
  const key = crypto.randomBytes(32);
  const file = await openFile(path);
  const video = await openVideo(file.source);
  try {
    for await (const segment of video.segments(new AbortController().signal))
      await sealSegment(crypto, key, { ...segment, extra: null });
  } finally {
    video.close();
    await file.close();
  }
}

const PIPE =
  '"$1" -v error -i "$2" -c copy -movflags frag_keyframe+empty_moov+default_base_moof -f mp4 - |' +
  ' openssl enc -aes-256-ctr -K "$3" -iv "$4" > /dev/null';

/** The baseline: by a shell, whose pipe between the two no third program touches. */
export async function remuxAndEncrypt(path: string): Promise<void> {
  const { ffmpeg } = await findFfmpeg();
  const hex = (bytes: number): string => randomBytes(bytes).toString('hex');
  await runProgram('sh', ['-c', PIPE, 'sh', ffmpeg, path, hex(32), hex(16)]);
}
