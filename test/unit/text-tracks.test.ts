import { readFile } from 'node:fs/promises';
import { deflateSync } from 'node:zlib';
import * as fc from 'fast-check';
import {
  ALL_FORMATS,
  BufferSource,
  BufferTarget,
  EncodedPacketSink,
  EncodedVideoPacketSource,
  Input,
  type InputVideoTrack,
  Mp4OutputFormat,
  Output,
  TextSubtitleSource,
} from 'mediabunny';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concat, utf8 } from '../../peer/bytes.ts';
import { type Cue, decodeExtra } from '../../peer/extras/extra.ts';
import { openVideo } from '../../peer/host/package.ts';
import type { VideoSource } from '../../peer/host/package-source.ts';
import { FileView, TextMalformed } from '../../peer/text-tracks/file-view.ts';
import { openTextTracks } from '../../peer/text-tracks/open-text-tracks.ts';
import { readSamples } from '../../peer/text-tracks/sample-table.ts';
import { ownSubtitles } from '../../peer/text-tracks/text-extras.ts';
import { unpacked } from '../../peer/text-tracks/unpack.ts';
import { lightClip } from '../tools/clips.ts';
import { filmWithChapters, filmWithTexts } from '../tools/film-with-texts.ts';
import { filmWithPictures } from '../tools/picture-subtitles.ts';

const ENGLISH = `1
00:00:01,000 --> 00:00:02,500
Good <i>morning</i>

2
00:00:02,000 --> 00:00:04,000
Two lines,
at once & <b>bold</b>

3
00:00:15,250 --> 00:00:16,000
The end
`;
const GERMAN = ENGLISH.replace('Good <i>morning</i>', 'Straße');

const never = new AbortController().signal;

const texts = suite('text tracks in a file');

/** A film of 20 s with both texts in it, made by ffmpeg. */
async function film(name: string, ...how: string[]): Promise<Uint8Array> {
  const german = { language: 'ger', title: 'Songs', srt: GERMAN };
  return await filmWithTexts(await lightClip(20), name, [{ language: 'eng', srt: ENGLISH }, german], how);
}

/** A file in memory that counts what is read of it. */
function source(bytes: Uint8Array): VideoSource & { readBytes: number } {
  return {
    name: 'film',
    sizeBytes: bytes.byteLength,
    readBytes: 0,
    async read(start, end) {
      this.readBytes += end - start;
      return bytes.slice(start, end);
    },
  };
}

/** The cues of each text track as viewers have them: ffmpeg lets a film begin some 20 ms late for its sound. */
async function cuesIn(file: VideoSource): Promise<Cue[][]> {
  const video = await openVideo(file);
  const found: Cue[][] = [];
  for await (const data of ownSubtitles(await openTextTracks(file), []).make(video.originS, [], never)) {
    const extra = decodeExtra(data);
    if (extra.kind === 'subtitles') found[extra.track] = extra.cues;
  }
  video.close();
  return found;
}

const MARKED = [
  [1000, 2500, 'Good <i>morning</i>'],
  [2000, 4000, 'Two lines,\nat once &amp; <b>bold</b>'],
  [15_250, 16_000, 'The end'],
];
const PLAIN = MARKED.map(([startMs, endMs, text]) => [startMs, endMs, String(text).replace(/<[^>]*>/g, '')]);
/** In MP4 only one sample is shown at a time: what overlaps is cut, or shown together. */
const ONE_BY_ONE = [
  [1000, 2000],
  [2000, 4000],
  [15_250, 16_000],
];

const KINDS: [name: string, how: string[], cues: unknown[][]][] = [
  ['srt.mkv', ['-c:s', 'srt'], MARKED],
  ['ass.mkv', ['-c:s', 'ass'], PLAIN],
  ['vtt.mkv', ['-c:s', 'webvtt'], MARKED],
  ['live.mkv', ['-c:s', 'srt', '-live', '1'], MARKED],
];

for (const [name, how, cues] of KINDS)
  texts(`should be read from ${name} as ffmpeg writes it`, async () => {
    const file = source(await film(name, ...how));
    const tracks = await openTextTracks(file);
    assert.equal(
      tracks.names.map(({ language, label }) => [language, label]),
      [
        ['en', ''],
        ['de', 'Songs'],
      ],
    );
    await tracks.read(never);
    if (name !== 'live.mkv')
      assert.ok(file.readBytes < file.sizeBytes / 2, `${file.readBytes} of ${file.sizeBytes}`);
    const [english, german] = await cuesIn(file);
    assert.equal(english, cues);
    assert.is(german?.[0]?.[2], 'Straße');
  });

