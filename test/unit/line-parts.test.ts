import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { doesMention, lineParts } from '../../web/src/room/line-parts.ts';
import { mentionTyped, offeredNames, withMention } from '../../web/src/room/mention-typing.ts';

const NAMES = ['Ann', 'Ann Marie', 'Ben', 'Jürgen'];

/** What is a link, as [text, address]. */
function links(text: string): [string, string][] {
  return lineParts(text, NAMES, 'Ben').flatMap((part) =>
    part.kind === 'link' ? [[part.text, part.href] as [string, string]] : [],
  );
}

function mentions(text: string): [string, boolean][] {
  return lineParts(text, NAMES, 'Ben').flatMap((part) =>
    part.kind === 'mention' ? [[part.text, part.isMine] as [string, boolean]] : [],
  );
}

const linking = suite('links in a line');

for (const [text, expected] of [
  ['see https://example.org/a?b=c#d there', 'https://example.org/a?b=c#d'],
  ['HTTP://EXAMPLE.ORG', 'HTTP://EXAMPLE.ORG'],
  ['(https://example.org/a).', 'https://example.org/a'],
  ['https://en.wikipedia.org/wiki/Rabbit_(film), yes', 'https://en.wikipedia.org/wiki/Rabbit_(film)'],
  ['https://example.org/“quoted”', 'https://example.org/“quoted'],
  ['https://example.org"onmouseover="alert(1)', 'https://example.org'],
] as const) {
  linking(`should be found in: ${text}`, () => {
    assert.equal(
      links(text).map(([shown]) => shown),
      [expected],
    );
  });
}

for (const text of [
  'javascript:alert(1)',
  'data:text/html,<script>alert(1)</script>',
  'file:///etc/passwd',
  'xhttps://example.org',
  'https://',
  'https://bank.example@evil.example/',
  'https://a:b@evil.example/',
]) {
  linking(`should not be made of: ${text}`, () => {
    assert.equal(links(text), []);
  });
}

linking('should go where they say, whatever letters their host looks like', () => {
  assert.equal(links('https://еxample.org/'), [['https://еxample.org/', 'https://xn--xample-2of.org/']]);
});

linking('should be web addresses only, and lose nothing of any text', async () => {
  const pieces = fc.constantFrom(
    'https://',
    'http://',
    'a.example',
    '@Ann',
    '@',
    ' ',
    '(',
    ')',
    '.',
    '<b>',
    'é',
    'javascript:',
  );
  const text = fc.array(fc.oneof(pieces, fc.string({ unit: 'grapheme', maxLength: 4 })));
  await fc.assert(fc.asyncProperty(text, async (all) => mustBeSafe(all.join(''))));
});

/** Nothing of the text is lost, and its links go to the web, to the host that is read first. */
function mustBeSafe(text: string): void {
  const parts = lineParts(text, NAMES, 'Ben');
  assert.is(parts.map((part) => part.text).join(''), text);
  for (const part of parts) if (part.kind === 'link') assert.match(part.href, /^https?:\/\/[^/@]+(\/|$)/);
}

linking.run();

const naming = suite('names in a line');

for (const [text, expected] of [
  ['@Ann look', [['@Ann', false]]],
  ['@ann marie, look', [['@ann marie', false]]],
  ['hi @BEN!', [['@BEN', true]]],
  [
    '@Jürgen @Ben',
    [
      ['@Jürgen', false],
      ['@Ben', true],
    ],
  ],
  ['@Annika', []],
  ['me@Ben.example', []],
  ['@nobody', []],
] as const) {
  naming(`should be found where they are meant: ${text}`, () => {
    assert.equal(mentions(text), expected);
  });
}

naming('should tell whether one is meant oneself', () => {
  assert.is(doesMention('oh @ben.', 'Ben'), true);
  assert.is(doesMention('oh Ben.', 'Ben'), false);
});

naming('should be offered while they are typed, and written out', () => {
  const text = 'so @mar x';
  const typed = mentionTyped(text, 7);
  assert.equal(typed, { at: 3, query: 'mar' });
  assert.equal(offeredNames(NAMES, 'mar'), ['Ann Marie']);
  assert.equal(offeredNames(NAMES, 'an'), ['Ann', 'Ann Marie']);
  assert.equal(offeredNames(NAMES, 'ben'), [], 'it is written out');
  assert.equal(typed && withMention(text, typed, 'Ann Marie'), { text: 'so @Ann Marie x', caret: 14 });
  assert.is(mentionTyped('a@b', 3), null);
});

naming.run();
