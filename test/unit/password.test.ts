import { argon2idAsync } from '@noble/hashes/argon2.js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concat, toHex, utf8 } from '../../peer/bytes.ts';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import {
  PASSWORD_MEMORY_KIB,
  PASSWORD_PASSES,
  secretWithPassword,
  stretchPassword,
} from '../../peer/crypto/password.ts';

const ROOM_ID = new Uint8Array(16).fill(7);
const ROOM_SECRET = new Uint8Array(32).fill(9);
const ENTRY = { roomId: ROOM_ID, roomSecret: ROOM_SECRET };

const argon2id = suite('Argon2id, as a room password is stretched');

argon2id('should give the tag of RFC 9106, section 5.3', async () => {
  const tag = await argon2idAsync(new Uint8Array(32).fill(1), new Uint8Array(16).fill(2), {
    m: 32,
    t: 3,
    p: 4,
    dkLen: 32,
    version: 0x13,
    key: new Uint8Array(8).fill(3),
    personalization: new Uint8Array(12).fill(4),
  });
  assert.is(toHex(tag), '0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659');
});

argon2id('should give what the reference implementation lists for one lane', async () => {
  // The test suite of github.com/P-H-C/phc-winner-argon2, version 19: t = 2, m = 2^8 KiB.
  const tag = await argon2idAsync('password', 'somesalt', { m: 256, t: 2, p: 1, dkLen: 32 });
  assert.is(toHex(tag), '9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe');
});

argon2id.run();

const password = suite('a room password');

password('should give the secret that PROTOCOL.md describes', async () => {
  const crypto = await chooseCrypto();
  const salt = (await crypto.sha256(concat(utf8('matinee/1 password'), ROOM_ID))).slice(0, 16);
  const cost = { m: PASSWORD_MEMORY_KIB, t: PASSWORD_PASSES, p: 1, dkLen: 32 };
  const stretched = await argon2idAsync(utf8('popcorn'), salt, cost);
  const info = utf8('matinee/1 password');
  const expected = await crypto.hkdfSha256(concat(ROOM_SECRET, stretched), ROOM_ID, info, 32);
  assert.equal(await secretWithPassword(crypto, ENTRY, 'popcorn'), expected);
});

password('should be the same however a keyboard composes it, and show how far it is', async () => {
  const crypto = await chooseCrypto();
  const shares: number[] = [];
  const composed = await stretchPassword(crypto, ROOM_ID, 'caf\u00e9', (share) => shares.push(share));
  const decomposed = await stretchPassword(crypto, ROOM_ID, 'cafe\u0301', () => undefined);
  assert.equal(composed, decomposed);
  assert.ok(shares.length > 2, `${shares.length} times`);
  assert.equal(
    [...shares].sort((a, b) => a - b),
    shares,
  );
  assert.is(shares.at(-1), 1);
});

password('should give another secret for another word, room or link', async () => {
  const crypto = await chooseCrypto();
  const secrets = [
    ROOM_SECRET,
    await secretWithPassword(crypto, ENTRY, 'popcorn'),
    await secretWithPassword(crypto, ENTRY, 'Popcorn'),
    await secretWithPassword(crypto, { ...ENTRY, roomId: new Uint8Array(16) }, 'popcorn'),
    await secretWithPassword(crypto, { ...ENTRY, roomSecret: new Uint8Array(32) }, 'popcorn'),
  ];
  assert.is(new Set(secrets.map(toHex)).size, secrets.length);
});

password.run();
