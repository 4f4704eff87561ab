import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeExtra, encodeExtra, MAX_POSTER_BYTES } from '../../peer/extras/extra.ts';
import { plainCover } from '../../peer/extras/plain-cover.ts';
import type { VideoInfo } from '../../peer/host/package.ts';
import { NO_WISHES, planPackaging, type TrackFacts } from '../../peer/host/package-plan.ts';
import { isWorthAsking } from '../../peer/host/plan-question.ts';
import { planText } from '../../seed-server/plan-text.ts';
import { present } from './host-rig.ts';

const COPY = { encodesVideo: false, encodesAudio: false };

const PICTURE: TrackFacts = {
  kind: 'video',
  codec: 'avc',
  codecString: 'avc1.64001f',
  fileCodecId: null,
  language: 'und',
  title: null,
  isDefault: true,
  isEncrypted: false,
  isDecodable: false,
  widthPx: 1280,
  heightPx: 720,
};
const SOUND: TrackFacts = {
  ...PICTURE,
  kind: 'audio',
  codec: 'aac',
  codecString: 'mp4a.40.2',
  language: 'eng',
};
const DOLBY: TrackFacts = {
  ...SOUND,
  codec: 'ac3',
  codecString: 'ac-3',
  language: 'ger',
  title: 'Kino\u001b[2J',
};

const INFO: VideoInfo = {
  title: 'A film\u202e',
  mime: '',
  durationMs: 3_723_900,
  widthPx: 1280,
  heightPx: 720,
  hasAudio: true,
  sourceBytes: 18_319_154,
};

function lines(
  tracks: TrackFacts[],
  wishes = NO_WISHES,
  more: Partial<Parameters<typeof planText>[0]> = {},
): string[] {
  const plan = planPackaging({ tracks, bitsPerSec: 0 }, COPY, wishes);
  return planText({
    info: INFO,
    plan,
    tracks,
    subtitles: [],
    leftOutSubtitles: [],
    unreadSubtitles: [],
    hasCover: false,
    ...more,
  });
}

const plan = suite('what is told of a film before it is uploaded');

plan('should be what it is, what will happen to it, and the sound that is taken', () => {
  const subtitles = [
    { language: 'de', label: 'forced', isDefault: true },
    { language: 'und', label: '', isDefault: false },
  ];
  assert.equal(lines([PICTURE, DOLBY, SOUND], NO_WISHES, { subtitles }), [
    'A film',
    '  1:02:03 · 1280 × 720 · 18.3 MB',
    '  Picture copied as it is (H.264)',
    '  Sound copied as it is (AAC)',
    '    1 · German · Kino [2J · AC-3 (Dolby Digital)',
    '  > 2 · English · AAC',
    '  Another sound track: --audio N',
    '  Subtitles: German (forced), track 2',
  ]);
});

plan('should name what is left out, and what is not there', () => {
  const silent = lines([PICTURE, DOLBY], { ...NO_WISHES, mayLeaveOutSound: true });
  assert.is(silent[3], '  Sound left out: it is AC-3 (Dolby Digital), which only the web page can convert');
  assert.is(silent.length, 4, 'of one sound track there is no choice');
  assert.is(lines([PICTURE])[3], '  No sound in it');
  const info = { ...INFO, durationMs: 40_000, widthPx: 0, heightPx: 0 };
  const [, facts, picture] = lines([SOUND], NO_WISHES, { info, hasCover: true });
  assert.is(facts, '  0:40 · 18.3 MB');
  assert.is(picture, '  No picture: friends see its cover');
  assert.is(lines([SOUND], NO_WISHES, { info })[2], '  No picture: friends see its title');
});

plan('should say which subtitles are left out, and be worth asking for that', () => {
  const leftOutSubtitles = [
    { language: 'de', label: '', isDefault: false },
    { language: 'und', label: '', isDefault: false },
  ];
  const tracks = [PICTURE, SOUND];
  assert.is(
    lines(tracks, NO_WISHES, { leftOutSubtitles }).at(-1),
    '  Subtitles left out, because they are pictures and not text: German, track 2',
  );
  const copied = planPackaging({ tracks, bitsPerSec: 0 }, COPY, NO_WISHES);
  assert.not(isWorthAsking({ plan: copied, tracks, leftOutSubtitles: [], unreadSubtitles: [] }, NO_WISHES));
  assert.ok(isWorthAsking({ plan: copied, tracks, leftOutSubtitles, unreadSubtitles: [] }, NO_WISHES));
  const unreadSubtitles = [{ language: 'de', label: 'teletext', isDefault: false }];
  assert.is(
    lines(tracks, NO_WISHES, { unreadSubtitles }).at(-1),
    '  Subtitles left out, because they are of a kind that is not read here: German (teletext)',
  );
  assert.ok(isWorthAsking({ plan: copied, tracks, leftOutSubtitles: [], unreadSubtitles }, NO_WISHES));
});

plan.run();

const cover = suite('a cover as it is');

cover('should go along where it is a picture that a poster may be, and there is none yet', () => {
  const jpeg = new Uint8Array([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3]);
  const poster = { kind: 'poster', mime: 'image/jpeg', bytes: jpeg } as const;
  assert.equal(decodeExtra(present(plainCover(jpeg, []))), poster);
  assert.is(plainCover(jpeg, [encodeExtra(poster)]), null);
  const webp = new Uint8Array([0x52, 0x49, 0x46, 0x46, 9, 0, 0, 0, 0x57, 0x45, 0x42, 0x50, 1]);
  assert.equal(decodeExtra(present(plainCover(webp, []))), {
    kind: 'poster',
    mime: 'image/webp',
    bytes: webp,
  });
  const png = new Uint8Array([0x89, 0x50, 0x4e, 0x47]);
  const large = new Uint8Array(MAX_POSTER_BYTES + 1);
  large.set(jpeg);
  for (const bytes of [png, large, new Uint8Array(), webp.subarray(0, 11)])
    assert.is(plainCover(new Uint8Array(bytes), []), null);
});

cover.run();
