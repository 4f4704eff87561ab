import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as v from 'valibot';
import { type Bytes, concat, utf8 } from '../../peer/bytes.ts';
import { decodeCbor, encodeCbor } from '../../peer/cbor.ts';
import { type Author, type ChatRoom, sealAuthored } from '../../peer/chat/authored.ts';
import { type Said, sealCard, sealLine } from '../../peer/chat/chat-line.ts';
import type { SigningKey } from '../../peer/crypto/crypto.ts';
import { deriveRoomKeys, type RoomKeys, roomIdOf } from '../../peer/crypto/keys.ts';
import { signBadge } from '../../peer/room/badge.ts';
import type { Viewer } from '../../peer/room/viewer.ts';
import { encodeFrame } from '../../peer/wire/frame.ts';
import { WIRE_VERSION } from '../../peer/wire/messages.ts';
import type { VirtualChannel } from '../sim/virtual-channel.ts';
import { VirtualRoom } from '../sim/virtual-room.ts';
import { memberIdOfKey, memberKey } from '../tools/member-keys.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const FILM = { segmentCount: 1, segmentMs: 2000, segmentBytes: 1000 };

/** Four in one room: who is attacked, who is imitated, who imitates (and holds the link as all do), and the host's device. */
const READER = memberKey(1);
const VICTIM = memberKey(2);
const MALLORY = memberKey(3);
const HOST_DEVICE = memberKey(4);
const victimId = memberIdOfKey(VICTIM);

/** A room on a virtual clock whose keys the test knows. */
class Talk {
  readonly room: VirtualRoom;
  readonly host: SigningKey;
  readonly chat: ChatRoom;
  /** Why links of the reader closed, in order. */
  readonly closed: string[] = [];
  readonly reader: Viewer;
  readonly #keys: RoomKeys;

  static async open(): Promise<Talk> {
    const room = await VirtualRoom.open(FILM);
    const host = await room.crypto.generateSigningKey();
    const roomId = await roomIdOf(room.crypto, host.publicKey);
    const keys = await deriveRoomKeys(room.crypto, new Uint8Array(32), roomId);
    return new Talk(room, host, keys, roomId);
  }

  private constructor(room: VirtualRoom, host: SigningKey, keys: RoomKeys, roomId: Bytes) {
    this.room = room;
    this.host = host;
    this.#keys = keys;
    this.chat = { crypto: room.crypto, chatKey: keys.chatKey, roomId };
    this.reader = this.viewer(READER, null, (code) => this.closed.push(code));
  }

  viewer(key: SigningKey, badge: Bytes | null = null, onClosed: (code: string) => void = () => {}): Viewer {
    return this.room.viewer({
      roomId: this.chat.roomId,
      roomKeys: this.#keys,
      selfId: memberIdOfKey(key),
      memberKey: key,
      badge,
      onLinkClosed: (_, code) => onClosed(code),
    });
  }

  connect(a: Viewer, aKey: SigningKey, b: Viewer, bKey: SigningKey): void {
    const [atA, atB] = this.room.line();
    a.connect(atA, { id: memberIdOfKey(bKey), kind: 'member' });
    b.connect(atB, { id: memberIdOfKey(aKey), kind: 'member' });
  }

  badge(host: SigningKey = this.host, member: SigningKey = HOST_DEVICE): Promise<Bytes> {
    return signBadge(this.chat.crypto, host, member.publicKey, 1);
  }

  /** The reader's link to somebody who sends whatever they like: the far end. */
  meet(kind: 'member' | 'origin' = 'member', card: Bytes | null = null): VirtualChannel {
    const [mine, theirs] = this.room.line();
    const id = kind === 'origin' ? 'origin' : memberIdOfKey(MALLORY);
    this.reader.connect(mine, { id, kind });
    theirs.send(encodeFrame('hello', { v: WIRE_VERSION, role: kind, card }));
    return theirs;
  }

  /** What becomes of a line that Mallory brings: why her link closed, if it did, and the texts that are shown. */
  async bring(...sealed: Bytes[]): Promise<{ closed: string[]; texts: string[] }> {
    const far = this.meet();
    for (const line of sealed) far.send(encodeFrame('chat', { sealed: line }));
    await this.room.clock.run(1000);
    const texts = this.reader.lines.map(({ text }) => text);
    this.reader.close();
    return { closed: this.closed.filter((code) => code !== 'LEFT'), texts };
  }

  said(text: string, sentAtMs = this.room.clock.wallMs()): Said {
    return { name: 'Ada', text, sentAtMs };
  }
}

const anything = v.array(v.unknown());
const fields = v.record(v.string(), v.unknown());

