import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BufferSource, Input, MP4 } from 'mediabunny';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concat } from '../../peer/bytes.ts';
import { MatineeError } from '../../peer/errors.ts';
import { openVideo, type VideoSource } from '../../peer/host/package.ts';
import { COPY_ONLY } from '../../peer/host/package-options.ts';
import { NO_WISHES } from '../../peer/host/package-plan.ts';
import { withOneClock } from '../../peer/host/transport-joins.ts';
import { fromFirstPacket } from '../../peer/host/transport-tables.ts';
import { findFfmpeg } from '../tools/media-tools.ts';
import { runProgram } from '../tools/run-program.ts';
import { type TemporaryFolder, temporaryFolder } from '../tools/temporary-folder.ts';

/** Files as they are met outside, made by ffmpeg. */

const wild = suite<{ folder: TemporaryFolder }>('packaging of files from outside');

wild.before(async (context) => {
  context.folder = await temporaryFolder();
});

wild.after(({ folder }) => folder.remove());

const never = new AbortController().signal;
const PICTURES = ['-f', 'lavfi', '-i', 'testsrc2=d=3:r=25:s=320x180'];
const SOUND = ['-f', 'lavfi', '-i', 'sine=d=3:r=48000'];
const H264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-g', '25', '-pix_fmt', 'yuv420p'];

/** The bytes of a file of that name, made by these options. */
async function made(folder: TemporaryFolder, name: string, ...how: string[]): Promise<Uint8Array> {
  const { ffmpeg } = await findFfmpeg();
  const path = join(folder.path, name);
  await runProgram(ffmpeg, ['-v', 'error', '-y', ...how, path]);
  return new Uint8Array(await readFile(path));
}

function sourceOf(name: string, bytes: Uint8Array): VideoSource {
  return { name, sizeBytes: bytes.byteLength, read: async (start, end) => bytes.slice(start, end) };
}

/** Its packaged film as a file, beside what is said of it. */
async function packaged(folder: TemporaryFolder, name: string, bytes: Uint8Array) {
  const video = await openVideo(sourceOf(name, bytes));
  const parts: Uint8Array[] = [];
  let endMs = 0;
  for await (const { number, startMs, durationMs, parts: own } of video.segments(never)) {
    if (number > 0) assert.is(startMs, endMs, 'one segment begins where the one before ends');
    endMs = startMs + durationMs;
    parts.push(...own);
  }
  video.close();
  const path = join(folder.path, `${name}.mp4`);
  await writeFile(path, concat(...parts));
  return { path, endMs, info: video.info };
}

/** What ffmpeg decodes of a file's pictures: a hash for each. */
async function pictures(path: string): Promise<string[]> {
  const { ffmpeg } = await findFfmpeg();
  const how = ['-map', '0:v:0', '-fps_mode', 'passthrough', '-f', 'framemd5', '-'];
  const rows = (await runProgram(ffmpeg, ['-v', 'error', '-i', path, ...how])).split('\n');
  return rows.filter((row) => /^\d/.test(row)).map((row) => row.split(',').at(-1)?.trim() ?? '');
}

/** Width and height as a file's head has them, which players go by before they have a picture: as coded, then as shown. */
async function headOf(path: string): Promise<number[]> {
  const input = new Input({ source: new BufferSource(await readFile(path)), formats: [MP4] });
  const track = await input.getPrimaryVideoTrack();
  assert.ok(track);
  if (!track) return [];
  const coded = [await track.getCodedWidth(), await track.getCodedHeight()];
  return [...coded, await track.getDisplayWidth(), await track.getDisplayHeight()];
}

async function codeOf(run: () => Promise<unknown>): Promise<string> {
  try {
    await run();
  } catch (error) {
    assert.instance(error, MatineeError);
    const { code, message } = error as MatineeError;
    return `${code} ${message}`;
  }
  return 'none';
}

wild('should have interlaced television its whole height', async ({ folder }) => {
  const fields = ['-flags', '+ilme+ildct', '-x264opts', 'tff=1'];
  const table: [size: string, pixels: string, shown: number[], coded: number[], profile: string][] = [
    ['1440x1080', '4/3', [1920, 1080], [1440, 1080], 'high'],
    ['720x576', '64/45', [1024, 576], [720, 576], 'main'],
    // Pixels that are higher than wide.
    ['720x480', '8/9', [720, 540], [720, 480], 'high'],
  ];
  for (const [size, pixels, shown, coded, profile] of table) {
    const input = ['-f', 'lavfi', '-i', `testsrc2=d=1:r=25:s=${size}`, '-vf', `setsar=${pixels}`];
    const how = [...input, ...H264, '-profile:v', profile, ...fields];
    const bytes = await made(folder, `${profile}.ts`, ...how);
    const { path, info } = await packaged(folder, `${profile}.ts`, bytes);
    assert.equal([info.widthPx, info.heightPx], shown, size);
    assert.equal(await headOf(path), [...coded, ...shown]);
    assert.equal(await pictures(path), await pictures(join(folder.path, `${profile}.ts`)));
  }
});

