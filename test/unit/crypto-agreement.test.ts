import { spawnSync } from 'node:child_process';
import { ed25519 } from '@noble/curves/ed25519.js';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Bytes, concat, toHex, utf8 } from '../../peer/bytes.ts';
import { counterBlock, encryptSegment } from '../../peer/crypto/content.ts';
import type { Crypto, FillRandom } from '../../peer/crypto/crypto.ts';
import { nobleCrypto } from '../../peer/crypto/noble-crypto.ts';
import { nobleEd25519 } from '../../peer/crypto/noble-ed25519.ts';
import { isSmallOrder } from '../../peer/crypto/small-order.ts';
import { webCrypto } from '../../peer/crypto/web-crypto.ts';
import { webEd25519 } from '../../peer/crypto/web-ed25519.ts';
import { nodeCrypto } from '../../seed-server/node-crypto.ts';

const { subtle } = globalThis.crypto;
const fillRandom: FillRandom = (into) => globalThis.crypto.getRandomValues(into);
const web = webCrypto(subtle, fillRandom, webEd25519(subtle, fillRandom));
const noble = nobleCrypto(fillRandom, nobleEd25519(fillRandom));
const IMPLEMENTATIONS: [string, Crypto][] = [
  ['web', web],
  ['noble', noble],
  ['node', await nodeCrypto()],
];

/** The order of the curve's group (RFC 8032 section 5.1), little-endian, as a signature's second half has it. */
const GROUP_ORDER = 'edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010';

function bytesOfLength(lengthBytes: number): fc.Arbitrary<Bytes> {
  const bytes = fc.uint8Array({ minLength: lengthBytes, maxLength: lengthBytes });
  return bytes.map((array) => new Uint8Array(array));
}

/** Views at odd places of a larger buffer, as pieces cut out of a received frame are. */
const data = fc
  .record({ bytes: fc.uint8Array({ maxLength: 300 }), startByte: fc.nat(5) })
  .map(({ bytes, startByte }) =>
    new Uint8Array([...new Uint8Array(startByte), ...bytes]).subarray(startByte),
  );

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
}

const agreement = suite('web and noble');

agreement('should take no signature of a key that nobody owns', async () => {
  const { Point } = ed25519;
  const torsion = Point.fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a');
  for (let i = 0; i < 8; i++) {
    const key = Uint8Array.from((i === 0 ? Point.ZERO : torsion.multiplyUnsafe(BigInt(i))).toBytes());
    assert.ok(isSmallOrder(key), `multiple ${i} of a point of order 8`);
    // Without the check one message in eight or more passes.
    for (let message = 0; message < 64; message++) {
      for (const [, ours] of IMPLEMENTATIONS)
        assert.not(await ours.verify(key, new Uint8Array(64), Uint8Array.of(message)));
    }
  }
  assert.not(isSmallOrder((await web.generateSigningKey()).publicKey));
});

agreement('should agree on AES in counter mode', async () => {
  const property = fc.asyncProperty(bytesOfLength(32), bytesOfLength(16), data, async (key, block, text) => {
    block[8] = 0;
    assert.equal(await noble.aesCtr(key, block, text), await web.aesCtr(key, block, text));
  });
  await fc.assert(property);
});

agreement('should agree on SHA-256', async () => {
  const property = fc.asyncProperty(data, async (text) => {
    assert.equal(await noble.sha256(text), await web.sha256(text));
  });
  await fc.assert(property);
});

agreement('should agree on HKDF', async () => {
  const lengths = fc.integer({ min: 1, max: 200 });
  const property = fc.asyncProperty(data, data, data, lengths, async (secret, salt, info, lengthBytes) => {
    const derived = await noble.hkdfSha256(secret, salt, info, lengthBytes);
    assert.is(derived.byteLength, lengthBytes);
    assert.equal(derived, await web.hkdfSha256(secret, salt, info, lengthBytes));
  });
  await fc.assert(property);
});

