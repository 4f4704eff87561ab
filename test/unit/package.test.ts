import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BufferSource, Input, MP4 } from 'mediabunny';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Bytes, concat, toHex, totalBytes, utf8 } from '../../peer/bytes.ts';
import { type ErrorCode, MatineeError } from '../../peer/errors.ts';
import {
  type OpenedVideo,
  openVideo,
  type PackagedSegment,
  type VideoSource,
} from '../../peer/host/package.ts';
import { type Cut, cutSegments } from '../../peer/host/package-cut.ts';
import { COPY_ONLY } from '../../peer/host/package-options.ts';
import { NO_WISHES } from '../../peer/host/package-plan.ts';
import { copiedAudio, copiedVideo } from '../../peer/host/packet-reader.ts';
import { mainClip } from '../tools/clips.ts';

const MAIN_CLIP = 'big-buck-bunny-720p-90s.mp4';
const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0;
const folder = await mkdtemp(join(tmpdir(), 'matinee-package-'));

/** The path of a media file, or null, with a loud word about it, where the media folder isn't there. */
function media(name: string): string | null {
  const path = fileURLToPath(new URL(`../../../shared/media/${name}`, import.meta.url));
  if (existsSync(path)) return path;
  process.stderr.write(`\n!!! NOT TESTED with ${name}: there is no ${path}\n`);
  return null;
}

/** A clip made here, or null where ffmpeg can't: B-frames, a key frame every 2 s, sound that begins before the picture. */
function madeClip(soundCodec: 'aac' | 'libopus', extension: 'mp4' | 'mkv'): string | null {
  if (!hasFfmpeg) return null;
  const path = join(folder, `${soundCodec}.${extension}`);
  const inputs = [
    '-f',
    'lavfi',
    '-i',
    'testsrc2=d=9:r=24:s=320x180',
    '-f',
    'lavfi',
    '-i',
    'sine=d=9:r=48000',
  ];
  const codecs = ['-c:v', 'libx264', '-g', '48', '-pix_fmt', 'yuv420p', '-c:a', soundCodec];
  return spawnSync('ffmpeg', ['-v', 'error', '-y', ...inputs, ...codecs, path]).status === 0 ? path : null;
}

const clip = media(MAIN_CLIP) ?? madeClip('aac', 'mp4');
// Of many blocks: one of them is no whole film. Made before the first suite runs: uvu starts those that
// are there once the file waits for something, and then the rest beside them.
const film = clip && (await mainClip()).path;
if (clip === null) process.stderr.write('\n!!! PACKAGING IS NOT TESTED: neither media nor ffmpeg is here\n');
if (!hasFfmpeg) process.stderr.write('\n!!! PACKAGED MEDIA IS NOT DECODED: ffmpeg is not installed\n');

interface CountedSource extends VideoSource {
  readBytes: number;
}

function sourceOf(name: string, bytes: Uint8Array): CountedSource {
  const source = {
    name,
    sizeBytes: bytes.byteLength,
    readBytes: 0,
    read: async (start: number, end: number) => {
      source.readBytes += end - start;
      return bytes.slice(start, end);
    },
  };
  return source;
}

async function openFile(path: string): Promise<OpenedVideo> {
  return openVideo(sourceOf(basename(path), await readFile(path)));
}

const never = new AbortController().signal;

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const taken: Item[] = [];
  for await (const item of items) taken.push(item);
  return taken;
}

async function packagedFile(path: string): Promise<PackagedSegment[]> {
  const video = await openFile(path);
  try {
    return await all(video.segments(never));
  } finally {
    video.close();
  }
}

/** All of a segment's, or none where there is no such segment. */
function bytesOf(segment: PackagedSegment | undefined): Bytes {
  return concat(...(segment?.parts ?? []));
}

async function written(name: string, segments: PackagedSegment[]): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, concat(...segments.flatMap(({ parts }) => parts)));
  return path;
}

async function rejection(work: Promise<unknown>): Promise<MatineeError> {
  try {
    await work;
  } catch (error) {
    assert.instance(error, MatineeError);
    if (error instanceof MatineeError) return error;
  }
  throw new Error('It should have thrown.');
}

interface Frame {
  timeS: number;
  hash: string;
}

/**
 * The frames of a stream ('v' or 'a') as ffmpeg sees them: decoded, or as stored ('copy'). Times count from the stream's
 * first frame, because ffmpeg moves streams with negative composition offsets, as every fragment with B-frames has here.
 */
