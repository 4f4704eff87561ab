import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { actionOf, type KeyPlace } from '../../web/src/room/controls/player-keys.ts';

const keys = suite('keys of the film');

function pressed(key: string, place: KeyPlace = 'film', hasModifier = false) {
  return actionOf({ key, place, hasModifier });
}

keys('should do what they do in other players', () => {
  assert.equal(pressed(' '), { kind: 'toggle' });
  assert.equal(pressed('K'), { kind: 'toggle' });
  assert.equal(pressed('ArrowLeft'), { kind: 'step', byS: -5 });
  assert.equal(pressed('l'), { kind: 'step', byS: 10 });
  assert.equal(pressed('7'), { kind: 'share', share: 0.7 });
  assert.equal(pressed('>'), { kind: 'speed', direction: 1 });
  assert.is(pressed('x'), null);
  assert.is(pressed('Tab'), null);
  assert.is(pressed('constructor'), null);
});

keys('should leave alone what is typed, and what the machine or another part of the page wants', () => {
  for (const key of [' ', 'k', '5', 'ArrowLeft', '?']) assert.is(pressed(key, 'typing'), null);
  for (const key of ['f', 'c', '1']) assert.is(pressed(key, 'film', true), null);
  for (const place of ['button', 'slider', 'elsewhere'] as const) {
    assert.is(pressed(' ', place), null);
    assert.is(pressed('ArrowUp', place), null);
    assert.equal(pressed('m', place), { kind: 'mute' });
  }
});

keys.run();
