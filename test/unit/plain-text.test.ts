import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { plainName, plainText } from '../../peer/plain-text.ts';

const names = suite('a name as it may be shown');

for (const [what, written, shown] of [
  ['turns what follows', 'Ann\u202Enimda', 'Annnimda'],
  ['opens isolates', '\u2066\u2067\u2068Ann\u2069', 'Ann'],
  ['hides in what shows nothing', 'A\u200Bn\u2060n\uFEFF\u00AD\u200E', 'Ann'],
  ['breaks the line', ' Ann\r\n\u2028the\thost ', 'Ann the host'],
  ['piles up accents', `A${'\u0301'.repeat(50)}nn`, `A${'\u0301'.repeat(4)}nn`],
  ['is half a character', 'Ann\uD83D', 'Ann\uFFFD'],
  ['is nothing but that', '\u202E\u200B \n', ''],
] as const) {
  names(`should hold back what ${what}`, () => {
    assert.is(plainName(written), shown);
  });
}

names('should leave whole what people are called', () => {
  for (const name of [
    'Ann',
    'Żaneta',
    'محمد',
    'شهرزاد\u200Cخانم',
    'ไก่',
    'Guest 123',
    '👨\u200D👩\u200D👧',
    'O’Neil',
  ]) {
    assert.is(plainName(name), name);
  }
});

names.run();

const lines = suite('a line as it may be shown');

lines('should keep its line breaks and tabs, and lose what controls more than that', () => {
  assert.is(plainText('one\n\ttwo\u0000\u001B[31m\u202E\u2067three'), 'one\n\ttwo[31mthree');
});

lines('should stay as it was written, markup included', () => {
  const text = '<img src=x onerror=alert(1)> & “שלום” \u200Fhi';
  assert.is(plainText(text), text);
});

lines.run();
