import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Bytes, utf8 } from '../../peer/bytes.ts';
import { encodeCbor } from '../../peer/cbor.ts';
import { MatineeError } from '../../peer/errors.ts';
import { cueTextOf, safeCueText } from '../../peer/extras/cue-text.ts';
import {
  type Cue,
  decodeExtra,
  type Extra,
  encodeExtra,
  MAX_EXTRA_BYTES,
  subtitleExtras,
} from '../../peer/extras/extra.ts';
import { readSubtitles } from '../../peer/extras/subtitle-file.ts';
import { readSubtitleName } from '../../peer/extras/subtitle-name.ts';

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert.instance(error, MatineeError);
    return (error as MatineeError).code;
  }
  return 'none';
}

const reading = suite('subtitle files');

reading('should be read as programs write them', () => {
  const table: [what: string, text: string, cues: Cue[]][] = [
    [
      'SRT',
      '1\n00:00:01,000 --> 00:00:02,500\nOne\nTwo\n\n2\n00:00:03,000 --> 00:00:04,000\nThree\n',
      [
        [1000, 2500, 'One\nTwo'],
        [3000, 4000, 'Three'],
      ],
    ],
    ['CRLF', '1\r\n00:00:01,000 --> 00:00:02,000\r\nOne\r\n\r\n', [[1000, 2000, 'One']]],
    ['CR', '1\r00:00:01,000 --> 00:00:02,000\rOne\r', [[1000, 2000, 'One']]],
    [
      'no numbers',
      '00:00:01,000 --> 00:00:02,000\nOne\n\n00:00:02,000 --> 00:00:03,000\nTwo',
      [
        [1000, 2000, 'One'],
        [2000, 3000, 'Two'],
      ],
    ],
    [
      'no blank lines',
      '1\n00:00:01,000 --> 00:00:02,000\nOne\n2\n00:00:02,000 --> 00:00:03,000\n1984\n',
      [
        [1000, 2000, 'One'],
        [2000, 3000, '1984'],
      ],
    ],
    [
      'overlapping and unsorted',
      '00:00:05,000 --> 00:00:09,000\nB\n\n00:00:01,000 --> 00:00:06,000\nA',
      [
        [1000, 6000, 'A'],
        [5000, 9000, 'B'],
      ],
    ],
    [
      'ends before it begins',
      '00:00:05,000 --> 00:00:05,000\nB\n\n00:00:01,000 --> 00:00:06,000\nA',
      [[1000, 6000, 'A']],
    ],
    [
      'WebVTT',
      '\ufeffWEBVTT - a title\n\nNOTE\nno text\n\nSTYLE\n::cue {}\n\nname\n00:01.000 --> 00:02.000 line:0 align:start\n<v Ann>Hi <b.loud>you</b>\n\n01:00:00.000 --> 01:00:01.000\n- <c.x>Late</c>',
      [
        [1000, 2000, 'Hi <b>you</b>'],
        [3_600_000, 3_601_000, '- Late'],
      ],
    ],
    ['short fractions', '0:00:01.5 --> 0:00:02\nOne', [[1500, 2000, 'One']]],
    [
      'empty texts',
      '00:00:01,000 --> 00:00:02,000\n<i> </i>\n\n00:00:02,000 --> 00:00:03,000\n{\\an8}Up',
      [[2000, 3000, 'Up']],
    ],
  ];
  for (const [what, text, cues] of table) assert.equal(readSubtitles('a.srt', utf8(text)), cues, what);
});

/** A document with a paragraph or more in it. */
function ttml(body: string, attributes = ''): string {
  return `<?xml version="1.0"?>\n<tt xmlns="http://www.w3.org/ns/ttml" ${attributes}><head><metadata><ttm:title>no text</ttm:title></metadata></head><body>${body}</body></tt>`;
}