function frames(path: string, stream: 'v' | 'a', how: 'decoded' | 'copy'): Frame[] {
  const codec = how === 'copy' ? ['-c', 'copy'] : ['-fps_mode', 'passthrough'];
  const args = ['-v', 'error', '-i', path, '-map', `0:${stream}:0`, ...codec, '-f', 'framemd5', '-'];
  const { stdout, stderr } = spawnSync('ffmpeg', args, { encoding: 'utf8', maxBuffer: 2 ** 26 });
  assert.is(stderr, '', 'ffmpeg has nothing to complain about');
  const [ticks = 1, perS = 1] = (/#tb 0: (\d+)\/(\d+)/.exec(stdout) ?? []).slice(1).map(Number);
  const rows = stdout.split('\n').filter((line) => /^\d/.test(line));
  const stored = rows.map((row) => row.split(',').map((cell) => cell.trim()));
  const firstTick = Math.min(...stored.map(([, , pts]) => Number(pts)));
  return stored.map(([, , pts, , , hash = '']) => ({
    timeS: ((Number(pts) - firstTick) * ticks) / perS,
    hash,
  }));
}

function assertSameHashes(actual: Frame[], expected: Frame[], what: string): void {
  const differs = expected.findIndex(({ hash }, i) => actual[i]?.hash !== hash);
  assert.is(differs, -1, `${what}: number ${differs} is another`);
  assert.is(actual.length, expected.length, `${what}: as many`);
}

/** Within the millisecond that Matroska rounds to. */
function assertSameTimes(actual: Frame[], expected: Frame[], what: string): void {
  const offMs = actual.map(({ timeS }, i) => Math.abs(timeS - (expected[i]?.timeS ?? -1)) * 1000);
  assert.ok(Math.max(...offMs) <= 1, `${what}: times differ by up to ${Math.max(...offMs)} ms`);
}

interface Box {
  type: string;
  body: DataView;
}

/** The boxes of ISO/IEC 14496-12, read without any library. */
function boxesIn(view: DataView): Box[] {
  const boxes: Box[] = [];
  for (let at = 0; at < view.byteLength; at += view.getUint32(at)) {
    const type = String.fromCharCode(...[4, 5, 6, 7].map((i) => view.getUint8(at + i)));
    boxes.push({ type, body: new DataView(view.buffer, view.byteOffset + at + 8, view.getUint32(at) - 8) });
  }
  return boxes;
}

function boxesOf(bytes: Bytes): Box[] {
  return boxesIn(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}

function find(boxes: Box[], ...path: string[]): DataView[] {
  const [type, ...rest] = path;
  const found = boxes.filter((box) => box.type === type).map(({ body }) => body);
  return rest.length === 0 ? found : found.flatMap((body) => find(boxesIn(body), ...rest));
}

interface TrackRun {
  trackId: number;
  startsOnKey: boolean;
  startTicks: number;
  endTicks: number;
  /** The earliest time at which something is shown. */
  shownTicks: number;
}

/** What tfhd, tfdt and trun say of each track in a media segment. */
function runsOf(segment: Bytes): TrackRun[] {
  return find(boxesOf(segment), 'moof', 'traf').map((traf) => {
    const [tfhd, tfdt, trun] = ['tfhd', 'tfdt', 'trun'].map((type) => find(boxesIn(traf), type)[0]);
    if (!tfhd || !tfdt || !trun) throw new Error('a traf without its boxes');
    return runOf(tfhd, tfdt, trun);
  });
}

function runOf(tfhd: DataView, tfdt: DataView, trun: DataView): TrackRun {
  const flags = trun.getUint32(0) & 0xffffff;
  const startTicks = Number(tfdt.getBigUint64(4));
  let [at, ticks, shownTicks] = [12, startTicks, Number.POSITIVE_INFINITY];
  const next = (isThere: number, fallback: number) => {
    if (isThere === 0) return fallback;
    at += 4;
    return trun.getInt32(at - 4);
  };
  const firstFlags = next(flags & 0x4, -1);
  let startsOnKey = false;
  for (let i = 0; i < trun.getUint32(4); i += 1) {
    const durationTicks = next(flags & 0x100, tfhd.getUint32(8));
    next(flags & 0x200, 0);
    const sampleFlags = next(flags & 0x400, tfhd.getUint32(16));
    if (i === 0) startsOnKey = ((firstFlags === -1 ? sampleFlags : firstFlags) & 0x10000) === 0;
    shownTicks = Math.min(shownTicks, ticks + next(flags & 0x800, 0));
    ticks += durationTicks;
  }
  return { trackId: tfhd.getUint32(4), startsOnKey, startTicks, endTicks: ticks, shownTicks };
}

/** The runs of each track as one: each goes on where the one before ends. */
function joined(runs: TrackRun[]): TrackRun[] {
  const whole = new Map<number, TrackRun>();
  for (const run of runs) {
    const before = whole.get(run.trackId);
    if (before) assert.is(run.startTicks, before.endTicks, 'no hole between chunks');
    whole.set(run.trackId, {
      ...(before ?? run),
      endTicks: run.endTicks,
      shownTicks: Math.min(run.shownTicks, before?.shownTicks ?? run.shownTicks),
    });
  }
  return [...whole.values()].sort((a, b) => a.trackId - b.trackId);
}

/** Ticks per second of each track, in the order of the init segment; mdhd is version 0 here. */
function timescales(init: Bytes): number[] {
  return find(boxesOf(init), 'moov', 'trak', 'mdia', 'mdhd').map((mdhd) => mdhd.getUint32(12));
}

function assertContiguous(media: PackagedSegment[], endMs: number): void {
  let nextMs = 0;
  media.forEach((segment, i) => {
    assert.is(segment.number, i + 1);
    assert.is(segment.startMs, nextMs, `segment ${segment.number} starts where the one before ends`);
    assert.ok(segment.durationMs > 0);
    nextMs += segment.durationMs;
  });
  assert.is(nextMs, endMs, 'the last one ends with the video');
}

/** The times in the boxes themselves: pictures start with the segment, sound covers its start and leaves no hole. */
function assertBoxTimes(segments: PackagedSegment[]): void {
  const [init, ...media] = segments;
  const scales = timescales(bytesOf(init));
  const soundEnds: number[] = [];
  for (const { number, startMs, parts } of media) {
    const data = concat(...parts);
    assert.match(
      boxesOf(data)
        .map(({ type }) => type)
        .join(' '),
      /^moof mdat( moof mdat)*$/,
    );
    const runs = joined(runsOf(data));
    const video = runs.at(-1);
    const videoScale = scales.at(-1) ?? 1;
    assert.ok(video?.startsOnKey, `segment ${number} starts on a key frame`);
    assert.is(Math.round(((video?.shownTicks ?? -1) / videoScale) * 1000), startMs);
    const sound = runs.length === 2 ? runs[0] : undefined;
    if (!sound) continue;
    const packetMs = 50;
    const leadMs = startMs - (sound.startTicks / (scales[0] ?? 1)) * 1000;
    assert.ok(
      number === 1 || (leadMs > -1 && leadMs < packetMs),
      `segment ${number}: sound leads by ${leadMs} ms`,
    );
    const holeTicks = sound.startTicks - (soundEnds.at(-1) ?? sound.startTicks);
    assert.ok(
      Math.abs(holeTicks / (scales[0] ?? 1)) < 0.0011,
      `a hole of ${holeTicks} ticks before ${number}`,
    );
    soundEnds.push(sound.endTicks);
  }
}

const copying = suite('packaging copies a video into segments');

if (film) {
  copying(
    'should give the same bytes from a source that has whole blocks at hand, and read those whole',
    async () => {
      const blockBytes = 100_000;
      const bytes = await readFile(film);
      const source = sourceOf('clip.mp4', bytes);
      const ends = new Set<number>();
      const read = async (start: number, end: number) => {
        ends.add(end);
        return await source.read(start, end);
      };
      const video = await openVideo({ ...source, read, blockBytes });
      const segments = await all(video.segments(never));
      video.close();
      const alone = await packagedFile(film);
      assert.equal(segments.map(bytesOf), alone.map(bytesOf));
      assert.ok([...ends].every((end) => end % blockBytes === 0 || end === bytes.byteLength));
      assert.ok(source.readBytes < 1.2 * bytes.byteLength, `${source.readBytes} bytes read`);
    },
  );
}

if (clip) {
  copying('should start with ftyp and moov, and hold nothing but moof and mdat after that', async () => {
    const segments = await packagedFile(clip);
    assert.equal(
      boxesOf(bytesOf(segments[0])).map(({ type }) => type),
      ['ftyp', 'moov'],
    );
    assert.is(find(boxesOf(bytesOf(segments[0])), 'moov', 'trak', 'edts').length, 0, 'no edit list');
    assertBoxTimes(segments);
  });

  copying('should describe the video and cover it without a hole', async () => {
    const video = await openFile(clip);
    const [init, ...media] = await all(video.segments(never));
    video.close();
    assert.is(`${init?.number} ${init?.startMs} ${init?.durationMs}`, '0 0 0');
    assert.is(video.info.title, basename(clip, '.mp4'));
    assert.is(video.info.hasAudio, true);
    assert.match(video.info.mime, /^video\/mp4; codecs="avc1\.64\w{4}, mp4a\.40\.2"$/);
    assertContiguous(media, video.info.durationMs);
  });

  copying('should give the same bytes each time, so that an upload can be resumed', async () => {
    const video = await openFile(clip);
    const hash = async () => {
      const bytes = concat(...(await all(video.segments(never))).flatMap(({ parts }) => parts));
      return toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));
    };
    const first = await hash();
    assert.is(await hash(), first);
    video.close();
    const init = bytesOf((await packagedFile(clip))[0]);
    const [mvhd] = find(boxesOf(init), 'moov', 'mvhd');
    assert.is(mvhd?.getUint32(4), 0, 'no creation time');
    assert.is(mvhd?.getUint32(8), 0, 'no modification time');
    assert.is(mvhd?.getUint32(12), 57600, 'and nothing else wiped');
  });

  copying('should cut the same when it begins in the middle', async () => {
    const input = new Input({ source: new BufferSource(await readFile(clip)), formats: [MP4] });
    const [video, audio] = [await input.getPrimaryVideoTrack(), await input.getPrimaryAudioTrack()];
    if (!video) throw new Error('no video track');
    const shape = (cuts: Cut[]) =>
      cuts.map(({ startS, endS, video, audio }) => [
        startS,
        endS,
        ...[...video, ...audio].map(
          ({ timestamp, duration, byteLength }) => `${timestamp} ${duration} ${byteLength}`,
        ),
      ]);
    const streams = { video: copiedVideo(video), audio: audio && copiedAudio(audio), originS: 0 };
    const whole = await all(cutSegments(streams, 0, never));
    const rest = await all(cutSegments(streams, whole[2]?.startS ?? 0, never));
    input.dispose();
    assert.equal(shape(rest), shape(whole.slice(2)));
  });
}

