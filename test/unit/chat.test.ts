import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as v from 'valibot';
import { type Bytes, concat, fromBase64url, utf8 } from '../../peer/bytes.ts';
import { decodeCbor, encodeCbor } from '../../peer/cbor.ts';
import { type Author, type ChatRoom, sealAuthored } from '../../peer/chat/authored.ts';
import { Chat } from '../../peer/chat/chat.ts';
import { type Said, sealCard, sealLine } from '../../peer/chat/chat-line.ts';
import { Mutes } from '../../peer/chat/mutes.ts';
import { sealPassing } from '../../peer/chat/passing.ts';
import { PassingRelay } from '../../peer/chat/passing-relay.ts';
import { Presence } from '../../peer/chat/presence.ts';
import { EMOJI, sealReaction } from '../../peer/chat/reaction.ts';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import type { SigningKey } from '../../peer/crypto/crypto.ts';
import { deriveRoomKeys, type RoomKeys, roomIdOf } from '../../peer/crypto/keys.ts';
import { MAX_CHAT_LINES } from '../../peer/limits.ts';
import { signBadge } from '../../peer/room/badge.ts';
import type { Viewer } from '../../peer/room/viewer.ts';
import { encodeFrame } from '../../peer/wire/frame.ts';
import type { Link } from '../../peer/wire/link.ts';
import { WIRE_VERSION } from '../../peer/wire/messages.ts';
import { ChatView } from '../../web/src/room/chat-view.ts';
import type { VirtualChannel } from '../sim/virtual-channel.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';
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
    return { name: 'Ada', text, sentAtMs, reply: null, moment: null };
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
  const body = encodeCbor({ v: 2, room: talk.chat.roomId, ...talk.said('no') });
  const other = await altered(talk.chat, line, ([key, signature]) => [key, signature, body, null]);
  assert.equal(await talk.bring(other), { closed: ['SIGNATURE_WRONG'], texts: [] });
});