reading('should be read from TTML, each time that it knows, without its looks', () => {
  const table: [what: string, text: string, cues: Cue[]][] = [
    [
      'as programs write it',
      ttml(
        '<div>\n<p begin="00:00:01.500" end="00:00:02.25"\n region="a>b">\n  Two <span tts:fontStyle="italic">of</span>\n them,<br/>A &amp; B &#x3c; &#67;</p>\n</div>',
      ),
      [[1500, 2250, 'Two of them,\nA &amp; B &lt; C']],
    ],
    [
      'with prefixes',
      '<tt:tt><tt:body><tt:p begin="1s" end="2s">x</tt:p></tt:body></tt:tt>',
      [[1000, 2000, 'x']],
    ],
    ['a length', ttml('<p begin="1.5s" dur="500ms">x</p>'), [[1500, 2000, 'x']]],
    ['no end', ttml('<p begin="0.1h">x</p>'), [[360_000, 365_000, 'x']]],
    ['frames', ttml('<p begin="00:00:01:12" end="50f">x</p>', 'ttp:frameRate="25"'), [[1480, 2000, 'x']]],
    [
      'frames of television',
      ttml(
        '<p begin="00:00:10:00" end="360f">x</p>',
        'ttp:frameRate="30" ttp:frameRateMultiplier="1000 1001"',
      ),
      [[10_000, 12_012, 'x']],
    ],
    [
      'ticks',
      ttml('<p begin="10000000t" end="25000000t">x</p>', 'ttp:tickRate="10000000"'),
      [[1000, 2500, 'x']],
    ],
    [
      'within one another',
      ttml('<div begin="10s" end="15s"><p begin="1s" end="2s">a</p><p begin="4s" end="9s">b</p></div>'),
      [
        [11_000, 12_000, 'a'],
        [14_000, 15_000, 'b'],
      ],
    ],
    [
      'one after the other',
      ttml('<div timeContainer="seq"><p dur="2s">a</p><p begin="1s" dur="1s">b</p></div>'),
      [
        [0, 2000, 'a'],
        [3000, 4000, 'b'],
      ],
    ],
    [
      'parts of a paragraph with times of their own',
      ttml('<p begin="10s" end="20s"><span end="1s">a</span><span begin="1s" dur="2s">b</span></p>'),
      [
        [10_000, 11_000, 'a'],
        [11_000, 13_000, 'b'],
      ],
    ],
    [
      'remarks and raw text',
      ttml(
        '<!-- <p begin="0s" end="1s">no</p> --><p begin="1s" end="2s"><![CDATA[a<b]]></p><p begin="3s" end="4s"> <br/> </p>',
      ),
      [[1000, 2000, 'a&lt;b']],
    ],
    [
      'cut off',
      ttml('<p begin="1s" end="2s">a</p><p begin="2s" end="3s">b').slice(0, -14),
      [[1000, 2000, 'a']],
    ],
  ];
  for (const [what, text, cues] of table) assert.equal(readSubtitles('a.ttml', utf8(text)), cues, what);
});

reading('should expand and fetch nothing that a TTML document declares', () => {
  const declared =
    '<!DOCTYPE tt [<!ENTITY a "ha"><!ENTITY b "&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>';
  const text = `${declared}${ttml('<p begin="1s" end="2s">&b; &c; x</p>')}`;
  assert.equal(readSubtitles('a.ttml', utf8(text)), [[1000, 2000, '&amp;b; &amp;c; x']]);
});

reading('should be read from ASS and SSA, their words alone', () => {
  const ass = (events: string) =>
    `[Script Info]\nTitle: 0:00:01.00,0:00:02.00\n\n[V4+ Styles]\nFormat: Name\n\n${events}`;
  const table: [what: string, text: string, cues: Cue[]][] = [
    [
      'as programs write it',
      ass(
        '[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\nComment: 0,0:00:00.00,0:00:01.00,Default,,0,0,0,,none\nDialogue: 0,0:00:05.00,0:00:06.50,Default,,0,0,0,,{\\an8}Hello, {\\i1}you{\\i0}\\Nthere\nDialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,First\nDialogue: 0,0:00:03.00,0:00:04.00,Default,,0,0,0,,{\\p1}m 0 0 l 1 1{\\p0}',
      ),
      [
        [1000, 2000, 'First'],
        [5000, 6500, 'Hello, you\nthere'],
      ],
    ],
    [
      'in another order',
      ass('[Events]\nFormat: Marked, End, Start, Text\nDialogue: Marked=0,0:00:02.00,0:00:01.00,a, b'),
      [[1000, 2000, 'a, b']],
    ],
  ];
  for (const [what, text, cues] of table) assert.equal(readSubtitles('a.ass', utf8(text)), cues, what);
});