/** What is compared is every frame of the stream: its hash, and its time from the stream's start. */
interface ExactCopy {
  name: string;
  how: ('decoded' | 'copy')[];
  streams: ('v' | 'a')[];
  durationMs: number;
  segments: number;
  /** Of the picture: the source's own, unless too fine to write. */
  ticksPerS: number;
}

const exactCopies: ExactCopy[] = [
  {
    name: MAIN_CLIP,
    how: ['copy'],
    streams: ['v', 'a'],
    durationMs: 90_000,
    segments: 45,
    ticksPerS: 12_288,
  },
  {
    name: 'sintel-trailer-2-subtitles.mkv',
    how: ['copy', 'decoded'],
    streams: ['v', 'a'],
    durationMs: 52_167,
    segments: 25,
    ticksPerS: 1000,
  },
  {
    // Three real key frames: at 0, 8.3 and 9.2 s. Its own ticks are of 1/23040000 s.
    name: 'rooftop-moov-at-end.mp4',
    how: ['copy'],
    streams: ['v', 'a'],
    durationMs: 17_063,
    segments: 2,
    ticksPerS: 1_000_000,
  },
  {
    name: 'test-card-no-audio.mp4',
    how: ['copy', 'decoded'],
    streams: ['v'],
    durationMs: 16_000,
    segments: 2,
    ticksPerS: 12_800,
  },
  {
    // Annex B and ADTS framing becomes MP4's: other bytes, the same pictures and sound.
    name: 'c64-h264-aac.ts',
    how: ['decoded'],
    streams: ['v', 'a'],
    durationMs: 8_000,
    segments: 4,
    ticksPerS: 90_000,
  },
];

