import { createHash, hkdfSync } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Bytes, toHex } from '../../peer/bytes.ts';
import type { Crypto, FillRandom } from '../../peer/crypto/crypto.ts';
import {
  deriveRoomKeys,
  deriveVideoKeys,
  KEY_BYTES,
  ROOM_ID_BYTES,
  ROOM_SECRET_BYTES,
  roomIdOf,
  VIDEO_ID_BYTES,
} from '../../peer/crypto/keys.ts';
import { nobleCrypto } from '../../peer/crypto/noble-crypto.ts';
import { nobleEd25519 } from '../../peer/crypto/noble-ed25519.ts';
import { webCrypto } from '../../peer/crypto/web-crypto.ts';
import { webEd25519 } from '../../peer/crypto/web-ed25519.ts';

const { subtle } = globalThis.crypto;
const fillRandom: FillRandom = (into) => globalThis.crypto.getRandomValues(into);
const IMPLEMENTATIONS: [string, Crypto][] = [
  ['web', webCrypto(subtle, fillRandom, webEd25519(subtle, fillRandom))],
  ['noble', nobleCrypto(fillRandom, nobleEd25519(fillRandom))],
];

const SECRET = new Uint8Array(ROOM_SECRET_BYTES).fill(1);
const ROOM_ID = new Uint8Array(ROOM_ID_BYTES).fill(2);
const VIDEO_ID = new Uint8Array(VIDEO_ID_BYTES).fill(3);

/** What Node's own HKDF makes of a label, spelled out here so that a changed label fails. */
function expectedKey(salt: Bytes, label: string): string {
  return Buffer.from(hkdfSync('sha256', SECRET, salt, label, KEY_BYTES)).toString('hex');
}

for (const [name, crypto] of IMPLEMENTATIONS) {
  const keys = suite(`${name}: keys`);

  keys("should come from the room's secret under a label each", async () => {
    const { joinToken, chatKey, signalingKey } = await deriveRoomKeys(crypto, SECRET, ROOM_ID);
    assert.is(toHex(joinToken), expectedKey(ROOM_ID, 'matinee/1 join token'));
    assert.is(toHex(chatKey), expectedKey(ROOM_ID, 'matinee/1 chat'));
    assert.is(toHex(signalingKey), expectedKey(ROOM_ID, 'matinee/1 signaling'));
  });

  keys("should be a video's own, under a label each", async () => {
    const { contentKey, infoKey } = await deriveVideoKeys(crypto, SECRET, VIDEO_ID);
    assert.is(toHex(contentKey), expectedKey(VIDEO_ID, 'matinee/1 content'));
    assert.is(toHex(infoKey), expectedKey(VIDEO_ID, 'matinee/1 info'));
  });

  keys('should all differ, from each other and between rooms, secrets and videos', async () => {
    const otherSecret = new Uint8Array(ROOM_SECRET_BYTES).fill(9);
    const otherId = new Uint8Array(16).fill(9);
    const derived = await Promise.all([
      deriveRoomKeys(crypto, SECRET, ROOM_ID),
      deriveRoomKeys(crypto, otherSecret, ROOM_ID),
      deriveRoomKeys(crypto, SECRET, otherId),
      deriveVideoKeys(crypto, SECRET, VIDEO_ID),
      deriveVideoKeys(crypto, otherSecret, VIDEO_ID),
      deriveVideoKeys(crypto, SECRET, otherId),
    ]);
    const all = derived.flatMap((group) => Object.values<Bytes>({ ...group }).map(toHex));
    assert.is(all.length, 15);
    assert.is(new Set(all).size, 15);
  });

  keys("should let a room's id prove its host's public key", async () => {
    const { publicKey } = await crypto.generateSigningKey();
    const hash = createHash('sha256').update('matinee/1 room').update(publicKey).digest('hex');
    const roomId = await roomIdOf(crypto, publicKey);
    assert.is(roomId.byteLength, ROOM_ID_BYTES);
    assert.is(roomId.buffer.byteLength, ROOM_ID_BYTES);
    assert.is(toHex(roomId), hash.slice(0, 32));
  });

  keys.run();
}