texts('should be read from MP4 as ffmpeg writes it, moov first or last', async () => {
  for (const flags of [[], ['-movflags', 'faststart']]) {
    const file = source(await film('text.mp4', '-c:s', 'mov_text', ...flags));
    const tracks = await openTextTracks(file);
    assert.equal(
      tracks.names.map(({ language, isDefault }) => [language, isDefault]),
      [
        ['en', false],
        ['de', false],
      ],
    );
    await tracks.read(never);
    assert.ok(file.readBytes < file.sizeBytes / 2, `${file.readBytes} of ${file.sizeBytes}`);
    const [english, german] = await cuesIn(file);
    assert.equal(
      english?.map(([startMs, endMs]) => [startMs, endMs]),
      ONE_BY_ONE,
    );
    assert.is(english?.[2]?.[2], 'The end');
    assert.is(german?.[0]?.[2], 'Straße');
  }
});

texts('should be read from TTML in MP4 as ffmpeg writes it', async () => {
  const file = source(await film('text.mp4', '-c:s', 'ttml'));
  const tracks = await openTextTracks(file);
  assert.equal([tracks.names.map(({ language }) => language), tracks.unread], [['en', 'de'], []]);
  const [english, german] = await cuesIn(file);
  assert.equal(english, PLAIN);
  assert.is(german?.[0]?.[2], 'Straße');
});

texts(
  'should be named where MP4 has them of a kind that is not read, the names of chapters not among them',
  async () => {
    const bytes = await film('text.mp4', '-c:s', 'mov_text', '-movflags', 'faststart');
    bytes.set(utf8('c608'), Buffer.from(bytes).indexOf('tx3g'));
    const { names, unread } = await openTextTracks(source(bytes));
    assert.equal(
      [names.map(({ language }) => language), unread.map(({ language, label }) => [language, label])],
      [['de'], [['en', 'CEA-608']]],
    );
    // ffmpeg makes a track of texts out of chapters.
    const chaptered = await filmWithChapters(await lightClip(20));
    assert.ok(Buffer.from(chaptered).includes('chap'));
    const of = await openTextTracks(source(chaptered));
    assert.equal([of.names, of.unread], [[], []]);
  },
);

texts('should be named where they are teletext', async () => {
  const bytes = await filmWithPictures(await lightClip(20), 'dvb.ts', 'dvbsub');
  const teletext = Buffer.from(bytes);
  // DVB's descriptor has eight bytes for each language, and teletext's five.
  const dvb = Buffer.concat([Uint8Array.of(0x59, 8), utf8('ger')]);
  for (let at = teletext.indexOf(dvb); at >= 0; at = teletext.indexOf(dvb)) {
    teletext.set([0x56, 5], at);
    teletext.set([(2 << 3) | 1, 0x50, 0xff, 1], at + 5);
  }
  const own = ownSubtitles(await openTextTracks(source(teletext)), []);
  assert.equal(
    [own.leftOut, own.unread.map((track) => [track.language, track.label])],
    [[], [['de', 'teletext']]],
  );
});

texts('should be named where Matroska has them of a kind that is not read', async () => {
  const bytes = Buffer.from(await film('srt.mkv', '-c:s', 'srt'));
  bytes.set(utf8('S_TEXT/USF\0'), bytes.indexOf('S_TEXT/UTF8'));
  const { names, unread } = await openTextTracks(source(bytes));
  assert.equal(
    [names.map(({ language }) => language), unread.map(({ language, label }) => [language, label])],
    [['de'], [['en', 'USF']]],
  );
});

const PICTURES: [name: string, codec: string, language: string][] = [
  ['pgs.mkv', 'copy', 'de'],
  ['vobsub.mkv', 'dvdsub', 'de'],
  ['dvb.mkv', 'dvbsub', 'de'],
  ['dvb.ts', 'dvbsub', 'de'],
  // ffmpeg writes no language there.
  ['pgs.m2ts', 'copy', 'und'],
];

for (const [name, codec, language] of PICTURES)
  texts(`should be named as left out where they are pictures: ${name}`, async () => {
    const file = source(await filmWithPictures(await lightClip(20), name, codec));
    const own = ownSubtitles(await openTextTracks(file), []);
    assert.equal(
      own.leftOut.map((track) => [track.language, track.label]),
      [[language, '']],
    );
    assert.equal(own.names, []);
    assert.ok(file.readBytes <= 1024 * 1024 + 512 * 1024, `${file.readBytes} of ${file.sizeBytes}`);
  });