for (const copy of exactCopies) {
  const { name, how, streams } = copy;
  const path = media(name);
  if (!path) continue;
  copying(`should keep every frame and its time: ${name}`, async () => {
    const segments = await packagedFile(path);
    assertContiguous(segments.slice(1), copy.durationMs);
    assertBoxTimes(segments);
    assert.is(segments.length - 1, copy.segments);
    assert.is(timescales(bytesOf(segments[0])).at(-1), copy.ticksPerS);
    if (!hasFfmpeg) return;
    const packaged = await written(`${name}.mp4`, segments);
    for (const stream of streams) {
      for (const way of how) {
        const what = `${name} ${stream} ${way}`;
        const [actual, expected] = [frames(packaged, stream, way), frames(path, stream, way)];
        assertSameHashes(actual, expected, what);
        // A decoder of sound makes up its own times out of the stored ones, smoothing what Matroska rounded.
        if (stream === 'v' || way === 'copy') assertSameTimes(actual, expected, what);
      }
    }
  });
}

const mkv = media('sintel-trailer-2-subtitles.mkv');
if (mkv) {
  copying(
    'should make the first segment end at the first key frame, and the others about 2 s long',
    async () => {
      const [, first, ...others] = await packagedFile(mkv);
      assert.is(first?.durationMs, 917);
      for (const { durationMs } of others.slice(0, -1)) assert.ok(durationMs >= 1900 && durationMs < 3000);
    },
  );

  if (hasFfmpeg) {
    copying('should make each segment playable with nothing but the init segment', async () => {
      const segments = await packagedFile(mkv);
      const [init, middle] = [segments[0], segments[10]];
      if (!init || !middle) throw new Error('too few segments');
      const alone = frames(await written('alone.mp4', [init, middle]), 'v', 'decoded');
      const whole = frames(mkv, 'v', 'decoded');
      const at = whole.findIndex(({ timeS }) => Math.round(timeS * 1000) === middle.startMs);
      assert.is(alone.length, 48);
      assertSameHashes(alone, whole.slice(at, at + alone.length), 'the segment alone');
    });
  }
}

