import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { utf8 } from '../../peer/bytes.ts';
import { encodeCbor } from '../../peer/cbor.ts';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import { plainTitle } from '../../peer/plain-title.ts';
import { openInfo, openTitle, sealInfo, sealTitle } from '../../peer/video-info.ts';

const crypto = await chooseCrypto();
const KEY = new Uint8Array(32).fill(1);
const VIDEO = new Uint8Array(16).fill(2);
const INFO = {
  title: 'A film',
  mime: 'video/mp4',
  durationMs: 1000,
  widthPx: 10,
  heightPx: 10,
  hasAudio: false,
  sourceBytes: 1,
};

/** Reads as "holidayexe.mp4" where its direction is obeyed. */
const DISGUISED = 'holiday\u202e4pm.exe';

const titles = suite('film titles');

titles('should keep what people write, in any script', () => {
  for (const title of ['Amélie', 'شاهد الفيلم', '七人の侍 (1954)', '👩‍👩‍👧 home movie', 'a  b']) {
    assert.is(plainTitle(title), title);
  }
});

titles('should be on one line and turn no direction', () => {
  assert.is(plainTitle(DISGUISED), 'holiday4pm.exe');
  assert.is(plainTitle('\u2066a\u2069\u200fb\u061cc\u202d'), 'abc');
  assert.is(plainTitle('one\r\ntwo\u2028three\u0000four\u0085'), 'one two three four');
});

titles('should be cut between characters, never to more than there may be', async () => {
  assert.is(plainTitle('ab😀', 3), 'ab');
  assert.is(plainTitle('ab😀', 4), 'ab😀');
  await fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.nat(20), (text, maxChars) => {
      const title = plainTitle(text, maxChars);
      assert.ok(title.length <= maxChars);
      assert.not.match(title, /\p{Surrogate}/u);
      assert.is(plainTitle(title, maxChars).length <= title.length, true);
    }),
  );
});

titles('should be made plain by who hosts, and again by who reads: another client may not have', async () => {
  const sealed = await sealInfo(crypto, KEY, VIDEO, { ...INFO, title: DISGUISED });
  const opened = await crypto.open(KEY, sealed, VIDEO);
  assert.not.ok(Buffer.from(opened).includes(Buffer.from('\u202e')));
  const raw = await crypto.seal(KEY, encodeCbor({ ...INFO, title: DISGUISED }), VIDEO);
  assert.is((await openInfo(crypto, KEY, VIDEO, raw)).title, 'holiday4pm.exe');

  const listed = await sealTitle(crypto, KEY, VIDEO, `${DISGUISED}${'😀'.repeat(200)}`);
  const title = await openTitle(crypto, KEY, VIDEO, listed);
  assert.match(title, /^holiday4pm\.exe(😀){53}$/u);
  const context = Buffer.concat([VIDEO, utf8(' title')]);
  const rawListed = await crypto.seal(KEY, utf8(DISGUISED), new Uint8Array(context));
  assert.is(await openTitle(crypto, KEY, VIDEO, rawListed), 'holiday4pm.exe');
});

titles.run();