reading('should be read in the usual encodings', () => {
  const text = '00:00:01,000 --> 00:00:02,000\nÄpfel – naïve\n';
  const cues: Cue[] = [[1000, 2000, 'Äpfel – naïve']];
  const units = [...`\ufeff${text}`].map((each) => each.charCodeAt(0));
  const wide = (isLittle: boolean) =>
    new Uint8Array(units.flatMap((u) => (isLittle ? [u & 255, u >> 8] : [u >> 8, u & 255])));
  const western = new Uint8Array([...text].map((each) => (each === '–' ? 0x96 : each.charCodeAt(0))));
  for (const bytes of [utf8(text), utf8(`\ufeff${text}`), wide(true), wide(false), western])
    assert.equal(readSubtitles('a.srt', bytes), cues);
});

reading('should be refused where they are none, or too much', () => {
  const much = '00:00:01,000 --> 00:00:02,000\nx\n\n'.repeat(20_001);
  for (const bytes of [
    utf8(''),
    utf8('a shopping list'),
    utf8('{1}{2}MicroDVD'),
    new Uint8Array(5_000_000),
    utf8(much),
  ])
    assert.is(
      codeOf(() => readSubtitles('a.srt', bytes)),
      'FILE_NOT_SUBTITLES',
    );
});

reading('should never give what cannot be listed, whatever is in the file', () => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom(
      '',
      '1',
      '00:00:01,000 --> 00:00:02,000',
      '99:59:59.9 --> 999:00:00',
      '<i>',
      '-->',
      '{\\an8}',
      '\u0000',
      '<tt ',
      'ttp:tickRate="3">',
      '<p begin="1s" dur="0.3t">a<br/>',
      '</p>',
      '<!--',
      '&#x10ffff;&#0;',
      '[Events]',
      'Dialogue: 0,0:00:01.0,0:00:03.00,a,b,0,0,0,,{\\p',
    ),
  );
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      let cues: Cue[] = [];
      try {
        cues = readSubtitles('a.vtt', utf8(lines.join('\n')));
      } catch (error) {
        return (error as MatineeError).code === 'FILE_NOT_SUBTITLES';
      }
      const track = { track: 0, label: '', language: 'und', isDefault: false };
      return subtitleExtras(track, cues).every(
        (extra) => decodeExtra(encodeExtra(extra)).kind === 'subtitles',
      );
    }),
  );
});

reading('should say their language by their names', () => {
  const table: [name: string, language: string, label: string, isDefault: boolean][] = [
    ['film.de.srt', 'de', '', false],
    ['Film 2020 (1080p).German.forced.srt', 'de', 'forced', true],
    ['film.pt-BR.sdh.vtt', 'pt-BR', 'SDH', false],
    ['film.ger.srt', 'de', '', false],
    ['film.français.srt', 'fr', '', false],
    ['film.en.hi.srt', 'en', 'SDH', false],
    ['film.hi.srt', 'hi', '', false],
    ['it.srt', 'und', '', false],
    ['The.Thing.1982.srt', 'und', '', false],
  ];
  for (const [name, language, label, isDefault] of table)
    assert.equal(readSubtitleName(name), { language, label, isDefault }, name);
});

reading.run();

const text = suite('the text of a cue');

text('should keep three tags, and lose all other markup', () => {
  const table = [
    ['<i>a</i> <B>b</B> <u class="x">c</u>', '<i>a</i> <b>b</b> <u>c</u>'],
    ['<font color="red">a</font><img src=x onerror=alert(1)>', 'a'],
    ['<script>alert(1)</script>', 'alert(1)'],
    ['I <3 you & me -> x &amp; &lt;i>', 'I &lt;3 you &amp; me -&gt; x &amp; &lt;i&gt;'],
    ['<<b>i>', '&lt;<b>i&gt;'],
    ['<00:00:01.000>a<c.red>b</c>', 'ab'],
    ['{\\an8\\pos(1,2)}a {not one}', 'a {not one}'],
  ] as const;
  for (const [raw, safe] of table) assert.is(cueTextOf(raw), safe);
});

text('should have no other tag whatever it was made of, and be the same when made safe again', () => {
  const part = fc.oneof(
    fc.string(),
    fc.constantFrom('<', '>', '&', '<i>', '</b>', '<x', 'amp;', '<!--', '<u a=">">', '{\\'),
  );
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      const safe = safeCueText(parts.join(''));
      const rest = safe.replace(/<\/?[ibu]>/g, '');
      return safeCueText(safe) === safe && !/[<>]/.test(rest);
    }),
  );
});

text.run();

const codec = suite('extras as they travel');

const bytes = (max: number) =>
  fc.uint8Array({ minLength: 1, maxLength: max }).map((each) => new Uint8Array(each));