for (const path of [mkv, clip]) {
  if (!path || !hasFfmpeg) continue;
  copying(
    `should make each half second of a segment playable before the next one is here: ${basename(path)}`,
    async () => {
      const [init, first, second] = await packagedFile(path);
      const boxes = boxesOf(bytesOf(second)).map(({ body }) => 8 + body.byteLength);
      const chunkCount = boxes.length / 2;
      const seconds = (second?.durationMs ?? 0) / 1000;
      assert.ok(chunkCount > seconds && chunkCount <= 2 * seconds, `${chunkCount} in ${seconds} s`);
      const whole = frames(path, 'v', 'decoded');
      let before = 0;
      for (let chunks = 0; chunks <= chunkCount; chunks++) {
        const sizeBytes = boxes.slice(0, 2 * chunks).reduce((sum, size) => sum + size, 0);
        const part = { ...second, parts: [bytesOf(second).subarray(0, sizeBytes)] } as PackagedSegment;
        const segments = [init, first, part].filter((one) => one !== undefined);
        const shown = frames(await written('chunks.mp4', segments), 'v', 'decoded');
        assertSameHashes(shown, whole.slice(0, shown.length), `with ${chunks} chunks`);
        const lastS = shown.at(-1)?.timeS ?? 0;
        assert.ok(chunks === 0 || (lastS > before && lastS - before < 1), `${before} to ${lastS} s`);
        before = lastS;
        const soundS = frames(await written('chunks.mp4', segments), 'a', 'copy').at(-1)?.timeS ?? 0;
        assert.ok(soundS > lastS - 0.1, `sound to ${soundS} s, pictures to ${lastS} s`);
      }
    },
  );
}

// AAC: an edit list says to play from the second packet. Opus: Matroska shows the picture 7 ms after the sound begins.
for (const primed of [madeClip('aac', 'mp4'), madeClip('libopus', 'mkv')]) {
  if (!primed) continue;
  copying(
    `should leave out one packet of sound from before the first picture: ${basename(primed)}`,
    async () => {
      const segments = await packagedFile(primed);
      const packaged = await written('primed.mp4', segments);
      assertSameHashes(frames(packaged, 'a', 'copy'), frames(primed, 'a', 'copy').slice(1), 'stored sound');
      assertSameHashes(frames(packaged, 'v', 'decoded'), frames(primed, 'v', 'decoded'), 'pictures');
      assert.is(find(boxesOf(bytesOf(segments[0])), 'moov', 'trak', 'edts').length, 0, 'no edit list');
      assertBoxTimes(segments);
    },
  );
}

const path720p = media(MAIN_CLIP);
if (path720p) {
  copying('should not trust a file that calls an ordinary frame a key frame', async () => {
    const bytes = new Uint8Array(await readFile(path720p));
    const [stss] = find(boxesOf(bytes), 'moov', 'trak', 'mdia', 'minf', 'stbl', 'stss');
    assert.is(stss?.getUint32(12), 49, 'the second key frame is the 49th frame');
    stss?.setUint32(12, 30);
    const video = await openVideo(sourceOf('clip.mp4', bytes));
    const [, first] = await all(video.segments(never));
    video.close();
    assert.is(first?.durationMs, 4000);
  });
}

const phone = media('iphone-portrait.MOV');
if (phone) {
  copying('should stand a phone video upright', async () => {
    const video = await openFile(phone);
    const [init] = await all(video.segments(never));
    video.close();
    assert.is(`${video.info.widthPx}x${video.info.heightPx}`, '320x568');
    const tkhd = find(boxesOf(bytesOf(init)), 'moov', 'trak', 'tkhd').at(-1);
    // The matrix of a version 0 tkhd, its upper left in 16.16 fixed point: a quarter turn clockwise.
    assert.equal(
      [40, 44, 52, 56].map((at) => (tkhd?.getInt32(at) ?? 0) / 65536),
      [0, 1, -1, 0],
    );
  });
}

const truncated = media('truncated-download.mp4');
if (truncated) {
  copying('should package what is there of a download that was cut off, with its real duration', async () => {
    const video = await openFile(truncated);
    const [, ...rest] = await all(video.segments(never));
    video.close();
    // 28.7 s of pictures and a little more sound; the index promises 52.2 s.
    assert.is(video.info.durationMs, 29_118);
    assertContiguous(rest, 29_118);
  });
}

const webm = media('big-buck-bunny-30s-vp8-vorbis.webm');
if (webm) {
  copying('should keep VP8 and Vorbis as they are, in WebM', async () => {
    const video = await openFile(webm);
    assert.is(video.info.mime, 'video/webm; codecs="vp8, vorbis"');
    assert.is(`${video.info.widthPx}x${video.info.heightPx}`, '1280x720');
    const segments = await all(video.segments(never));
    const again = await all(video.segments(never));
    video.close();
    assert.equal(segments, again, 'the same bytes each time');
    assertContiguous(segments.slice(1), video.info.durationMs);
    assert.ok(segments.length > 5);
    const isCluster = (segment: PackagedSegment) => toHex(bytesOf(segment).subarray(0, 4)) === '1f43b675';
    assert.ok(segments.slice(1).every(isCluster), 'each one starts with a Cluster');
    if (!hasFfmpeg) return;
    const packaged = await written('packaged.webm', segments);
    assert.not.match(
      toHex(bytesOf(segments[0])),
      /23e383/,
      'no default duration, which would be a wrong one',
    );
    // One packet of sound is from before the first picture.
    for (const [stream, skipped] of [
      ['v', 0],
      ['a', 1],
    ] as const) {
      const [actual, source] = [
        frames(packaged, stream, 'copy'),
        frames(webm, stream, 'copy').slice(skipped),
      ];
      const firstS = source[0]?.timeS ?? 0;
      const expected = source.map(({ timeS, hash }) => ({ timeS: timeS - firstS, hash }));
      assertSameHashes(actual, expected, `WebM ${stream}`);
      assertSameTimes(actual, expected, `WebM ${stream}`);
    }
    const [init, middle] = [segments[0], segments[3]];
    if (!init || !middle) throw new Error('too few segments');
    const alone = frames(await written('alone.webm', [init, middle]), 'v', 'decoded');
    assert.ok(alone.length > 20, 'a segment plays with nothing but the init segment');
  });
}