wild(
  'should take a recording that begins in the middle of a packet, and of its pictures',
  async ({ folder }) => {
    const how = [...PICTURES, ...SOUND, ...H264, '-c:a', 'aac'];
    // In M2TS ffmpeg calls AAC by no name.
    const layouts: [name: string, ...more: string[]][] = [
      ['rec.ts'],
      ['rec.m2ts', '-an', '-mpegts_m2ts_mode', '1'],
    ];
    for (const [name, ...more] of layouts) {
      const whole = await made(folder, name, ...how, ...more);
      const cut = whole.subarray(Math.floor(whole.byteLength / 5) + 57);
      const { path, endMs, info } = await packaged(folder, name, cut);
      assert.is(info.widthPx, 320);
      // From the second key frame on, at 1 s.
      assert.ok(endMs >= 2000 && endMs <= 2050, `${endMs} ms`);
      assert.equal(await pictures(path), (await pictures(join(folder.path, name))).slice(25));
    }
  },
);

wild(
  'should play recordings that were put together as one, wherever their clocks stand',
  async ({ folder }) => {
    // Sound that lasts longer than the pictures: it overlaps what comes next.
    const inputs = [
      '-f',
      'lavfi',
      '-i',
      'testsrc2=d=8:r=25:s=320x180',
      '-f',
      'lavfi',
      '-i',
      'sine=d=8.6:r=48000',
    ];
    const how = [...inputs, ...H264, '-c:a', 'aac'];
    const part = await made(folder, 'part.ts', ...how);
    const later = await made(folder, 'later.ts', ...how, '-output_ts_offset', '5000');
    const nearEnd = await made(folder, 'end.ts', ...how, '-output_ts_offset', '95440');
    // Each part by its own pictures: of the same ones x264 does not make the same bytes each time (once in twelve, on two cores).
    const shown = new Map<Uint8Array, string[]>();
    for (const [bytes, name] of [
      [part, 'part.ts'],
      [later, 'later.ts'],
      [nearEnd, 'end.ts'],
    ] as const)
      shown.set(bytes, await pictures(join(folder.path, name)));
    const table: [name: string, parts: Uint8Array[]][] = [
      ['again', [part, part]],
      ['back', [later, part]],
      ['on', [part, later, part]],
      ['begins anew within', [nearEnd, part]],
    ];
    for (const [name, parts] of table) {
      const { path, endMs, info } = await packaged(folder, 'whole.ts', concat(...parts));
      const wanted = parts.flatMap((bytes) => shown.get(bytes) ?? []);
      assert.is(wanted.length, parts.length * 200);
      assert.equal(await pictures(path), wanted, name);
      const atMost = parts.length * 8900;
      assert.ok(endMs >= parts.length * 8000 && endMs < atMost, `${name}: ${endMs} ms`);
      assert.ok(Math.abs(info.durationMs - endMs) < 50, `${name}: said to last ${info.durationMs} ms`);
    }
  },
);

wild(
  'should say before the upload that parts of a recording are not alike, and play those whose pictures are of other sizes',
  async ({ folder }) => {
    const input = (size: string, hz: number) => [
      ...['-f', 'lavfi', '-i', `testsrc2=d=3:r=25:s=${size}`],
      ...['-f', 'lavfi', '-i', `sine=d=3:r=${hz}`],
    ];
    const aac = [...H264, '-c:a', 'aac'];
    const part = await made(folder, 'alike.ts', ...input('320x180', 48_000), ...aac, '-ac', '2');
    const larger = await made(folder, 'larger.ts', ...input('640x360', 48_000), ...aac, '-ac', '2');
    const sizes = concat(part, larger);
    const { path, endMs } = await packaged(folder, 'sizes.ts', sizes);
    assert.ok(endMs >= 6000 && endMs < 6300, `${endMs} ms`);
    assert.is((await pictures(path)).length, 150);
    const table: [name: string, from: Uint8Array, says: RegExp][] = [
      [
        'rates',
        await made(folder, 'rate.ts', ...input('320x180', 44_100), ...aac, '-ac', '1'),
        /^CODEC_UNSUPPORTED .* begins with H\.264 and AAC \(48 kHz, 2 channels\), and goes on with H\.264 and AAC \(44\.1 kHz, 1 channel\)/,
      ],
      [
        'sounds',
        await made(folder, 'sound.ts', ...input('320x180', 48_000), ...H264, '-c:a', 'ac3'),
        /^CODEC_UNSUPPORTED .* goes on with H\.264 and AC-3/,
      ],
      [
        'pictures',
        await made(folder, 'picture.ts', ...input('320x180', 48_000), '-c:v', 'mpeg2video', '-c:a', 'aac'),
        /^CODEC_UNSUPPORTED .* goes on with no picture that is known here/,
      ],
    ];
    const hevc = ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none', '-c:a', 'aac'];
    const other = await made(folder, 'hevc.ts', ...input('320x180', 48_000), ...hevc);
    table.push(['newer pictures', other, /^CODEC_UNSUPPORTED .* goes on with (H\.265|something else)/]);
    for (const [name, other, says] of table)
      assert.match(await codeOf(() => openVideo(sourceOf('joined.ts', concat(part, other)))), says, name);
  },
);

