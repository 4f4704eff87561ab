import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import {
  forgetMemberKey,
  leaveMemberKey,
  type TabStorage,
  takeMemberKey,
} from '../../web/src/room/identity.ts';
import { memberKey } from '../tools/member-keys.ts';

const crypto = await chooseCrypto();
const ROOM = 'AAAAAAAAAAAAAAAAAAAAAA';
const PLACE = `matinee.member.${ROOM}`;

/** A tab's storage that can be looked into. */
class Tab implements TabStorage {
  readonly items = new Map<string, string>();

  getItem(key: string): string | null {
    return this.items.get(key) ?? null;
  }

  setItem(key: string, value: string): void {
    this.items.set(key, value);
  }

  removeItem(key: string): void {
    this.items.delete(key);
  }
}

const identity = suite('who a tab is in a room');

identity('should be the same after a reload, in this room only', async () => {
  const tab = new Tab();
  const key = await takeMemberKey(crypto, ROOM, tab);
  leaveMemberKey(ROOM, key, tab);
  assert.not.equal(await takeMemberKey(crypto, 'BBBBBBBBBBBBBBBBBBBBBA', tab), key);
  assert.equal(await takeMemberKey(crypto, ROOM, tab), key);
});

identity('should not be copied into a duplicate of the tab while the page is open', async () => {
  const tab = new Tab();
  leaveMemberKey(ROOM, memberKey(1), tab);
  const key = await takeMemberKey(crypto, ROOM, tab);
  assert.equal(key, memberKey(1));
  assert.is(tab.items.size, 0);
  leaveMemberKey(ROOM, key, tab);
  forgetMemberKey(ROOM, tab);
  assert.is(tab.items.size, 0);
});

/** A kept key with something wrong. */
function spoiled(change: (kept: Record<string, unknown>) => unknown): string {
  const tab = new Tab();
  leaveMemberKey(ROOM, memberKey(1), tab);
  return JSON.stringify(change(JSON.parse(tab.items.get(PLACE) ?? '{}') as Record<string, unknown>));
}

for (const [what, text] of [
  ['no JSON', '{'],
  ['null', 'null'],
  ['something more', spoiled((kept) => ({ ...kept, name: 'x' }))],
  ['half a key', spoiled(({ publicKey }) => ({ publicKey }))],
  ['a key too short', spoiled((kept) => ({ ...kept, privateKey: 'AAAA' }))],
  ['a key in no canonical form', spoiled((kept) => ({ ...kept, privateKey: `${'A'.repeat(42)}B` }))],
  ['halves of two keys', spoiled((kept) => ({ ...kept, privateKey: 'A'.repeat(43) }))],
] as const) {
  identity(`should be new where ${what} is kept`, async () => {
    const tab = new Tab();
    tab.items.set(PLACE, text);
    const key = await takeMemberKey(crypto, ROOM, tab);
    assert.equal([key.publicKey.byteLength, key.privateKey.byteLength], [32, 32]);
    assert.not.equal(key.publicKey, memberKey(1).publicKey);
    const signature = await crypto.sign(key.privateKey, key.publicKey);
    assert.ok(await crypto.verify(key.publicKey, signature, key.publicKey));
  });
}

identity('should be new, and no failure, where the browser refuses storage', async () => {
  const refuse = (): never => {
    throw new Error('blocked');
  };
  const blocked = { getItem: refuse, setItem: refuse, removeItem: refuse };
  for (const storage of [blocked, null]) {
    const key = await takeMemberKey(crypto, ROOM, storage);
    leaveMemberKey(ROOM, key, storage);
    assert.is(key.publicKey.byteLength, 32);
  }
});

identity.run();