const ac3 = media('h264-ac3-srt.mkv');
if (ac3) {
  copying('should leave out sound that cannot be converted here, where the host says so', async () => {
    const source = sourceOf('a.mkv', await readFile(ac3));
    const wishes = { ...NO_WISHES, mayLeaveOutSound: true };
    const video = await openVideo(source, { ...COPY_ONLY, wishes });
    const segments = await all(video.segments(never));
    video.close();
    assert.is(video.plan.leftOutSound, 'AC-3 (Dolby Digital)');
    assert.is(video.info.hasAudio, false);
    assert.match(video.info.mime, /^video\/mp4; codecs="avc1\.\w{6}"$/);
    if (!hasFfmpeg) return;
    const packaged = await written('silent.mp4', segments);
    assertSameHashes(frames(packaged, 'v', 'decoded'), frames(ac3, 'v', 'decoded'), 'pictures');
  });
}

/** A clip that ffmpeg makes of these arguments, for what no file at hand has; null where ffmpeg can't. */
function madeWith(name: string, args: string[]): string | null {
  if (!hasFfmpeg) return null;
  const path = join(folder, name);
  const { status, stderr } = spawnSync('ffmpeg', ['-v', 'error', '-y', ...args, path], { encoding: 'utf8' });
  if (status !== 0) process.stderr.write(`\n!!! NOT TESTED with ${name}: ${stderr}\n`);
  return status === 0 ? path : null;
}

const card = (seconds: number, size = '320x180', rate = 25) => [
  '-f',
  'lavfi',
  '-i',
  `testsrc2=d=${seconds}:r=${rate}:s=${size}`,
];
const tone = (seconds: number, hz = 440) => ['-f', 'lavfi', '-i', `sine=f=${hz}:d=${seconds}:r=48000`];
const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];

/** Wild files, each with a way in which packaging could go wrong. */
const wild: { name: string; args: string[]; check?: (video: OpenedVideo) => void }[] = [
  {
    name: 'odd-size.mkv',
    args: [...card(4, '321x181'), '-c:v', 'libx264', '-pix_fmt', 'yuv444p', '-profile:v', 'high444'],
  },
  {
    name: 'sar.mp4',
    args: [...card(4), ...x264, '-vf', 'setsar=4/3'],
    check: ({ info }) => assert.is(info.widthPx, 427),
  },
  {
    // One picture every 1/25 s, but for those that are left out.
    name: 'variable.mkv',
    args: [
      ...card(8),
      ...tone(8),
      ...x264,
      '-g',
      '20',
      '-vf',
      "select='not(between(mod(n,17),3,9))'",
      '-fps_mode',
      'vfr',
      '-c:a',
      'aac',
    ],
  },
  { name: 'late.mkv', args: [...card(5), ...tone(5), ...x264, '-c:a', 'aac', '-output_ts_offset', '3600'] },
  {
    name: 'late.ts',
    args: [...card(5), ...tone(5), ...x264, '-g', '50', '-c:a', 'aac', '-output_ts_offset', '90000'],
  },
  { name: 'sound-later.mp4', args: [...card(6), '-itsoffset', '1.5', ...tone(4), ...x264, '-c:a', 'aac'] },
  { name: 'short-sound.mp4', args: [...card(6), ...tone(1), ...x264, '-c:a', 'aac'] },
  {
    name: 'fragmented.mp4',
    args: [
      ...card(6),
      ...tone(6),
      ...x264,
      '-g',
      '25',
      '-c:a',
      'aac',
      '-movflags',
      'frag_keyframe+empty_moov',
    ],
  },
  { name: 'one-frame.mp4', args: [...card(1), '-frames:v', '1', ...x264] },
  {
    name: 'hevc-free-av1.webm',
    args: [
      ...card(3),
      ...tone(3),
      '-c:v',
      'libvpx-vp9',
      '-deadline',
      'realtime',
      '-cpu-used',
      '8',
      '-c:a',
      'libopus',
    ],
  },
];

for (const { name, args, check } of wild) {
  const path = madeWith(name, args);
  if (!path) continue;
  copying(`should keep every picture and its time, or refuse: ${name}`, async () => {
    let video: OpenedVideo;
    try {
      video = await openFile(path);
    } catch (error) {
      // Other than 4:2:0 is nothing that every browser plays.
      assert.ok(name.startsWith('odd-size') && error instanceof MatineeError);
      assert.is(error.code, 'CODEC_UNSUPPORTED');
      return;
    }
    check?.(video);
    const segments = await all(video.segments(never));
    video.close();
    assertContiguous(segments.slice(1), video.info.durationMs);
    const packaged = await written(`${name}.mp4`, segments);
    const [actual, expected] = [frames(packaged, 'v', 'decoded'), frames(path, 'v', 'decoded')];
    assertSameHashes(actual, expected, name);
    assertSameTimes(actual, expected, name);
    if (video.info.hasAudio)
      assert.ok(Math.abs(startGapS(packaged) - startGapS(path)) < 0.03, 'sound starts when it did');
  });
}

