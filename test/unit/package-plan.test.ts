import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MatineeError } from '../../peer/errors.ts';
import {
  NO_WISHES,
  type PackagingWishes,
  planPackaging,
  type TrackFacts,
} from '../../peer/host/package-plan.ts';

const planning = suite('the plan for a file');

const NODE = { encodesVideo: false, encodesAudio: false };
const PAGE = { encodesVideo: true, encodesAudio: true };

function track(kind: TrackFacts['kind'], codec: string | null, more: Partial<TrackFacts> = {}): TrackFacts {
  const [widthPx, heightPx] = kind === 'video' ? [1280, 720] : [0, 0];
  return {
    kind,
    codec,
    codecString: codec,
    fileCodecId: codec,
    language: 'und',
    title: null,
    isDefault: false,
    isEncrypted: false,
    isDecodable: false,
    widthPx,
    heightPx,
    ...more,
  };
}

const avc = track('video', 'avc', { codecString: 'avc1.64001f' });
const aac = track('audio', 'aac', { codecString: 'mp4a.40.2' });
const ac3 = track('audio', 'ac3', { codecString: 'ac-3' });
const vp8 = track('video', 'vp8');
const vorbis = track('audio', 'vorbis');
const hevc = track('video', 'hevc', { codecString: 'hvc1.1.6.L93.B0' });
const decodable = (one: TrackFacts): TrackFacts => ({ ...one, isDecodable: true });

function plan(
  tracks: TrackFacts[],
  abilities = NODE,
  wishes: Partial<PackagingWishes> = {},
  bitsPerSec = 1e6,
) {
  return planPackaging({ tracks, bitsPerSec }, abilities, { ...NO_WISHES, ...wishes });
}

/** 'picture sound container', each as it is treated. */
function gist(...args: Parameters<typeof plan>): string {
  const { video, audio, leftOutSound, container } = plan(...args);
  return `${video?.how ?? 'none'} ${audio?.how ?? (leftOutSound ? 'left out' : 'none')} ${container}`;
}

function refusal(...args: Parameters<typeof plan>): string {
  try {
    plan(...args);
  } catch (error) {
    if (error instanceof MatineeError) return `${error.code} ${error.message}`;
    throw error;
  }
  return 'accepted';
}

planning('should copy H.264 with AAC, wherever the tracks stand', () => {
  assert.equal(plan([aac, avc]), {
    container: 'mp4',
    video: { index: 1, how: 'copy', codecName: 'H.264', target: null },
    audio: { index: 0, how: 'copy', codecName: 'AAC' },
    leftOutSound: null,
    mime: 'video/mp4; codecs="avc1.64001f, mp4a.40.2"',
  });
});

planning('should take a silent video, and sound alone', () => {
  assert.is(plan([avc]).mime, 'video/mp4; codecs="avc1.64001f"');
  assert.is(gist([avc]), 'copy none mp4');
  assert.is(gist([aac]), 'none copy mp4');
});

planning('should keep what only WebM holds in WebM, and all else in MP4', () => {
  const vp9 = track('video', 'vp9', { codecString: 'vp09.00.31.08' });
  const opus = track('audio', 'opus');
  assert.is(gist([vp8, vorbis], PAGE), 'copy copy webm');
  assert.is(gist([vp8, opus]), 'copy copy webm');
  assert.is(gist([vp9, vorbis]), 'copy copy webm');
  assert.is(gist([vp9, opus]), 'copy copy mp4');
  assert.is(plan([avc, opus]).mime, 'video/mp4; codecs="avc1.64001f, Opus"', 'the name that Safari knows');
});

planning('should encode as little as it can', () => {
  assert.is(gist([avc, decodable(ac3)], PAGE), 'copy transcode mp4');
  assert.is(plan([avc, decodable(ac3)], PAGE).mime, 'video/mp4; codecs="avc1.64001f, Opus"');
  assert.is(gist([decodable(vp8), decodable(aac)], PAGE), 'copy transcode webm');
  assert.is(gist([decodable(avc), decodable(vorbis)], PAGE), 'copy transcode mp4');
  assert.is(gist([decodable(hevc), aac], PAGE), 'transcode copy mp4');
  assert.is(gist([decodable(hevc), decodable(ac3)], PAGE), 'transcode transcode mp4');
  assert.is(gist([decodable(track('audio', 'mp3'))], PAGE), 'none transcode mp4');
});

