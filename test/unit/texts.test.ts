import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { german } from '../../web/src/room/texts.de.ts';
import { texts } from '../../web/src/room/texts.ts';

const errors = suite('errors in the language of the page');

errors('should have a sentence of their own where people meet them, else the engine’s', () => {
  const unknown = { code: 'ROOM_UNKNOWN', message: 'This room does not exist.' };
  assert.is(texts.errorText(unknown), 'This room does not exist.');
  assert.match(german.errorText(unknown), 'Diesen Raum gibt es nicht');
  for (const code of ['STORE_FULL', 'constructor'])
    assert.is(german.errorText({ code, message: 'The engine’s.' }), 'The engine’s.');
});

errors.run();
