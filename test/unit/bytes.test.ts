import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { areEqual, concat, fromBase64url, toBase64url, toHex, utf8 } from '../../peer/bytes.ts';

const bytes = fc.uint8Array({ maxLength: 100 });

const joining = suite('concat');

joining('should hold all parts in order', () => {
  const whole = concat(Uint8Array.of(1, 2), new Uint8Array(0), Uint8Array.of(3));
  assert.equal(whole, Uint8Array.of(1, 2, 3));
});

joining('should be empty for no parts', () => {
  assert.is(concat().byteLength, 0);
});

joining('should copy only the part a view shows', () => {
  const view = Uint8Array.of(1, 2, 3, 4).subarray(1, 3);
  const whole = concat(view);
  view[0] = 9;
  assert.equal(whole, Uint8Array.of(2, 3));
  assert.is(whole.buffer.byteLength, 2);
});

joining.run();

const comparing = suite('areEqual');

comparing('should be true for the same bytes in other buffers', () => {
  fc.assert(
    fc.property(bytes, (content) => {
      const view = concat(Uint8Array.of(0), content).subarray(1);
      assert.ok(areEqual(content, view));
    }),
  );
});

comparing('should be false wherever one byte differs', () => {
  const content = Uint8Array.of(1, 2, 3);
  for (let i = 0; i < 3; i++) {
    const other = content.slice();
    other[i] = 7;
    assert.not.ok(areEqual(content, other));
  }
});

comparing('should be false for another length', () => {
  assert.not.ok(areEqual(Uint8Array.of(1, 2), Uint8Array.of(1, 2, 0)));
  assert.not.ok(areEqual(Uint8Array.of(0), new Uint8Array(0)));
});

comparing.run();

const encoding = suite('text and hexadecimal');

encoding('should encode text beyond ASCII as UTF-8', () => {
  assert.is(toHex(utf8('aé€🎬')), '61c3a9e282acf09f8eac');
});

encoding('should write hexadecimal as Node does', () => {
  fc.assert(fc.property(bytes, (content) => assert.is(toHex(content), Buffer.from(content).toString('hex'))));
});

encoding.run();

const base64url = suite('base64url');

base64url('should give the examples of RFC 4648 section 10, without padding', () => {
  const examples = {
    '': '',
    f: 'Zg',
    fo: 'Zm8',
    foo: 'Zm9v',
    foob: 'Zm9vYg',
    fooba: 'Zm9vYmE',
    foobar: 'Zm9vYmFy',
  };
  for (const [text, encoded] of Object.entries(examples)) {
    assert.is(toBase64url(utf8(text)), encoded);
    assert.equal(fromBase64url(encoded), utf8(text));
  }
});

base64url('should encode as Node does and decode to the same bytes', () => {
  fc.assert(
    fc.property(bytes, (content) => {
      const encoded = toBase64url(content);
      assert.is(encoded, Buffer.from(content).toString('base64url'));
      assert.equal(fromBase64url(encoded), new Uint8Array(content));
    }),
  );
});

base64url('should decode only what it would itself encode', () => {
  const alphabet = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/= é'];
  const texts = fc.array(fc.constantFrom(...alphabet), { maxLength: 6 }).map((chars) => chars.join(''));
  fc.assert(
    fc.property(texts, (text) => {
      const decoded = fromBase64url(text);
      const canonical = Buffer.from(text, 'base64url').toString('base64url');
      if (decoded === null) assert.is.not(canonical, text);
      else assert.is(toBase64url(decoded), text);
    }),
    { numRuns: 2000 },
  );
});

base64url('should refuse padding, foreign characters and impossible lengths', () => {
  for (const text of ['Zg==', 'Zg=', 'Zm9v+', 'Zm+v', 'Zm/v', 'Z', 'Zm9vY', 'Zm 9', 'Zmé9', '🎬a', 'Zm9\n']) {
    assert.is(fromBase64url(text), null, text);
  }
});

base64url('should refuse stray bits at the end, which would give one secret several texts', () => {
  assert.equal(fromBase64url('Zg'), utf8('f'));
  for (const text of ['Zh', 'Zk', 'Zv', 'Zm9', 'Zm-']) assert.is(fromBase64url(text), null, text);
});

base64url.run();