planning('should take the default sound track, converted if need be, or another where that cannot be', () => {
  const stereo = { ...aac, isDefault: false };
  const main = { ...decodable(ac3), isDefault: true };
  assert.is(plan([avc, stereo, main], PAGE).audio?.index, 2);
  assert.is(plan([avc, stereo, main], PAGE, { audioTrack: 0 }).audio?.index, 1);
  assert.is(plan([avc, main, stereo], NODE).audio?.index, 2);
  assert.match(refusal([avc, stereo], NODE, { audioTrack: 1 }), /^REQUEST_MALFORMED .*one sound track/);
});

planning('should leave sound out only where the host may be asked', () => {
  const trueHd = track('audio', null, { fileCodecId: 'A_TRUEHD' });
  assert.match(refusal([avc, trueHd], PAGE), /^CODEC_UNSUPPORTED .*sound.*Dolby TrueHD/);
  assert.is(gist([avc, trueHd], PAGE, { mayLeaveOutSound: true }), 'copy left out mp4');
  assert.is(plan([avc, trueHd], PAGE, { mayLeaveOutSound: true }).leftOutSound, 'Dolby TrueHD');
  assert.is(gist([avc, ac3], NODE, { mayLeaveOutSound: true }), 'copy left out mp4');
  assert.match(
    refusal([trueHd], PAGE, { mayLeaveOutSound: true }),
    /^CODEC_UNSUPPORTED/,
    'nothing would be left',
  );
});

planning('should make it smaller where that is asked for and it is too large', () => {
  const large = decodable({ ...avc, widthPx: 1920, heightPx: 1080 });
  const { video } = plan([large, aac], PAGE, { isSmall: true }, 8e6);
  assert.equal(video?.target, {
    widthPx: 1280,
    heightPx: 720,
    bitsPerSec: 2_500_000,
    codecString: 'avc1.640020',
  });
  const upright = decodable({ ...avc, widthPx: 1080, heightPx: 1920 });
  assert.is(plan([upright], PAGE, { isSmall: true }, 8e6).video?.target?.heightPx, 1280);
  assert.is(gist([decodable(avc), aac], PAGE, { isSmall: true }, 2e6), 'copy copy mp4', 'small already');
  assert.is(
    gist([decodable(avc), aac], PAGE, { isSmall: true }, 9e6),
    'transcode copy mp4',
    'small but heavy',
  );
  assert.match(refusal([large, aac], NODE, { isSmall: true }, 8e6), /^CODEC_UNSUPPORTED/);
});

planning('should give odd sizes even ones, and no more bits than the source is worth', () => {
  const odd = decodable({ ...hevc, widthPx: 321, heightPx: 181 });
  const target = plan([odd], PAGE, {}, 1e6).video?.target;
  assert.equal([target?.widthPx, target?.heightPx], [322, 182]);
  assert.is(target?.bitsPerSec, 400_000);
});

planning('should refuse what is encrypted, whatever it is', () => {
  const locked = { isEncrypted: true };
  assert.match(refusal([{ ...avc, ...locked }, aac], PAGE), /^FILE_ENCRYPTED .*DRM/);
  assert.match(refusal([avc, { ...aac, ...locked }], PAGE), /^FILE_ENCRYPTED/);
  assert.is(gist([avc, { ...aac, ...locked }], PAGE, { mayLeaveOutSound: true }), 'copy left out mp4');
});

planning('should say which browsers can where this one cannot', () => {
  assert.match(
    refusal([hevc, aac], PAGE),
    /^CODEC_UNSUPPORTED .*HEVC.*this browser cannot.*Safari.*Chrome or Edge/,
  );
  assert.match(refusal([hevc, aac], NODE), /^CODEC_UNSUPPORTED .*HEVC.*web page.*Safari/);
  assert.match(refusal([avc, ac3], NODE), /^CODEC_UNSUPPORTED .*AC-3.*web page.*--without-sound/);
});

planning('should refuse 10-bit H.264 and xHE-AAC, naming the variant', () => {
  assert.match(
    refusal([{ ...avc, codecString: 'avc1.6e001f' }, aac]),
    /^CODEC_UNSUPPORTED .*H\.264 \(avc1\.6e001f\)/,
  );
  assert.match(
    refusal([avc, { ...aac, codecString: 'mp4a.40.42' }]),
    /^CODEC_UNSUPPORTED .*AAC \(mp4a\.40\.42\)/,
  );
});

planning('should name a codec nobody knows by what the file calls it', () => {
  assert.match(refusal([track('video', null, { fileCodecId: 'XYZ1' }), aac]), /^CODEC_UNSUPPORTED .*“XYZ1”/);
  assert.match(refusal([]), /^FILE_NOT_VIDEO/);
});

planning.run();