const extra: fc.Arbitrary<Extra> = fc
  .oneof(
    fc.record({
      kind: fc.constant('subtitles' as const),
      track: fc.nat(31),
      label: fc.string({ unit: 'grapheme', maxLength: 10 }),
      language: fc.constantFrom('de', 'pt-BR', 'und'),
      isDefault: fc.boolean(),
      cues: fc.array(
        fc
          .tuple(
            fc.nat(1e6),
            fc.integer({ min: 1, max: 1e5 }),
            fc.string({ unit: 'grapheme', minLength: 1, maxLength: 50 }),
          )
          .map(([startMs, lengthMs, words]): Cue => [startMs, startMs + lengthMs, words]),
      ),
    }),
    fc.record({
      kind: fc.constant('poster' as const),
      mime: fc.constantFrom('image/jpeg', 'image/webp'),
      bytes: bytes(1000),
    }),
    fc.record({
      kind: fc.constant('thumbnails' as const),
      startMs: fc.nat(1e6),
      everyMs: fc.integer({ min: 1000, max: 60_000 }),
      mime: fc.constantFrom('image/jpeg' as const, 'image/webp' as const),
      pictures: fc.array(bytes(100), { minLength: 1, maxLength: 10 }),
    }),
  )
  .map((value) => ({ ...value }) as Extra);

codec('should come out as they went in', () => {
  fc.assert(fc.property(extra, (value) => assert.equal(decodeExtra(encodeExtra(value)), value)));
});

codec('should be refused where a bit of them is wrong, and never throw anything else', () => {
  fc.assert(
    fc.property(extra, fc.nat(), fc.nat(7), (value, at, bit) => {
      const broken: Bytes = encodeExtra(value).slice();
      const place = at % broken.byteLength;
      broken[place] = (broken[place] ?? 0) ^ (1 << bit);
      // Some bits make another extra that is as good.
      return ['none', 'EXTRA_MALFORMED'].includes(codeOf(() => decodeExtra(broken)));
    }),
  );
});

codec('should be refused beyond every limit', () => {
  const subtitles = { kind: 'subtitles', track: 0, label: '', language: 'de', isDefault: false, cues: [] };
  const thumbnails = {
    kind: 'thumbnails',
    startMs: 0,
    everyMs: 1000,
    mime: 'image/jpeg',
    pictures: [new Uint8Array(1)],
  };
  assert.is(
    codeOf(() => decodeExtra(encodeCbor(subtitles))),
    'none',
  );
  assert.is(
    codeOf(() => decodeExtra(encodeCbor(thumbnails))),
    'none',
  );
  const wrong = [
    { ...subtitles, track: 32 },
    { ...subtitles, language: 'de<' },
    { ...subtitles, label: 'x'.repeat(81) },
    { ...subtitles, more: 1 },
    { ...subtitles, cues: [[5, 5, 'x']] },
    { ...subtitles, cues: [[5, 6, '']] },
    { ...subtitles, cues: [[5, 6, 'x'.repeat(5001)]] },
    { ...subtitles, cues: new Array(5001).fill([5, 6, 'x']) },
    { ...thumbnails, everyMs: 999 },
    { ...thumbnails, mime: 'image/svg+xml' },
    { ...thumbnails, pictures: [] },
    { ...thumbnails, pictures: [new Uint8Array(15_001)] },
    { ...thumbnails, pictures: new Array(65).fill(new Uint8Array(1)) },
    { kind: 'poster', mime: 'text/html', bytes: new Uint8Array(1) },
    { kind: 'poster', mime: 'image/jpeg', bytes: new Uint8Array(100_001) },
    { kind: 'script', text: 'alert(1)' },
  ];
  for (const value of wrong)
    assert.is(
      codeOf(() => decodeExtra(encodeCbor(value))),
      'EXTRA_MALFORMED',
      JSON.stringify(value).slice(0, 80),
    );
});

codec('should hold a long track in several, none too large', () => {
  const cues = Array.from(
    { length: 12_000 },
    (_, i): Cue => [i * 1000, i * 1000 + 900, '字'.repeat(1 + (i % 300))],
  );
  const parts = subtitleExtras({ track: 3, label: '', language: 'ja', isDefault: true }, cues);
  assert.ok(parts.length > 2);
  for (const part of parts) assert.ok(encodeExtra(part).byteLength <= MAX_EXTRA_BYTES);
  assert.equal(
    parts.flatMap((part) => (part.kind === 'subtitles' ? part.cues : [])),
    cues,
  );
});

codec.run();
