import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Bytes, utf8 } from '../../peer/bytes.ts';
import type { Crypto, FillRandom } from '../../peer/crypto/crypto.ts';
import { nobleCrypto } from '../../peer/crypto/noble-crypto.ts';
import { nobleEd25519 } from '../../peer/crypto/noble-ed25519.ts';
import { SEAL_NONCE_BYTES, SEAL_TAG_BYTES } from '../../peer/crypto/sealed.ts';
import { webCrypto } from '../../peer/crypto/web-crypto.ts';
import { webEd25519 } from '../../peer/crypto/web-ed25519.ts';
import { MatineeError } from '../../peer/errors.ts';

const { subtle } = globalThis.crypto;
const fillRandom: FillRandom = (into) => globalThis.crypto.getRandomValues(into);
const web = webCrypto(subtle, fillRandom, webEd25519(subtle, fillRandom));
const noble = nobleCrypto(fillRandom, nobleEd25519(fillRandom));

const KEY = new Uint8Array(32).fill(7);
const CONTEXT = utf8('chat 1');

async function assertBroken(opening: Promise<Bytes>): Promise<void> {
  const error = await opening.then(
    () => null,
    (reason: unknown) => reason,
  );
  assert.instance(error, MatineeError);
  assert.is(error instanceof MatineeError && error.code, 'SEAL_BROKEN');
}

function withBitFlipped(bytes: Uint8Array, bit: number): Bytes {
  const flipped = new Uint8Array(bytes);
  flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return flipped;
}

/** Everything that holds for texts sealed by one implementation and opened by one, the same or the other. */
function testSealing(name: string, sealer: Crypto, opener: Crypto): void {
  const sealing = suite(name);

  sealing('should open to the text that was sealed', async () => {
    const texts = fc.uint8Array({ maxLength: 200 });
    await fc.assert(
      fc.asyncProperty(texts, texts, async (text, context) => {
        const sealed = await sealer.seal(KEY, text, context);
        assert.is(sealed.byteLength, SEAL_NONCE_BYTES + text.byteLength + SEAL_TAG_BYTES);
        assert.equal(await opener.open(KEY, sealed, context), new Uint8Array(text));
      }),
    );
  });

  sealing('should refuse a text in which any one bit was flipped', async () => {
    const sealed = await sealer.seal(KEY, utf8('hello'), CONTEXT);
    for (let bit = 0; bit < sealed.byteLength * 8; bit++) {
      await assertBroken(opener.open(KEY, withBitFlipped(sealed, bit), CONTEXT));
    }
  });

  sealing('should refuse a text cut off at any length', async () => {
    const sealed = await sealer.seal(KEY, utf8('hello'), CONTEXT);
    for (let lengthBytes = 0; lengthBytes < sealed.byteLength; lengthBytes++) {
      await assertBroken(opener.open(KEY, sealed.subarray(0, lengthBytes), CONTEXT));
    }
  });

  sealing('should refuse another key or another context', async () => {
    const sealed = await sealer.seal(KEY, utf8('hello'), CONTEXT);
    await assertBroken(opener.open(withBitFlipped(KEY, 255), sealed, CONTEXT));
    await assertBroken(opener.open(KEY, sealed, utf8('chat 2')));
    await assertBroken(opener.open(KEY, sealed, utf8('')));
  });

  sealing('should never seal twice alike', async () => {
    const first = await sealer.seal(KEY, utf8('hello'), CONTEXT);
    const second = await sealer.seal(KEY, utf8('hello'), CONTEXT);
    assert.not.equal(first.subarray(0, SEAL_NONCE_BYTES), second.subarray(0, SEAL_NONCE_BYTES));
    assert.not.equal(first.subarray(SEAL_NONCE_BYTES), second.subarray(SEAL_NONCE_BYTES));
  });

  sealing('should refuse a key of a wrong size, and not call it a broken seal', async () => {
    const sealed = await sealer.seal(KEY, utf8('hello'), CONTEXT);
    for (const size of [0, 16, 24, 31, 33]) {
      const error = await opener
        .open(new Uint8Array(size), sealed, CONTEXT)
        .catch((reason: unknown) => reason);
      assert.instance(error, RangeError);
    }
  });

  sealing.run();
}

testSealing('sealed by web, opened by web', web, web);
testSealing('sealed by noble, opened by noble', noble, noble);
testSealing('sealed by web, opened by noble', web, noble);
testSealing('sealed by noble, opened by web', noble, web);