wild('should take a clock that goes on as it is', async ({ folder }) => {
  const bytes = await made(folder, 'one.ts', ...PICTURES, ...SOUND, ...H264, '-c:a', 'aac');
  const source = sourceOf('one.ts', bytes);
  const { layout } = await fromFirstPacket(source);
  assert.ok(layout);
  assert.equal(layout && (await withOneClock(source, layout)).joinsAt, []);
  assert.is(layout && (await withOneClock(source, layout)).source, source);
});

wild(
  'should refuse a film whose picture nobody reads, and not take it for sound alone',
  async ({ folder }) => {
    const mp2 = ['-c:v', 'mpeg2video', '-c:a', 'mp2'];
    const table: [name: string, how: string[], says: RegExp][] = [
      ['dvb.ts', mp2, /^CODEC_UNSUPPORTED The picture .* MPEG-2,/],
      ['old.ogv', ['-c:v', 'libtheora', '-c:a', 'libvorbis'], /^CODEC_UNSUPPORTED The picture .* Theora,/],
    ];
    for (const [name, how, says] of table) {
      const bytes = await made(folder, name, ...PICTURES, ...SOUND, ...how);
      assert.match(await codeOf(() => openVideo(sourceOf(name, bytes))), says);
    }
  },
);

wild('should say of sound that nobody reads that it is left out', async ({ folder }) => {
  const latm = await made(
    folder,
    'latm.ts',
    ...PICTURES,
    ...SOUND,
    ...H264,
    '-c:a',
    'aac',
    '-mpegts_flags',
    'latm',
  );
  const open = (mayLeaveOutSound: boolean) =>
    openVideo(sourceOf('latm.ts', latm), { ...COPY_ONLY, wishes: { ...NO_WISHES, mayLeaveOutSound } });
  assert.match(await codeOf(() => open(false)), /^CODEC_UNSUPPORTED The sound .* AAC \(LATM\)/);
  const video = await open(true);
  assert.is(video.plan.leftOutSound, 'AAC (LATM)');
  assert.is(video.info.hasAudio, false);
  video.close();
  const unnamed = await made(folder, 'unnamed.m2ts', ...PICTURES, ...SOUND, ...H264, '-c:a', 'aac');
  assert.match(
    await codeOf(() => openVideo(sourceOf('unnamed.m2ts', unnamed))),
    /^CODEC_UNSUPPORTED The sound .* sound of an unnamed kind/,
  );
  const flac = await made(folder, 'flac.ogg', ...SOUND, '-c:a', 'flac');
  assert.match(
    await codeOf(() => openVideo(sourceOf('flac.ogg', flac))),
    /^CODEC_UNSUPPORTED The sound .* FLAC/,
  );
});

wild('should show a film of one picture, whatever its file says of how long', async ({ folder }) => {
  const one = ['-f', 'lavfi', '-i', 'testsrc2=d=0.04:r=25:s=320x180', ...H264];
  for (const name of ['one.ts', 'one.mkv', 'one.mp4']) {
    const { path, endMs, info } = await packaged(folder, name, await made(folder, name, ...one));
    assert.equal([endMs, info.durationMs], [40, 40], name);
    assert.is((await pictures(path)).length, 1);
  }
});