authors('should not be brought into another room, or into a line from a card', async () => {
  const talk = await Talk.open();
  const author: Author = { key: VICTIM, badge: null };
  const elsewhere = encodeCbor({ v: 2, room: new Uint8Array(16), ...talk.said('hello') });
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

const YEAR_2020_MS = Date.UTC(2020, 0, 1);

for (const [when, atMs, order] of [
  ['in 1970', () => 1, 'early,late,odd'],
  ['the last day of 2019', () => YEAR_2020_MS - 1, 'early,late,odd'],
  ['in 2020', () => YEAR_2020_MS, 'odd,early,late'],
  ['23 hours from now', (nowMs: number) => nowMs + DAY_MS - 3_600_000, 'early,late,after,odd'],
  ['25 hours from now', (nowMs: number) => nowMs + DAY_MS + 3_600_000, 'early,late,odd'],
  ['at the end of time', () => Number.MAX_SAFE_INTEGER, 'early,late,odd'],
] as const) {
  authors(`should be heard with a date ${when}, which is never shown as one ahead`, async () => {
    const talk = await Talk.open();
    const far = talk.meet();
    const bring = async (text: string, sentAtMs: number): Promise<void> => {
      const sealed = await sealLine(talk.chat, { key: VICTIM, badge: null }, talk.said(text, sentAtMs));
      far.send(encodeFrame('chat', { sealed }));
      await talk.room.clock.run(1000);
    };
    const nowMs = talk.room.clock.wallMs();
    await bring('early', nowMs - 5000);
    await bring('late', nowMs);
    await bring('odd', atMs(nowMs));
    if (order.includes('after')) await bring('after', talk.room.clock.wallMs());
    const { lines } = talk.reader;
    assert.is(lines.map(({ text }) => text).join(), order);
    for (const { sentAtMs } of lines) assert.ok(sentAtMs <= talk.room.clock.wallMs());
    assert.equal(talk.closed, []);
    talk.reader.close();
  });
}

authors('should not silence the others by dating a whole log ahead', async () => {
  const talk = await Talk.open();
  const far = talk.meet();
  const bring = async (key: SigningKey, said: Said): Promise<void> => {
    far.send(encodeFrame('chat', { sealed: await sealLine(talk.chat, { key, badge: null }, said) }));
  };
  const aheadMs = talk.room.clock.wallMs() + DAY_MS / 2;
  for (let i = 0; i < MAX_CHAT_LINES; i++) await bring(MALLORY, talk.said(`me ${i}`, aheadMs + i));
  await talk.room.clock.run(1000);
  await bring(VICTIM, talk.said('may I?'));
  await talk.room.clock.run(1000);
  const texts = talk.reader.lines.map(({ text }) => text);
  assert.is(texts.length, MAX_CHAT_LINES);
  assert.ok(texts.includes('may I?'));
  talk.reader.close();
});

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

const about = suite('what a chat line is about');

about('should come through: the line it answers, and its moment in the film', async () => {
  const talk = await Talk.open();
  const victim = talk.viewer(VICTIM);
  talk.connect(victim, VICTIM, talk.reader, READER);
  await talk.room.clock.run(500);
  const moment = { video: new Uint8Array(16).fill(7), atMs: 754_000 };
  await victim.chat.say('look', { moment });
  await talk.room.clock.run(500);
  const [look] = talk.reader.lines;
  assert.equal(look?.moment, moment);
  await talk.reader.chat.say('where?', { reply: look?.id ?? null });
  await talk.room.clock.run(500);
  assert.is(victim.lines[1]?.reply, victim.lines[0]?.id);
  for (const viewer of [victim, talk.reader]) viewer.close();
});

about('should name the same line for everybody, however it was sealed', async () => {
  const talk = await Talk.open();
  const line = await sealLine(talk.chat, { key: VICTIM, badge: null }, talk.said('ha'));
  const again = await altered(talk.chat, line, (parts) => parts);
  const other = talk.viewer(VICTIM);
  talk.connect(other, VICTIM, talk.reader, READER);
  const far = talk.meet();
  far.send(encodeFrame('chat', { sealed: line }));
  await talk.room.clock.run(500);
  const ids = [talk.reader.lines[0]?.id, other.lines[0]?.id];
  const elsewhere = talk.viewer(READER);
  const [mine, theirs] = talk.room.line();
  elsewhere.connect(mine, { id: memberIdOfKey(MALLORY), kind: 'member' });
  theirs.send(encodeFrame('hello', { v: WIRE_VERSION, role: 'member', card: null }));
  theirs.send(encodeFrame('chat', { sealed: again }));
  await talk.room.clock.run(500);
  assert.ok(ids[0]);
  assert.equal([...ids, elsewhere.lines[0]?.id], [ids[0], ids[0], ids[0]]);
  for (const viewer of [talk.reader, other, elsewhere]) viewer.close();
});

about('should be shown without what turns or hides text', async () => {
  const talk = await Talk.open();
  const said = { ...talk.said('left\u202Eright'), name: 'A\u202Ed\u200Ba' };
  const far = talk.meet();
  far.send(encodeFrame('chat', { sealed: await sealLine(talk.chat, { key: VICTIM, badge: null }, said) }));
  await talk.room.clock.run(500);
  assert.equal(
    talk.reader.lines.map(({ name, text }) => [name, text]),
    [['Ada', 'leftright']],
  );
  talk.reader.close();
});

about.run();

const reactions = suite('reactions to a line');

reactions('should be counted once for each member, the newest one, and reach who comes late', async () => {
  const talk = await Talk.open();
  const victim = talk.viewer(VICTIM);
  talk.connect(victim, VICTIM, talk.reader, READER);
  await talk.room.clock.run(500);
  await victim.say('hello');
  const id = victim.lines[0]?.id ?? '';
  for (const emoji of [EMOJI[0], EMOJI[2]]) {
    await victim.chat.react(id, emoji);
    await talk.room.clock.run(50);
  }
  await talk.reader.chat.react(id, EMOJI[2]);
  const late = talk.viewer(MALLORY);
  talk.connect(late, MALLORY, victim, VICTIM);
  await talk.room.clock.run(500);
  const counted = [{ emoji: EMOJI[2], from: [victimId, memberIdOfKey(READER)] }];
  for (const { chat } of [talk.reader, victim, late]) {
    const counts = [...(chat.reactions.get(id) ?? [])].map(({ emoji, from }) => ({
      emoji,
      from: [...from].sort(),
    }));
    assert.equal(counts, [{ ...counted[0], from: [...(counted[0]?.from ?? [])].sort() }]);
  }
  await talk.reader.chat.react(id, null);
  await talk.room.clock.run(500);
  assert.equal(late.chat.reactions.get(id), [{ emoji: EMOJI[2], from: [victimId] }]);
  for (const viewer of [talk.reader, victim, late]) viewer.close();
});

reactions('should be made anew with the lines where somebody is muted, and where that ends', async () => {
  const talk = await Talk.open();
  const { clock } = talk.room;
  const mutes = new Mutes(clock);
  const chat = new Chat({
    clock,
    room: talk.chat,
    author: { key: VICTIM, badge: null },
    selfId: victimId,
    name: () => 'Ada',
    audience: () => [],
    mutes,
    onChange: () => undefined,
  });
  const view = new ChatView();
  const count = () => view.show(chat, victimId, null).chat.length;
  await chat.say('hello');
  assert.is(count(), 1);
  const id = fromBase64url(victimId);
  assert.ok(id);
  mutes.update({ muted: [id as Bytes], atMs: 0 });
  assert.is(count(), 0);
  mutes.update({ muted: [], atMs: 1 });
  assert.is(count(), 1);
  chat.close();
  talk.reader.close();
});

reactions('should change what is made of the chat, and nothing else should', async () => {
  const talk = await Talk.open();
  const victim = talk.viewer(VICTIM);
  talk.connect(victim, VICTIM, talk.reader, READER);
  await talk.room.clock.run(500);
  const view = new ChatView();
  const shown = () => view.show(talk.reader.chat, memberIdOfKey(READER), null);
  await victim.say('hello');
  await talk.room.clock.run(500);
  const said = shown();
  assert.is(said.chat[0]?.text, 'hello');
  await victim.chat.typed();
  await talk.room.clock.run(500);
  assert.is(shown().chat, said.chat, 'the very same');
  assert.is(shown().typing.length, 1);
  await victim.chat.react(said.chat[0]?.id ?? '', EMOJI[0]);
  await talk.room.clock.run(500);
  assert.is(shown().chat[0]?.reactions.length, 1);
  assert.is(shown().chat, shown().chat);
  for (const viewer of [talk.reader, victim]) viewer.close();
});

reactions('should not be anybody else’s, nor of an emoji that is none', async () => {
  const talk = await Talk.open();
  const reacted = { name: 'Ada', sentAtMs: talk.room.clock.wallMs(), line: '00'.repeat(16), emoji: EMOJI[0] };
  const mine = await sealReaction(talk.chat, { key: MALLORY, badge: null }, reacted);
  const forged = await altered(talk.chat, mine, ([, ...rest]) => [VICTIM.publicKey, ...rest]);
  const drawn = encodeCbor({
    v: 1,
    room: talk.chat.roomId,
    ...reacted,
    line: new Uint8Array(16),
    emoji: '<b>',
  });
  const author = { key: MALLORY, badge: null };
  for (const [sealed, code] of [
    [forged, 'SIGNATURE_WRONG'],
    [await sealAuthored(talk.chat, author, 'matinee/1 reaction', drawn), 'FRAME_MALFORMED'],
  ] as const) {
    talk.meet().send(encodeFrame('reaction', { sealed }));
    await talk.room.clock.run(500);
    assert.is(talk.closed.at(-1), code);
  }
  assert.is(talk.reader.chat.reactions.size, 0);
  talk.reader.close();
});

reactions.run();

const passing = suite('what is said in passing');

passing('should reach everybody, and be over by itself', async () => {
  const talk = await Talk.open();
  const [victim, middle] = [talk.viewer(VICTIM), talk.viewer(MALLORY)];
  talk.connect(victim, VICTIM, middle, MALLORY);
  talk.connect(middle, MALLORY, talk.reader, READER);
  await talk.room.clock.run(500);
  const cheers: string[] = [];
  talk.reader.chat.listenToCheers(({ from, emoji }) => cheers.push(`${from} ${emoji}`));
  await victim.chat.typed();
  await victim.chat.cheer(EMOJI[1]);
  await talk.room.clock.run(500);
  assert.equal(
    talk.reader.chat.typing.map(({ from }) => from),
    [victimId],
  );
  assert.equal(victim.chat.typing, [], 'not oneself');
  assert.equal(cheers, [`${victimId} ${EMOJI[1]}`]);
  await talk.room.clock.run(6_000);
  assert.equal(talk.reader.chat.typing, []);
  await victim.chat.typed();
  await victim.say('done');
  await talk.room.clock.run(500);
  assert.equal(talk.reader.chat.typing, [], 'the line is there');
  for (const viewer of [victim, middle, talk.reader]) viewer.close();
});

passing('should tell who is here and what they do, until they leave', async () => {
  const talk = await Talk.open();
  const [victim, middle] = [talk.viewer(VICTIM), talk.viewer(MALLORY)];
  const doings = (): string[] => talk.reader.chat.people.map(({ from, doing }) => `${from} ${doing}`);
  talk.connect(victim, VICTIM, middle, MALLORY);
  talk.connect(middle, MALLORY, talk.reader, READER);
  await talk.room.clock.run(500);
  victim.chat.be('buffering');
  victim.chat.be('away');
  await talk.room.clock.run(2_000);
  assert.equal(doings(), [`${victimId} away`], 'heard beyond the neighbours');
  assert.equal(victim.chat.people, [], 'not oneself');
  await talk.room.clock.run(200_000);
  assert.equal(doings(), [`${victimId} away`], 'said again and again');
  // Its neighbour sees it leave, the others hear no more of it.
  victim.close();
  await talk.room.clock.run(1_000);
  assert.equal(middle.chat.people, []);
  await talk.room.clock.run(120_000);
  assert.equal(doings(), []);
  for (const viewer of [middle, talk.reader]) viewer.close();
});

passing('should be said late by who begins, and to newcomers soon where there are few', async () => {
  for (const [peopleCount, expectedMs] of [
    [0, [4_000, 6_500, 9_500]],
    [20, [4_000, 13_500]],
  ] as const) {
    const clock = new VirtualClock();
    const saidMs: number[] = [];
    const presence = new Presence({ clock, say: () => saidMs.push(clock.nowMs()) });
    presence.be('waiting');
    for (let i = 0; i < peopleCount; i++)
      presence.heard({ from: `m${i}`, name: 'Ada', isHost: false, doing: 'watching' });
    await clock.run(5_000);
    presence.met();
    await clock.run(3_000);
    presence.be('watching');
    presence.met();
    await clock.run(1_000);
    await clock.run(peopleCount === 0 ? 1_000 : 8_000);
    assert.equal(saidMs, expectedMs);
    presence.close();
  }
});

passing('should not be said again by others, nor more often than one may', async () => {
  const talk = await Talk.open();
  const cheers: string[] = [];
  talk.reader.chat.listenToCheers(({ from }) => cheers.push(from));
  const far = talk.meet();
  const author = { key: VICTIM, badge: null };
  const cheer = (sentAtMs: number) =>
    sealPassing(talk.chat, author, { name: 'Ada', sentAtMs, what: { kind: 'cheer', emoji: EMOJI[0] } });
  const nowMs = talk.room.clock.wallMs();
  const first = await cheer(nowMs);
  const again = await altered(talk.chat, first, (parts) => parts);
  for (const sealed of [first, again]) far.send(encodeFrame('passing', { sealed }));
  await talk.room.clock.run(100);
  assert.equal(cheers, [victimId]);
  for (let i = 1; i <= 20; i++) far.send(encodeFrame('passing', { sealed: await cheer(nowMs + i) }));
  await talk.room.clock.run(100);
  assert.ok(cheers.length <= 7, `${cheers.length} cheers at once`);
  assert.equal(talk.closed, []);
  talk.reader.close();
});

passing('should cost a member no more in a room of hundreds than in one of fifty', async () => {
  const talk = await Talk.open();
  const { clock } = talk.room;
  let copies = 0;
  const neighbour = () => ({ isOpen: true, send: () => (copies += 1) }) as unknown as Link;
  const [bringer, ...others] = Array.from({ length: 8 }, neighbour);
  assert.ok(bringer);
  const chat = new Chat({
    clock,
    room: talk.chat,
    author: { key: READER, badge: null },
    selfId: memberIdOfKey(READER),
    name: () => 'Ada',
    audience: () => [bringer, ...others],
    mutes: new Mutes(clock),
    onChange: () => undefined,
  });
  const hear = async (count: number, from: number) => {
    for (let i = 0; i < count; i++) {
      const what = { kind: 'here', doing: 'watching' } as const;
      const said = { name: `member ${from + i}`, sentAtMs: clock.wallMs(), what };
      const author = { key: memberKey(100 + from + i), badge: null };
      chat.handlers.passing?.(bringer, { sealed: await sealPassing(talk.chat, author, said) });
    }
    // No virtual time: what was handed over is opened in the turns of promises.
    for (let turn = 0; chat.people.length < from + count && turn < 1_000; turn++) await clock.run(0);
    await clock.run(0);
  };
  await hear(50, 0);
  assert.is(copies, 150, 'of each of fifty to three');
  await hear(100, 50);
  assert.is(chat.people.length, 150, 'it learns of all that come');
  assert.is(copies, 150, 'and passes none on at once');
  await clock.run(4_000);
  await hear(20, 150);
  assert.is(copies, 159, 'but slowly');
  chat.be('watching');
  await clock.run(0);
  await clock.run(4_000);
  assert.is(copies, 162, 'what it does itself is said whatever the others said');
  chat.close();
  talk.reader.close();
});

passing('should be passed on to as many as it is meant for, and no faster than a line bears', async () => {
  const clock = new VirtualClock();
  const crypto = await chooseCrypto();
  const heard = new Map<string, number>();
  const linkTo = (id: string) => {
    heard.set(id, 0);
    return { send: () => heard.set(id, (heard.get(id) ?? 0) + 1) } as unknown as Link;
  };
  const audience = Array.from({ length: 40 }, (_, i) => linkTo(`m${i}`));
  let mostCount = 3;
  const relay = new PassingRelay({ crypto, clock, audience: () => audience, accept: async () => mostCount });
  const copies = (): number => [...heard.values()].reduce((sum, count) => sum + count, 0);
  for (let i = 0; i < 40; i++) await relay.say(crypto.randomBytes(100));
  assert.is(copies(), 3 * 40);
  assert.ok([...heard.values()].filter((count) => count > 0).length > 20, 'not the same ones each time');
  mostCount = Number.POSITIVE_INFINITY;
  await clock.run(60_000);
  for (let i = 0; i < 40; i++) await relay.say(crypto.randomBytes(100));
  assert.is(copies(), 3 * 40 + 320, 'eight of them to all 40');
  await clock.run(800);
  await relay.say(crypto.randomBytes(100));
  assert.is(copies(), 3 * 40 + 320 + 40, 'the next one 800 ms later');
});

passing.run();
