import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ToldPlace } from '../../web/src/room/controls/told-place.ts';

const told = suite('the film’s place on the machine’s own timeline');

const PLACE = { placeS: 10, durationS: 60, rate: 1, isPlaying: true };

told('should not be told again while the machine counts on to where the film is', () => {
  const known = new ToldPlace();
  assert.ok(known.isNews(PLACE, 1_000));
  assert.not.ok(known.isNews({ ...PLACE, placeS: 10.25 }, 1_250));
  assert.not.ok(known.isNews({ ...PLACE, placeS: 40.5 }, 31_000));
});

told('should be told where the film jumped, stood still or goes on otherwise', () => {
  const known = new ToldPlace();
  known.isNews(PLACE, 0);
  assert.ok(known.isNews({ ...PLACE, placeS: 30 }, 1_000), 'jumped');
  assert.not.ok(known.isNews({ ...PLACE, placeS: 31 }, 2_000));
  assert.ok(known.isNews({ ...PLACE, placeS: 31 }, 3_200), 'stood still');
  assert.ok(known.isNews({ ...PLACE, placeS: 31, rate: 2 }, 3_200), 'another speed');
  assert.not.ok(known.isNews({ ...PLACE, placeS: 35, rate: 2 }, 5_200));
  assert.ok(known.isNews({ ...PLACE, placeS: 35, rate: 2, isPlaying: false }, 5_200), 'paused');
  assert.not.ok(known.isNews({ ...PLACE, placeS: 35, rate: 2, isPlaying: false }, 65_200));
  assert.ok(known.isNews({ ...PLACE, placeS: 35, rate: 2, durationS: 61, isPlaying: false }, 65_200));
});

told.run();