agreement('should sign alike and accept what the other signed', async () => {
  const property = fc.asyncProperty(data, async (message) => {
    const { publicKey, privateKey } = await web.generateSigningKey();
    const signature = await web.sign(privateKey, message);
    assert.equal(await noble.sign(privateKey, message), signature);
    assert.ok(await noble.verify(publicKey, signature, message));
    assert.ok(await web.verify(publicKey, signature, message));
  });
  await fc.assert(property, { numRuns: 30 });
});

agreement('should take bytes in shared memory, which Web Crypto itself refuses', async () => {
  const shared = new Uint8Array(new SharedArrayBuffer(20)).fill(9);
  const own = new Uint8Array(20).fill(9);
  for (const [, crypto] of IMPLEMENTATIONS) assert.equal(await crypto.sha256(shared), await web.sha256(own));
});

agreement.run();

for (const [name, crypto] of IMPLEMENTATIONS) {
  const counter = suite(`${name}: the counter`);
  const key = new Uint8Array(32).fill(1);
  const lastBlock = new Uint8Array(16).fill(0xff);

  counter('should last to its very end', async () => {
    const encrypted = await crypto.aesCtr(key, lastBlock, new Uint8Array(16));
    assert.equal(encrypted, await web.aesCtr(key, lastBlock, new Uint8Array(16)));
  });

  counter('should carry beyond its low 32 bits', async () => {
    const both = await crypto.aesCtr(key, counterBlock(3, 0xffffffff * 16), new Uint8Array(32));
    const second = await crypto.aesCtr(key, counterBlock(3, 2 ** 32 * 16), new Uint8Array(16));
    assert.equal(both.slice(16), second);
  });

  counter('should refuse to wrap, which would repeat the key stream', async () => {
    assert.instance(await rejection(crypto.aesCtr(key, lastBlock, new Uint8Array(17))), RangeError);
  });

  counter('should refuse a block that is not 16 bytes', async () => {
    assert.instance(await rejection(crypto.aesCtr(key, new Uint8Array(15), new Uint8Array(1))), RangeError);
  });

  counter('should leave the counter block as it was', async () => {
    const block = counterBlock(3, 32);
    await crypto.aesCtr(key, block, new Uint8Array(100));
    assert.equal(block, counterBlock(3, 32));
  });

  counter.run();

  const verifying = suite(`${name}: verifying a signature`);
  const message = utf8('the manifest');
  const signed = crypto.generateSigningKey().then(async ({ publicKey, privateKey }) => {
    return { publicKey, privateKey, signature: await crypto.sign(privateKey, message) };
  });

  verifying('should refuse another message, key or signature', async () => {
    const { publicKey, signature } = await signed;
    const other = await crypto.generateSigningKey();
    assert.is(await crypto.verify(publicKey, signature, message), true);
    assert.is(await crypto.verify(publicKey, signature, utf8('the Manifest')), false);
    assert.is(await crypto.verify(other.publicKey, signature, message), false);
    assert.is(await crypto.verify(publicKey, await crypto.sign(other.privateKey, message), message), false);
  });

  verifying('should refuse a signature in which any one bit was flipped', async () => {
    const { publicKey, signature } = await signed;
    for (let bit = 0; bit < 512; bit++) {
      const flipped = new Uint8Array(signature);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.is(await crypto.verify(publicKey, flipped, message), false, `bit ${bit}`);
    }
  });

  verifying('should refuse keys and signatures of a wrong size', async () => {
    const { publicKey, signature } = await signed;
    for (const size of [0, 1, 31, 33, 64]) {
      assert.is(await crypto.verify(new Uint8Array(size), signature, message), false);
    }
    for (const size of [0, 1, 32, 63, 65, 128]) {
      assert.is(await crypto.verify(publicKey, new Uint8Array(size), message), false);
    }
  });

  verifying('should refuse arbitrary bytes as keys and as signatures', async () => {
    const { publicKey, signature } = await signed;
    const property = fc.asyncProperty(bytesOfLength(32), bytesOfLength(64), async (anyKey, anySignature) => {
      assert.is(await crypto.verify(anyKey, signature, message), false);
      assert.is(await crypto.verify(publicKey, anySignature, message), false);
    });
    await fc.assert(property, { numRuns: 30 });
  });

  verifying('should refuse a key that is no point of the curve', async () => {
    const { signature } = await signed;
    const noPoint = new Uint8Array(32);
    noPoint[0] = 2;
    assert.is(await crypto.verify(noPoint, signature, message), false);
  });

  verifying(
    'should refuse a point in another form than its canonical one (RFC 8032, not ZIP 215)',
    async () => {
      const identity = Uint8Array.of(1, ...new Uint8Array(31));
      const identityPlusPrime = Uint8Array.of(0xee, ...new Uint8Array(30).fill(0xff), 0x7f);
      const signature = concat(identityPlusPrime, new Uint8Array(32));
      assert.is(await crypto.verify(identity, signature, message), false);
    },
  );

  verifying('should refuse the second form of a signature, with the group order added to S', async () => {
    const { publicKey, signature } = await signed;
    assert.is(await crypto.verify(publicKey, withOrderAdded(signature), message), false);
  });

  verifying('should not sign with a private key of a wrong size', async () => {
    assert.instance(await rejection(crypto.sign(new Uint8Array(31), message)), Error);
    assert.instance(await rejection(crypto.sign(new Uint8Array(64), message)), Error);
  });

  verifying.run();
}

