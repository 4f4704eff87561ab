import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ManifestHead } from '../../peer/manifest/head.ts';
import type { SegmentEntry } from '../../peer/manifest/page.ts';
import { lineAbove } from '../../web/src/room/controls/lifted-subtitles.ts';
import { shareAt, stripPath } from '../../web/src/room/controls/seek-bar.ts';
import { nextSpeed, speedNear } from '../../web/src/room/controls/speeds.ts';
import { subtitleNames, subtitlesToShow } from '../../web/src/room/controls/subtitles.ts';
import { Taps } from '../../web/src/room/controls/taps.ts';
import { heldAtEdge, isAtEdge, uploadedMs } from '../../web/src/room/upload-edge.ts';

const timeline = suite('the timeline');

timeline('should tell where on it one points, and no further than its ends', () => {
  const box = { left: 100, width: 200 };
  assert.is(shareAt(150, box), 0.25);
  assert.is(shareAt(0, box), 0);
  assert.is(shareAt(999, box), 1);
  assert.is(shareAt(150, { left: 100, width: 0 }), 0);
});

timeline('should give each column to who brought most of it', () => {
  const columns = [
    { friendShare: 0.7, serverShare: 0.3 },
    { friendShare: 0, serverShare: 0 },
    { friendShare: 0, serverShare: 1 },
    { friendShare: 0.01, serverShare: 0 },
  ];
  assert.is(stripPath(columns, 'friendShare'), 'M0 0h1v1h-1z');
  assert.is(stripPath(columns, 'serverShare'), 'M2 0h1v1h-1z');
});

timeline('should let nobody go where nothing is uploaded, nor throw anybody back', () => {
  const film = { durationMs: 40_000, uploadedMs: 10_000, isDone: false };
  const goes = (placeMs: number, toMs: number, more = {}) =>
    heldAtEdge({ ...film, id: '', title: '', widthPx: 0, heightPx: 0, ...more }, placeMs, toMs);
  assert.is(goes(0, 5_000), 5_000);
  assert.is(goes(0, 36_000), 8_000);
  assert.is(goes(9_500, 36_000), 9_500);
  assert.is(goes(9_500, 8_500), 8_500);
  assert.is(goes(5_000, -1), 0);
  assert.is(goes(0, 9_000, { uploadedMs: 1_000 }), 0);
  assert.is(goes(0, 36_000, { isDone: true }), 36_000);
  assert.is(goes(0, 99_000, { isDone: true }), 40_000);
});

timeline('should end where the last segment ends that is to be had, until the upload is done', () => {
  const uploaded = (
    segmentCount: number,
    onTheirWay: (segment: number) => boolean | null,
    isDone = false,
  ) => {
    const head = {
      segmentCount,
      isDone,
      durationMs: 4e6,
      pages: [{ startMs: 77 }],
    } as unknown as ManifestHead;
    // The first is the init segment, which takes no time.
    const entry = (segment: number): SegmentEntry | null =>
      segment < 0
        ? null
        : {
            startMs: Math.max(0, 2_000 * (segment - 1)),
            durationMs: segment ? 2_000 : 0,
            sizeBytes: 9,
            pieceHashes: new Uint8Array(32),
          };
    return uploadedMs({ head, entry }, (segment) => {
      const isOnItsWay = onTheirWay(segment);
      return isOnItsWay === null ? null : !isOnItsWay;
    });
  };
  assert.is(
    uploaded(11, () => false),
    20_000,
  );
  assert.is(
    uploaded(11, (segment) => segment > 7),
    14_000,
    'three are on their way',
  );
  assert.is(
    uploaded(11, (segment) => segment === 7),
    20_000,
    'one before others is theirs to wait for',
  );
  assert.is(
    uploaded(11, () => null),
    20_000,
    'nobody knows',
  );
  assert.is(
    uploaded(3, () => true),
    0,
  );
  assert.is(
    uploaded(0, () => false),
    0,
  );
  assert.is(
    uploaded(1_001, () => true),
    2_000_000,
    'so many are never on their way',
  );
  assert.is(
    uploaded(11, () => true, true),
    4e6,
  );
  assert.is(
    uploadedMs({ head: null, entry: () => null }, () => null),
    0,
  );
});

timeline('should wait for the host only near the end of what is uploaded', () => {
  const film = { uploadedMs: 40_000, isDone: false };
  assert.not.ok(isAtEdge(film, 8_000), 'the film stands still for another reason');
  assert.ok(isAtEdge(film, 38_000));
  assert.ok(isAtEdge(film, 41_000));
  assert.not.ok(isAtEdge({ ...film, isDone: true }, 38_000));
});

timeline.run();

const subtitles = suite('the choice of subtitles');

subtitles('should tell those of one name apart', () => {
  assert.equal(subtitleNames(['German', 'English', 'German', 'German']), [
    'German',
    'English',
    'German 2',
    'German 3',
  ]);
});

subtitles('should be that of last time, where the film has it; else what the host wants', () => {
  const names = ['German', 'German (SDH)', 'Subtitles 3'];
  assert.is(subtitlesToShow(names, -1, 'German (SDH)'), 1);
  assert.is(subtitlesToShow(names, 0, 'Subtitles 3'), 2);
  assert.is(subtitlesToShow(names, 1, ''), -1, 'none, as was chosen');
  assert.is(subtitlesToShow(names, 1, 'French'), 1);
  assert.is(subtitlesToShow(names, 1, null), 1);
  assert.is(subtitlesToShow(names, -1, null), -1);
});

subtitles('should end above the controls, however small the picture', () => {
  // Of a phone's 219 px each line has 13: six lie beside the controls, and the text begins above them.
  assert.is(lineAbove(72, 219, 1), -7);
  assert.is(lineAbove(72, 219, 2), -8);
  assert.is(lineAbove(72, 1080, 2), -4);
});

subtitles.run();

const speeds = suite('speeds');

speeds('should be gone through one by one, and end', () => {
  assert.is(nextSpeed(1, 1), 1.25);
  assert.is(nextSpeed(1, -1), 0.75);
  assert.is(nextSpeed(1.1, 1), 1.25);
  assert.is(nextSpeed(1.1, -1), 1);
  assert.is(nextSpeed(2, 1), 2);
  assert.is(nextSpeed(0.5, -1), 0.5);
  assert.is(nextSpeed(3, 1), 2);
});

speeds('should be known by what is near, as a film that catches up is', () => {
  assert.is(speedNear(1.52), 1.5);
  assert.is(speedNear(0.1), 1);
});

speeds.run();

const taps = suite('taps on the picture');

taps('should jump only where two quick ones meet one side', () => {
  const finger = new Taps();
  assert.is(finger.tap(0.9, 0), 'show');
  assert.is(finger.tap(0.9, 200), 'on');
  assert.is(finger.tap(0.9, 400), 'on');
  assert.is(finger.tap(0.1, 500), 'show');
  assert.is(finger.tap(0.1, 700), 'back');
  assert.is(finger.tap(0.5, 800), 'show');
  assert.is(finger.tap(0.5, 900), 'show');
  assert.is(finger.tap(0.1, 2000), 'show');
  assert.is(finger.tap(0.1, 2400), 'show', 'too late');
});

taps.run();