wild('should say how long the last picture and the last sound are in WebM', async ({ folder }) => {
  // Key frames alone, and between; a browser shows no block of which it cannot tell the end.
  for (const keyEvery of ['1', '100']) {
    const how = ['-c:v', 'libvpx', '-deadline', 'realtime', '-g', keyEvery, '-c:a', 'libvorbis'];
    const bytes = await made(folder, 'vp8.webm', ...PICTURES, ...SOUND, ...how);
    const { path, endMs } = await packaged(folder, 'vp8.webm', bytes);
    assert.equal(await pictures(path), await pictures(join(folder.path, 'vp8.webm')));
    const { ffprobe } = await findFfmpeg();
    const shown = ['-show_entries', 'packet=codec_type,pts_time,duration_time', '-of', 'csv=p=0'];
    const rows = (await runProgram(ffprobe, ['-v', 'error', ...shown, path])).trim().split('\n');
    const ends = ['video', 'audio'].map((kind) => {
      const [, startS, lastsS] =
        rows
          .filter((row) => row.startsWith(kind))
          .at(-1)
          ?.split(',') ?? [];
      return Math.round(1000 * (Number(startS) + Number(lastsS)));
    });
    assert.equal([ends[0], endMs], [3000, 3000], 'of 75 pictures');
    // Where nothing follows a sound, it lasts as long as the one before.
    assert.ok((ends[1] ?? 0) >= 3000 && (ends[1] ?? 0) < 3025, `${ends[1]} ms`);
    const packagedBytes = new Uint8Array(await readFile(path));
    assert.is(unknownClusters(packagedBytes), 0);
  }
});

/** How many clusters do not say how large they are. */
function unknownClusters(bytes: Uint8Array): number {
  return Buffer.from(bytes).toString('latin1').split('\x1f\x43\xb6\x75\xff').length - 1;
}

wild(
  'should leave out what was never written of a download, up to the next key frame',
  async ({ folder }) => {
    const how = [...PICTURES, ...SOUND, ...H264, '-c:a', 'aac', '-movflags', '+faststart'];
    const whole = await made(folder, 'torrent.mp4', ...how);
    const frames = await pictures(join(folder.path, 'torrent.mp4'));
    const { byteLength } = whole;
    const hole = whole.slice().fill(0, Math.floor(byteLength * 0.4), Math.floor(byteLength * 0.55));
    const around = await packaged(folder, 'hole.mp4', hole);
    assert.is(around.endMs, 3000);
    const shown = await pictures(around.path);
    assert.equal(shown.slice(0, 25), frames.slice(0, 25));
    assert.equal(shown.slice(-25), frames.slice(-25));
    assert.ok(shown.length < frames.length, `${shown.length} pictures`);
    const start = await packaged(folder, 'tail.mp4', whole.slice().fill(0, Math.floor(byteLength * 0.7)));
    assert.ok(start.endMs > 1500 && start.endMs < 2500, `${start.endMs} ms`);
    assert.is(start.info.durationMs, start.endMs);
  },
);

wild('should play an MKV that is damaged up to its end as far as it goes', async ({ folder }) => {
  const whole = await made(folder, 'download.mkv', ...PICTURES, ...SOUND, ...H264, '-c:a', 'aac');
  // As programs leave it that keep a place for what they did not get.
  const bytes = whole.slice().fill(0, Math.floor(whole.byteLength / 2));
  const { path, endMs, info } = await packaged(folder, 'download.mkv', bytes);
  assert.ok(endMs >= 1000 && endMs < 2500, `${endMs} ms`);
  assert.is(info.durationMs, endMs);
  // What is shown up to the second key frame; the last packet that is there may be half of one.
  const isWhole = (await pictures(join(folder.path, 'download.mkv'))).slice(0, 25);
  assert.equal((await pictures(path)).slice(0, 25), isWhole);
});

const AUD = ['-bsf:v', 'h264_metadata=aud=insert'];

wild(
  'should keep every picture of a broadcast whose packets are filled up with zeros',
  async ({ folder }) => {
    const plain = await made(folder, 'plain.h264', ...PICTURES, ...H264, '-bf', '0', ...AUD);
    // In a byte stream any number of zeros may follow a unit (ISO/IEC 14496-10, annex B).
    const starts = [...plain.keys()].filter((at) =>
      [0, 0, 0, 1, 9].every((byte, i) => plain[at + i] === byte),
    );
    const filled = starts.flatMap((at, i) => [plain.subarray(at, starts[i + 1]), new Uint8Array(40)]);
    await writeFile(join(folder.path, 'filled.h264'), concat(...filled));
    const from = join(folder.path, 'filled.h264');
    const times = ['-bsf:v', 'setts=pts=N/(25*TB):dts=N/(25*TB)'];
    const broadcast = await made(folder, 'filled.ts', '-i', from, '-c', 'copy', ...times);
    const { path } = await packaged(folder, 'filled.ts', broadcast);
    assert.equal(await pictures(path), await pictures(join(folder.path, 'plain.h264')));
  },
);

wild.run();