/** The same signature in a form that RFC 8032 section 5.1.7 refuses (S must be below the group order). */
function withOrderAdded(signature: Bytes): Bytes {
  const order = Buffer.from(GROUP_ORDER, 'hex');
  const changed = new Uint8Array(signature);
  let carry = 0;
  for (let i = 0; i < 32; i++) {
    carry += (changed[32 + i] ?? 0) + (order[i] ?? 0);
    changed[32 + i] = carry & 0xff;
    carry >>= 8;
  }
  return changed;
}

/** The real Web Crypto, with every import passing by `onImport` first. */
function withImports(onImport: (format: unknown) => void): SubtleCrypto {
  return new Proxy(subtle, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return async (...args: unknown[]) => {
        if (name === 'importKey') onImport(args[0]);
        return await Reflect.apply(member, target, args);
      };
    },
  });
}

const importing = suite('web: keys');

importing('should be imported once for all the pieces they decrypt', async () => {
  let importCount = 0;
  const counting = withImports(() => importCount++);
  const crypto = webCrypto(counting, fillRandom, webEd25519(counting, fillRandom));
  const key = crypto.randomBytes(32);
  for (let i = 0; i < 50; i++) await crypto.aesCtr(key, counterBlock(0, i * 16), new Uint8Array(16));
  assert.is(importCount, 1);
  await crypto.aesCtr(crypto.randomBytes(32), counterBlock(0, 0), new Uint8Array(16));
  assert.is(importCount, 2);
});

importing('should make no error of a public key that the platform refuses to import', async () => {
  const refusing = withImports((format) => {
    if (format === 'raw') throw new DOMException('Not a point', 'DataError');
  });
  const ed25519 = webEd25519(refusing, fillRandom);
  assert.is(await ed25519.verify(new Uint8Array(32), new Uint8Array(64), utf8('')), false);
});

importing.run();

const openssl = suite('openssl enc -aes-256-ctr');
const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

for (const [name, crypto] of IMPLEMENTATIONS) {
  openssl(`should encrypt a segment to the same bytes as ${name}`, async () => {
    for (const [segment, lengthBytes] of [
      [0, 1],
      [1, 65_536],
      [2 ** 40 + 3, 100_003],
    ] as const) {
      const key = crypto.randomBytes(32);
      const plaintext = new Uint8Array(lengthBytes).map((_, i) => i * 31);
      const iv = toHex(counterBlock(segment, 0));
      const expected = spawnSync('openssl', ['enc', '-aes-256-ctr', '-K', toHex(key), '-iv', iv], {
        input: plaintext,
      });
      assert.is(expected.status, 0, expected.stderr.toString());
      assert.equal(
        concat(...(await encryptSegment(crypto, key, segment, [plaintext]))),
        new Uint8Array(expected.stdout),
      );
    }
  });
}

if (hasOpenssl) openssl.run();
// biome-ignore lint/suspicious/noConsole: a check that did not run must not look like one that passed
else console.warn('SKIPPED: the cross-check with openssl, because there is no openssl command here.');