/** A sealed line with parts of [public key, signature, body, badge] changed, as any member can change them. */
async function altered(
  { crypto, chatKey, roomId }: ChatRoom,
  sealed: Bytes,
  change: (parts: unknown[]) => unknown[],
): Promise<Bytes> {
  const parts = decodeCbor(anything, await crypto.open(chatKey, sealed, roomId), 'FRAME_MALFORMED', 'line');
  return crypto.seal(chatKey, encodeCbor(change(parts)), roomId);
}

const authors = suite('who says a chat line');

authors('should be shown by its proven id, and as the host only with the badge', async () => {
  const talk = await Talk.open();
  const [victim, host] = [talk.viewer(VICTIM), talk.viewer(HOST_DEVICE, await talk.badge())];
  talk.connect(victim, VICTIM, talk.reader, READER);
  talk.connect(host, HOST_DEVICE, victim, VICTIM);
  await talk.room.clock.run(500);
  await victim.say('hello');
  await talk.room.clock.run(500);
  await host.say('welcome');
  await talk.room.clock.run(500);
  const shown = talk.reader.lines.map(({ from, text, isHost }) => ({ from, text, isHost }));
  assert.equal(shown, [
    { from: victimId, text: 'hello', isHost: false },
    { from: memberIdOfKey(HOST_DEVICE), text: 'welcome', isHost: true },
  ]);
  const [link] = talk.reader.links;
  assert.ok(link && !talk.reader.isHost(link) && talk.reader.nameOf(link) !== null);
  const hosts = [...victim.links].filter((each) => victim.isHost(each)).map((each) => each.remote.id);
  assert.equal(hosts, [memberIdOfKey(HOST_DEVICE)]);
  assert.is(host.lines.at(-1)?.isHost, true, 'on its own page too');
  for (const viewer of [talk.reader, victim, host]) viewer.close();
});

authors('should not be somebody else by their key with one’s own signature', async () => {
  const talk = await Talk.open();
  const mine = await sealLine(talk.chat, { key: MALLORY, badge: null }, talk.said('I am a fool'));
  const theirs = await altered(talk.chat, mine, ([, ...rest]) => [VICTIM.publicKey, ...rest]);
  assert.equal(await talk.bring(theirs), { closed: ['SIGNATURE_WRONG'], texts: [] });
});

authors('should not be somebody else by changing what they said', async () => {
  const talk = await Talk.open();
  const line = await sealLine(talk.chat, { key: VICTIM, badge: null }, talk.said('yes'));
  const body = encodeCbor({ v: 1, room: talk.chat.roomId, ...talk.said('no') });
  const other = await altered(talk.chat, line, ([key, signature]) => [key, signature, body, null]);
  assert.equal(await talk.bring(other), { closed: ['SIGNATURE_WRONG'], texts: [] });
});

authors('should not be brought into another room, or into a line from a card', async () => {
  const talk = await Talk.open();
  const author: Author = { key: VICTIM, badge: null };
  const elsewhere = encodeCbor({ v: 1, room: new Uint8Array(16), ...talk.said('hello') });
  const fromElsewhere = await sealAuthored(talk.chat, author, 'matinee/1 chat line', elsewhere);
  assert.equal(await talk.bring(fromElsewhere), { closed: ['SIGNATURE_WRONG'], texts: [] });
  const again = await Talk.open();
  const card = await sealCard(again.chat, author, 'Ada');
  assert.equal(await again.bring(card), { closed: ['SIGNATURE_WRONG'], texts: [] });
});

for (const [what, badgeOf] of [
  ['that one signed oneself', (talk: Talk) => talk.badge(MALLORY, MALLORY)],
  ['of the host’s own device', (talk: Talk) => talk.badge()],
  ['of another room’s host', (talk: Talk) => talk.badge(memberKey(9), MALLORY)],
  ['that is none', async () => new Uint8Array(100)],
] as const) {
  authors(`should not be the host by a badge ${what}`, async () => {
    const talk = await Talk.open();
    const author = { key: MALLORY, badge: await badgeOf(talk) };
    const { closed, texts } = await talk.bring(await sealLine(talk.chat, author, talk.said('obey me')));
    assert.equal(texts, []);
    assert.match(closed.join(), /^(SIGNATURE_WRONG|MANIFEST_MALFORMED)$/);
  });
}

for (const [what, change] of [
  ['with a key of one’s own in it', { publicKey: MALLORY.publicKey }],
  ['with another name in it', { member: new Uint8Array(Buffer.from(memberIdOfKey(MALLORY), 'base64url')) }],
] as const) {
  authors(`should not be the host by the host’s badge ${what}, signed anew or not`, async () => {
    for (const isSignedAnew of [true, false]) {
      const talk = await Talk.open();
      const parts = decodeCbor(anything, await talk.badge(), 'MANIFEST_MALFORMED', 'badge');
      const body = decodeCbor(fields, parts[0] as Bytes, 'MANIFEST_MALFORMED', 'body');
      const forged = encodeCbor({ ...body, ...change });
      const covered = concat(utf8('matinee/1 host badge\0'), forged);
      const signature = isSignedAnew ? await talk.chat.crypto.sign(MALLORY.privateKey, covered) : parts[1];
      const author = { key: MALLORY, badge: encodeCbor([forged, signature]) };
      const sealed = await sealLine(talk.chat, author, talk.said('obey me'));
      assert.equal(await talk.bring(sealed), { closed: ['SIGNATURE_WRONG'], texts: [] });
    }
  });
}