texts('should be named as left out where MP4 says that they are pictures', async () => {
  const bytes = await film('text.mp4', '-c:s', 'mov_text', '-movflags', 'faststart');
  // As programs write VobSub: of this handler the kind is told, and no other text is so short.
  const at = Buffer.from(bytes).indexOf('hdlr\0\0\0\0\0\0\0\0sbtl');
  assert.ok(at > 0);
  bytes.set(utf8('subp'), at + 12);
  const entry = Buffer.from(bytes).indexOf('tx3g');
  bytes.set(utf8('mp4s'), entry);
  const { names, pictures } = await openTextTracks(source(bytes));
  assert.equal(
    [names.map(({ language }) => language), pictures.map(({ language }) => language)],
    [['de'], ['en']],
  );
});

/** How ffmpeg fragments: with the place of data counted from each fragment, from the file's beginning, or from the track before. */
const FRAGMENTED = [
  ['frag_keyframe+empty_moov+default_base_moof'],
  ['frag_keyframe+empty_moov'],
  ['frag_keyframe+empty_moov+omit_tfhd_offset'],
  ['frag_keyframe'],
  // More than a thousand boxes.
  ['empty_moov+default_base_moof', '-frag_duration', '20000'],
] as const;

for (const [flags, ...more] of FRAGMENTED)
  texts(`should be read from MP4 in fragments: ${flags} ${more.join(' ')}`, async () => {
    const file = source(await film('text.mp4', '-c:s', 'mov_text', '-movflags', flags, ...more));
    const tracks = await openTextTracks(file);
    assert.equal(
      tracks.names.map(({ language }) => language),
      ['en', 'de'],
    );
    const [english, german] = await cuesIn(file);
    // Of a text before a fragment in which there is none, ffmpeg writes that it lasts until the next one.
    const lasting = ONE_BY_ONE.map(([startMs, endMs], i) => [startMs, i === 1 ? 15_250 : endMs]);
    assert.equal(
      english?.map(([startMs, endMs]) => [startMs, endMs]),
      lasting,
    );
    assert.is(english?.[1]?.[2], 'Two lines,\nat once &amp; <b>bold</b>'.replace(/<[^>]*>/g, ''));
    assert.is(english?.[2]?.[2], 'The end');
    assert.is(german?.[0]?.[2], 'Straße');
  });

texts('should be what a file that is cut off still has, and none where there are none', async () => {
  const whole = await film('cut.mkv', '-c:s', 'srt');
  const [cut] = await cuesIn(source(whole.subarray(0, whole.byteLength / 2)));
  assert.equal(cut, MARKED.slice(0, 2));
  for (const bytes of [utf8('no film'), new Uint8Array(100), await readFile((await lightClip(20)).path)])
    assert.equal((await openTextTracks(source(bytes))).names, []);
});

texts('should come out of any damage with an answer, and within its size', async () => {
  const files = [
    await film('fuzz.mkv', '-c:s', 'ass'),
    await film('fuzz.mp4', '-c:s', 'mov_text'),
    await film('fuzz.mp4', '-c:s', 'ttml'),
    await film('fuzz.mp4', '-c:s', 'mov_text', '-movflags', 'frag_keyframe+empty_moov+default_base_moof'),
    await filmWithPictures(await lightClip(20), 'fuzz.ts', 'dvbsub'),
  ];
  const damage = fc.record({
    file: fc.nat(files.length - 1),
    // Most of a film is its pictures: the head and the tail are what is parsed.
    changes: fc.array(fc.tuple(fc.boolean(), fc.nat(6_000), fc.nat(255)), { minLength: 1, maxLength: 8 }),
    keptShare: fc.double({ min: 0, max: 1, noNaN: true }),
    isCut: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(damage, async ({ file, changes, keptShare, isCut }) => {
      const whole = files[file] ?? new Uint8Array();
      const bytes = whole.slice(0, isCut ? Math.floor(whole.byteLength * keptShare) : whole.byteLength);
      for (const [isAtEnd, at, value] of changes) bytes[isAtEnd ? bytes.byteLength - 1 - at : at] = value;
      const tracks = await openTextTracks(source(bytes));
      const cues = await tracks.read(never);
      assert.is(cues.length, tracks.names.length);
      // What is made of it is what viewers take.
      for await (const extra of ownSubtitles(tracks, []).make(0, [], never)) decodeExtra(extra);
    }),
    { numRuns: Number(process.env.MATINEE_FUZZ ?? 400) },
  );
});

texts('should answer to bytes that only begin as a film', async () => {
  const heads = [Uint8Array.of(0x1a, 0x45, 0xdf, 0xa3), concat(Uint8Array.of(0, 0, 0, 8), utf8('ftyp'))];
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...heads), fc.uint8Array({ maxLength: 400 }), async (head, rest) => {
      const tracks = await openTextTracks(source(concat(head, rest)));
      assert.is((await tracks.read(never)).length, tracks.names.length);
    }),
    { numRuns: Number(process.env.MATINEE_FUZZ ?? 400) },
  );
});

