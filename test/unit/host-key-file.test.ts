import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import { MatineeError } from '../../peer/errors.ts';
import {
  formatHostKey,
  type HostedRoomKey,
  keyFileName,
  parseHostKey,
  proveHostKey,
} from '../../peer/host/host-key-file.ts';
import { newRoom } from '../../peer/host/new-room.ts';

async function madeKey(): Promise<HostedRoomKey> {
  const { link, hostKey } = await newRoom(await chooseCrypto(), 'https://matinee.example');
  return { link, title: 'Une soirée 🐰', createdAtMs: 1_800_000_000_000, hostKey };
}

const keyFile = suite('the file of a host key');

keyFile('should read back as it was written, and prove itself', async () => {
  const room = await madeKey();
  assert.equal(parseHostKey(formatHostKey(room)), room);
  assert.match(keyFileName(room), /^matinee-room-[\w-]{4}\.json$/);
  await proveHostKey(await chooseCrypto(), room);
});

keyFile('should be refused where it is anything else', async () => {
  const text = formatHostKey(await madeKey());
  const others = [
    '',
    'null',
    '{}',
    text.slice(1),
    text.replace('host key', 'guest key'),
    text.replace(/"privateKey": "./, '"privateKey": "'),
    text.replace('/r/', '/x/'),
    text + ' '.repeat(10_000),
  ];
  for (const other of others) {
    try {
      parseHostKey(other);
    } catch (error) {
      assert.ok(error instanceof MatineeError && error.code === 'REQUEST_MALFORMED', other);
      continue;
    }
    assert.unreachable(other);
  }
});

keyFile('should not make anybody the host of another room', async () => {
  const crypto = await chooseCrypto();
  const [mine, theirs] = [await madeKey(), await madeKey()];
  const halves = { publicKey: theirs.hostKey.publicKey, privateKey: mine.hostKey.privateKey };
  for (const hostKey of [mine.hostKey, halves]) {
    try {
      await proveHostKey(crypto, { ...theirs, hostKey });
    } catch (error) {
      assert.ok(error instanceof MatineeError && error.code === 'SIGNATURE_WRONG');
      continue;
    }
    assert.unreachable('was believed');
  }
});

keyFile.run();