authors('should stay the host whoever passes the line on', async () => {
  const talk = await Talk.open();
  const line = await sealLine(
    talk.chat,
    { key: HOST_DEVICE, badge: await talk.badge() },
    talk.said('welcome'),
  );
  const stripped = await altered(talk.chat, line, ([key, signature, body]) => [key, signature, body, null]);
  assert.equal(await talk.bring(stripped), { closed: ['SIGNATURE_WRONG'], texts: [] });
});

authors('should have said it once, however often others seal it anew', async () => {
  const talk = await Talk.open();
  const line = await sealLine(talk.chat, { key: VICTIM, badge: null }, talk.said('ha'));
  const again = await altered(talk.chat, line, (parts) => parts);
  assert.not.equal(again, line);
  assert.equal(await talk.bring(line, again), { closed: [], texts: ['ha'] });
});

for (const [when, atMs, isTaken] of [
  ['in 1970', () => 1, false],
  ['the last day of 2019', () => Date.UTC(2020, 0, 1) - 1, false],
  ['in 2020', () => Date.UTC(2020, 0, 1), true],
  ['23 hours from now', (nowMs: number) => nowMs + DAY_MS - 3_600_000, true],
  ['25 hours from now', (nowMs: number) => nowMs + DAY_MS + 3_600_000, false],
  ['at the end of time', () => Number.MAX_SAFE_INTEGER, false],
] as const) {
  authors(`should ${isTaken ? '' : 'not '}be heard with a date ${when}`, async () => {
    const talk = await Talk.open();
    const said = talk.said('hello', atMs(talk.room.clock.wallMs()));
    const sealed = await sealLine(talk.chat, { key: VICTIM, badge: null }, said);
    const expected = isTaken ? { closed: [], texts: ['hello'] } : { closed: ['FRAME_MALFORMED'], texts: [] };
    assert.equal(await talk.bring(sealed), expected);
  });
}

authors('should not part members from the origin, which passes on what it cannot read', async () => {
  const talk = await Talk.open();
  const origin = talk.meet('origin');
  const mine = await sealLine(talk.chat, { key: MALLORY, badge: null }, talk.said('I am a fool'));
  const forged = await altered(talk.chat, mine, ([, ...rest]) => [VICTIM.publicKey, ...rest]);
  for (const sealed of [new Uint8Array(100), forged, mine]) origin.send(encodeFrame('chat', { sealed }));
  await talk.room.clock.run(1000);
  assert.equal(talk.closed, []);
  assert.equal(
    talk.reader.lines.map(({ text }) => text),
    ['I am a fool'],
  );
  talk.reader.close();
});

authors.run();

const cards = suite('the card of a peer');

cards('should not be somebody else’s, the host’s least of all', async () => {
  const talk = await Talk.open();
  const stolen = await sealCard(talk.chat, { key: HOST_DEVICE, badge: await talk.badge() }, 'Host');
  talk.meet('member', stolen);
  await talk.room.clock.run(1000);
  assert.equal(talk.closed, ['SIGNATURE_WRONG']);
  talk.reader.close();
});

cards('should name the peer whose key signed it', async () => {
  const talk = await Talk.open();
  talk.meet('member', await sealCard(talk.chat, { key: MALLORY, badge: null }, 'Mallory'));
  await talk.room.clock.run(1000);
  const [link] = talk.reader.links;
  assert.ok(link);
  assert.equal(link && [talk.reader.nameOf(link), talk.reader.isHost(link)], ['Mallory', false]);
  talk.reader.close();
});

cards('should fit into hello with the longest name and a badge', async () => {
  const talk = await Talk.open();
  const badge = await talk.badge(talk.host, HOST_DEVICE);
  const card = await sealCard(talk.chat, { key: HOST_DEVICE, badge }, '☃'.repeat(40));
  const [mine, theirs] = talk.room.line();
  talk.reader.connect(mine, { id: memberIdOfKey(HOST_DEVICE), kind: 'member' });
  theirs.send(encodeFrame('hello', { v: WIRE_VERSION, role: 'member', card }));
  await talk.room.clock.run(1000);
  const [link] = talk.reader.links;
  assert.equal(talk.closed, []);
  assert.ok(link && talk.reader.isHost(link));
  talk.reader.close();
});

cards.run();