texts('should go on with what was listed before, beside what was dropped', async () => {
  const tracks = await openTextTracks(source(await film('again.mkv', '-c:s', 'srt')));
  const dropped = ownSubtitles(tracks, []);
  const made: Uint8Array<ArrayBuffer>[] = [];
  for await (const extra of dropped.make(0.521, [], never)) made.push(extra);
  assert.equal(
    made
      .map(decodeExtra)
      .map((extra) => extra.kind === 'subtitles' && [extra.track, extra.language, extra.cues[0]]),
    [
      [0, 'en', [500, 2000, 'Good <i>morning</i>']],
      [1, 'de', [500, 2000, 'Straße']],
    ],
  );
  const rest: Uint8Array[] = [];
  for await (const extra of dropped.make(0.521, made.slice(0, 1), never)) rest.push(extra);
  assert.equal(rest, made.slice(1));
  const [beside] = ownSubtitles(tracks, made.slice(0, 1)).names.slice(1);
  assert.is(beside?.language, 'en');
});

for (const fastStart of [false, 'fragmented'] as const)
  texts(
    `should be read from MP4 with WebVTT in it, as mediabunny writes it: fastStart ${fastStart}`,
    async () => {
      const input = new Input({
        source: new BufferSource(await readFile((await lightClip(20)).path)),
        formats: ALL_FORMATS,
      });
      const [picture] = await input.getVideoTracks();
      const output = new Output({ format: new Mp4OutputFormat({ fastStart }), target: new BufferTarget() });
      const [video, vtt] = [new EncodedVideoPacketSource('avc'), new TextSubtitleSource('webvtt')];
      output.addVideoTrack(video);
      output.addSubtitleTrack(vtt, { languageCode: 'eng' });
      await output.start();
      const packets = new EncodedPacketSink(picture as InputVideoTrack);
      const decoderConfig = (await picture?.getDecoderConfig()) as VideoDecoderConfig;
      for (let packet = await packets.getFirstPacket(); packet; packet = await packets.getNextPacket(packet))
        await video.add(packet, { decoderConfig });
      await vtt.add(
        `WEBVTT\n\n00:01.000 --> 00:02.500\nGood <i>morning</i>\n\n00:15.250 --> 00:16.000\nThe end\n`,
      );
      await output.finalize();
      input.dispose();
      const tracks = await openTextTracks(source(new Uint8Array(output.target.buffer ?? new ArrayBuffer(0))));
      assert.is(tracks.names[0]?.language, 'en');
      assert.equal(await tracks.read(never), [
        [
          [1000, 2500, 'Good <i>morning</i>'],
          [15_250, 16_000, 'The end'],
        ],
      ]);
    },
  );

texts('should be unpacked as Matroska packs them, up to a size', async () => {
  const text = utf8('Good morning, good morning, good morning');
  const zlib = { how: 'zlib' } as const;
  assert.equal(await unpacked(zlib, deflateSync(text), 100), text);
  assert.is(await unpacked(zlib, deflateSync(text), 39), null, 'a byte too many');
  assert.is(await unpacked(zlib, deflateSync(new Uint8Array(10_000_000)), 64 * 1024), null);
  assert.is(await unpacked(zlib, text, 100), null, 'no deflate');
  assert.is(await unpacked(zlib, deflateSync(text).subarray(0, 12), 100), null, 'cut off');
  assert.equal(
    await unpacked({ how: 'stripped', head: utf8('Good ') }, utf8('morning'), 100),
    utf8('Good morning'),
  );
});

texts('should not take many steps for few bytes of an index that goes in circles', async () => {
  const u32 = (...values: number[]) =>
    concat(...values.map((value) => Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value)));
  const box = (type: string, ...numbers: number[]) =>
    concat(u32(8 + 4 * numbers.length), utf8(type), u32(...numbers));
  const chunks = Array.from({ length: 10 }, () => 0);
  const tables = (...runs: number[]) =>
    concat(
      box('stsz', 0, 4, 10, 1),
      box('stco', 0, chunks.length, ...chunks),
      box('stsc', 0, runs.length / 3, ...runs),
      box('stts', 0, 1, 10, 1_000),
    );
  const samplesOf = (bytes: Uint8Array) =>
    readSamples(new FileView(source(bytes)), { type: 'stbl', start: 0, end: bytes.byteLength });
  assert.is((await samplesOf(tables(1, 1, 1, 6, 1, 1))).length, 10);
  for (const runs of [
    [1, 1, 1, 1, 1, 1],
    [6, 1, 1, 1, 1, 1],
    [1, 0, 1],
    [0, 1, 1],
  ]) {
    const error = await samplesOf(tables(...runs)).catch((reason: unknown) => reason);
    assert.instance(error, TextMalformed, String(runs));
  }
});

texts.run();