/** How much later than the picture the sound begins, in seconds, by what the packets say. */
function startGapS(path: string): number {
  const first = (stream: string): number => {
    const args = [
      '-v',
      'error',
      '-select_streams',
      stream,
      '-show_entries',
      'packet=pts_time',
      '-of',
      'csv=p=0',
      path,
    ];
    const { stdout } = spawnSync('ffprobe', args, { encoding: 'utf8' });
    return Math.min(
      ...stdout
        .split('\n')
        .filter((line) => line !== '')
        .map(Number.parseFloat),
    );
  };
  return first('a:0') - first('v:0');
}

const soundOnly = madeWith('sound.m4a', [...tone(9), '-c:a', 'aac']);
if (soundOnly) {
  copying('should cut sound alone every two seconds', async () => {
    const video = await openFile(soundOnly);
    assert.is(video.info.mime, 'video/mp4; codecs="mp4a.40.2"');
    assert.is(video.info.widthPx, 0);
    const segments = await all(video.segments(never));
    video.close();
    assertContiguous(segments.slice(1), video.info.durationMs);
    assert.is(segments.length, 7, 'the init segment, a short one and five');
    const packaged = await written('sound.mp4', segments);
    // The encoder's first packet is from before 0, where the edit list says to begin.
    assertSameHashes(frames(packaged, 'a', 'copy'), frames(soundOnly, 'a', 'copy').slice(1), 'sound');
  });
}

const twoSounds = madeWith('two.mkv', [
  ...card(3),
  ...tone(3, 440),
  ...tone(3, 880),
  ...x264,
  '-c:a',
  'aac',
  '-map',
  '0',
  '-map',
  '1',
  '-map',
  '2',
  '-disposition:a:0',
  '0',
  '-disposition:a:1',
  'default',
  '-metadata:s:a:0',
  'language=ger',
  '-metadata:s:a:1',
  'language=eng',
]);
if (twoSounds) {
  copying('should take the default sound track, or the one the host picks', async () => {
    const bytes = await readFile(twoSounds);
    const soundOf = async (audioTrack: number | null) => {
      const video = await openVideo(sourceOf('two.mkv', bytes), {
        ...COPY_ONLY,
        wishes: { ...NO_WISHES, audioTrack },
      });
      assert.equal(
        video.tracks.filter(({ kind }) => kind === 'audio').map(({ language }) => language),
        ['ger', 'eng'],
      );
      const path = await written(`sound-${audioTrack}.mp4`, await all(video.segments(never)));
      video.close();
      return frames(path, 'a', 'copy');
    };
    const [first, second, unasked] = [await soundOf(0), await soundOf(1), await soundOf(null)];
    assert.is.not(first[5]?.hash, second[5]?.hash);
    assertSameHashes(unasked, second, 'the default one');
  });
}

copying.run();

const flowing = suite('packaging goes at the pace of whoever takes the segments');

