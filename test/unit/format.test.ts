import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  formatBytes,
  formatClockTime,
  formatDuration,
  formatPercent,
  formatRate,
  formatShareOf,
  formatShort,
  formatSpoken,
  formatTimeLeft,
} from '../../web/src/format.ts';

/** One case per row: what goes in, what people read. */
function shows<T>(format: (value: T) => string, rows: [T, string][]): void {
  for (const [value, text] of rows) assert.is(format(value), text, `for ${value}`);
}

const bytes = suite('bytes');

bytes('should be whole up to kB and have one decimal from MB up', () => {
  shows(formatBytes, [
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1 kB'],
    [812_345, '812 kB'],
    [18_300_000, '18.3 MB'],
    [4_700_000_000, '4.7 GB'],
    [2_500_000_000_000_000, '2500.0 TB'],
  ]);
});

bytes('should move to the next unit where rounding would show 1000', () => {
  shows(formatBytes, [
    [999_499, '999 kB'],
    [999_500, '1.0 MB'],
    [999_949_999, '999.9 MB'],
    [999_950_000, '1.0 GB'],
  ]);
});

bytes('should show a negative amount as nothing', () => {
  assert.is(formatBytes(-1), '0 B');
});

bytes('should share the unit of the whole', () => {
  assert.equal(formatShareOf(12_300_000, 18_300_000), { done: '12.3', whole: '18.3 MB' });
  assert.equal(formatShareOf(300_000, 4_700_000_000), { done: '0.0', whole: '4.7 GB' });
  assert.equal(formatShareOf(0, 900), { done: '0', whole: '900 B' });
});

bytes('should never show more than the whole', () => {
  assert.equal(formatShareOf(19_000_000, 18_300_000), { done: '18.3', whole: '18.3 MB' });
});

bytes('should be told per second', () => {
  assert.is(formatRate(2_100_000), '2.1 MB/s');
});

bytes.run();

const percent = suite('percent');

percent('should round down, so that 100 % means all of it', () => {
  shows(formatPercent, [
    [0, '0 %'],
    [0.7349, '73 %'],
    [0.9999, '99 %'],
    [1, '100 %'],
  ]);
});

percent('should stay between 0 and 100', () => {
  shows(formatPercent, [
    [-0.5, '0 %'],
    [1.2, '100 %'],
  ]);
});

percent.run();

const duration = suite('duration');

duration('should have minutes and seconds, and hours only where there are some', () => {
  shows(formatDuration, [
    [0, '0:00'],
    [40_000, '0:40'],
    [59_999, '0:59'],
    [60_000, '1:00'],
    [725_000, '12:05'],
    [3_599_999, '59:59'],
    [3_723_000, '1:02:03'],
  ]);
});

duration('should show what lies before the start as the start', () => {
  assert.is(formatDuration(-1), '0:00');
});

duration('should be spoken with the units that there are, in each language', () => {
  const spoken: [number, string, string][] = [
    [0, '0 seconds', '0 Sekunden'],
    [1_999, '1 second', '1 Sekunde'],
    [90_000, '1 minute 30 seconds', '1 Minute 30 Sekunden'],
    [3_600_000, '1 hour', '1 Stunde'],
    [7_323_000, '2 hours 2 minutes 3 seconds', '2 Stunden 2 Minuten 3 Sekunden'],
  ];
  for (const [ms, english, german] of spoken) {
    assert.is(formatSpoken(ms, 'en'), english);
    assert.is(formatSpoken(ms, 'de'), german);
  }
});

duration.run();

const short = suite('a line at its mark');

short('should be cut where it is too long, and never within a character', () => {
  assert.is(formatShort('all of it', 9), 'all of it');
  assert.is(formatShort('more than that', 10), 'more than…');
  assert.is(formatShort('🐇🐇🐇🐇', 3), '🐇🐇…');
});

short.run();

const timeLeft = suite('time left');

timeLeft('should round up and grow coarser', () => {
  shows(formatTimeLeft, [
    [2.1, '3 s'],
    [59, '59 s'],
    [59.5, '1 min'],
    [61, '2 min'],
    [3540, '59 min'],
    [3541, '1 h'],
    [3600, '1 h'],
    [3900, '1 h 5 min'],
  ]);
});

timeLeft('should never promise less than a second', () => {
  shows(formatTimeLeft, [
    [0, '1 s'],
    [-3, '1 s'],
  ]);
});

timeLeft.run();

const clockTime = suite('clock time');

clockTime('should be the local hour and minute in two digits each', () => {
  assert.is(formatClockTime(new Date(2024, 0, 2, 9, 5, 59).getTime()), '09:05');
  assert.is(formatClockTime(new Date(2024, 0, 2, 23, 40).getTime()), '23:40');
});

clockTime('should be blank beyond the last date there is', () => {
  assert.is(formatClockTime(8_640_000_000_000_001), '--:--');
});

clockTime.run();