if (film) {
  flowing('should not read ahead while nobody asks', async () => {
    const source = sourceOf('clip.mp4', await readFile(film));
    const video = await openVideo(source);
    const segments = video.segments(never);
    await segments.next();
    await segments.next();
    const readBytes = source.readBytes;
    assert.ok(readBytes < source.sizeBytes / 2, `${readBytes} of ${source.sizeBytes} bytes`);
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
    assert.is(source.readBytes, readBytes);
    await segments.return();
    video.close();
  });

  flowing('should stop at once when aborted, even while a read hangs', async () => {
    const bytes = await readFile(film);
    let isHanging = false;
    const { sizeBytes, read } = sourceOf('clip.mp4', bytes);
    const hang = () => new Promise<Uint8Array>(() => undefined);
    const video = await openVideo({
      name: 'clip.mp4',
      sizeBytes,
      read: (a, b) => (isHanging ? hang() : read(a, b)),
    });
    const controller = new AbortController();
    const segments = video.segments(controller.signal);
    await segments.next();
    isHanging = true;
    const rest = rejection(all(segments));
    await new Promise(setImmediate);
    controller.abort();
    assert.is((await rest).code, 'ABORTED');
    assert.is((await segments.next()).done, true);
    video.close();
  });

  flowing('should not start when the signal has aborted already', async () => {
    const source = sourceOf('clip.mp4', await readFile(film));
    const video = await openVideo(source);
    const readBytes = source.readBytes;
    assert.is((await rejection(video.segments(AbortSignal.abort()).next())).code, 'ABORTED');
    assert.is(source.readBytes, readBytes);
    video.close();
  });

  flowing('should stop when the video is closed', async () => {
    const video = await openFile(film);
    const segments = video.segments(never);
    await segments.next();
    video.close();
    assert.is((await rejection(all(segments))).code, 'ABORTED');
  });

  flowing('should stop reading when its taker leaves', async () => {
    const source = sourceOf('clip.mp4', await readFile(film));
    const video = await openVideo(source);
    for await (const segment of video.segments(never)) if (segment.number === 1) break;
    const readBytes = source.readBytes;
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
    assert.is(source.readBytes, readBytes);
    video.close();
  });

  flowing('should say so when the file can no longer be read', async () => {
    const { sizeBytes, read } = sourceOf('clip.mp4', await readFile(film));
    let isGone = false;
    const gone = async () => Promise.reject(new Error('NotReadableError'));
    const video = await openVideo({
      name: 'clip.mp4',
      sizeBytes,
      read: (a, b) => (isGone ? gone() : read(a, b)),
    });
    const segments = video.segments(never);
    await segments.next();
    isGone = true;
    const error = await rejection(all(segments));
    assert.is(error.code, 'FILE_UNREADABLE');
    assert.match(error.message, 'can no longer be read');
    video.close();
  });

  flowing('should read a file from disk in Node without holding it', async () => {
    const file = await open(film);
    const { size } = await file.stat();
    let largestBytes = 0;
    const read = async (start: number, end: number) => {
      largestBytes = Math.max(largestBytes, end - start);
      const bytes = new Uint8Array(end - start);
      await file.read(bytes, 0, bytes.byteLength, start);
      return bytes;
    };
    const video = await openVideo({ name: basename(film), sizeBytes: size, read });
    let packagedBytes = 0;
    for await (const { parts } of video.segments(never)) packagedBytes += totalBytes(parts);
    video.close();
    await file.close();
    assert.ok(packagedBytes > size * 0.9);
    assert.ok(largestBytes < 2 ** 21, `read ${largestBytes} bytes at once`);
  });
}

flowing.run();

const refusing = suite('packaging refuses what a room could not play');

const noise = new Uint8Array(100_000).map((_, i) => (i * 7919 + (i >> 3) * 31) & 255);
const jpegHead = new Uint8Array([255, 216, 255, 224, 0, 16, 74, 70, 73, 70, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0]);
const refusedBytes: { what: string; bytes: Uint8Array; code: ErrorCode; message: RegExp }[] = [
  {
    what: 'an empty file',
    bytes: utf8(''),
    code: 'FILE_EMPTY',
    message: /^This file is empty \(0 bytes\)\./,
  },
  {
    what: 'a text',
    bytes: utf8('Dear diary\n'.repeat(99)),
    code: 'FILE_NOT_VIDEO',
    message: /not a video.*Drop an MP4/,
  },
  { what: 'one byte', bytes: utf8('x'), code: 'FILE_NOT_VIDEO', message: /not a video/ },
  { what: 'noise', bytes: noise, code: 'FILE_NOT_VIDEO', message: /not a video/ },
  { what: 'a JPEG', bytes: jpegHead, code: 'FILE_NOT_VIDEO', message: /not a video/ },
  {
    what: 'a playlist',
    bytes: utf8('#EXTM3U\n#EXTINF:2\na.ts\n'),
    code: 'FILE_NOT_VIDEO',
    message: /not a video/,
  },
  {
    what: 'Flash',
    bytes: utf8('FLV\x01\x05'),
    code: 'CODEC_UNSUPPORTED',
    message: /^Flash video.*Convert it/,
  },
];
for (const { what, bytes, code, message } of refusedBytes) {
  refusing(`should refuse ${what}`, async () => {
    const error = await rejection(openVideo(sourceOf('x.mp4', bytes)));
    assert.is(error.code, code);
    assert.match(error.message, message);
  });
}

const refusedFiles: { name: string; code: ErrorCode; message: RegExp }[] = [
  { name: 'broken-no-moov.mp4', code: 'FILE_NOT_VIDEO', message: /index is missing.*Download it again/ },
  {
    name: 'hevc-1080p-aac.mp4',
    code: 'CODEC_UNSUPPORTED',
    message: /picture.*H\.265 \(HEVC\).*Safari.*Chrome.*Convert it/,
  },
  { name: 'mpeg4.avi', code: 'CODEC_UNSUPPORTED', message: /AVI.*MPEG-4 Part 2.*Convert it/ },
  {
    name: 'h264-ac3-srt.mkv',
    code: 'CODEC_UNSUPPORTED',
    message: /sound.*AC-3 \(Dolby Digital\).*web page.*--without-sound.*Convert it/,
  },
];
for (const { name, code, message } of refusedFiles) {
  const path = media(name);
  if (!path) continue;
  refusing(`should refuse ${name}`, async () => {
    const error = await rejection(openFile(path));
    assert.is(error.code, code);
    assert.match(error.message, message);
  });
}

// The last of the suites that use it.
refusing.after(() => rm(folder, { recursive: true, force: true }));
refusing.run();
