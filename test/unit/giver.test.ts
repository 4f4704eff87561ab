import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Bytes, fromBase64url, toBase64url } from '../../peer/bytes.ts';
import { pieceBytes, pieceCount, pieceStart } from '../../peer/manifest/geometry.ts';
import { decodeManifestUpdate } from '../../peer/manifest/manifest-writer.ts';
import { NO_RULES, signRules } from '../../peer/manifest/rules.ts';
import { signBadge } from '../../peer/room/badge.ts';
import { Giver, giverCard } from '../../peer/room/giver.ts';
import type { Message } from '../../peer/wire/messages.ts';
import { givingLimit } from '../../web/src/home/giving-limit.ts';
import { GivingMember, type GivingMemberParts } from '../../web/src/member/giving-member.ts';
import type { Member } from '../../web/src/member/member.ts';
import { isAlone } from '../../web/src/room/company.ts';
import { peopleOf, whoIsHere } from '../../web/src/room/people.ts';
import { Session } from '../../web/src/room/session.ts';
import { memberId, VirtualRoom } from '../sim/virtual-room.ts';
import { BarePeer } from '../tools/bare-peer.ts';
import { type House, hasOrigin, withHouse } from '../tools/house.ts';
import type { MadeRoom } from '../tools/made-room.ts';
import { memberKey } from '../tools/member-keys.ts';
import { MovingDevice } from '../tools/moving-device.ts';

const SEGMENT_BYTES = 200_000;

/** A film of so many segments that the server lists and has nothing of, and its host's page that gives it. */
async function giving(
  house: House,
  segmentCount: number,
  more: Partial<GivingMemberParts> = {},
): Promise<{ made: MadeRoom; host: GivingMember; read: string[] }> {
  const made = await house.makeRoom();
  const update = await made.grow(700, ...new Array<number>(segmentCount).fill(SEGMENT_BYTES));
  await house.change(made, (store) => store.putManifest(made.room, made.video, update));
  const read: string[] = [];
  const host = await GivingMember.join({
    room: {
      roomId: made.roomBytes,
      roomSecret: made.tokenBytes,
      videoId: made.videoBytes,
      hostKey: made.key,
      link: '',
    },
    crypto: house.crypto,
    clock: house.clock,
    random: house.random,
    signalingUrl: 'ws://simulated',
    openSocket: () => house.broker.open(() => false),
    createPeer: (isInitiator) => house.peers.create(isInitiator),
    fetchRules: async () => null,
    setLetIn: async () => undefined,
    read: async (segment, piece) => {
      read.push(`${segment}/${piece}`);
      return pieceOf(made, segment, piece);
    },
    onRules: () => undefined,
    ...more,
  });
  await host.giver.update(decodeManifestUpdate(update));
  host.giver.offer(made.segments.map((_, segment) => segment));
  return { made, host, read };
}

function pieceOf({ segments }: Pick<MadeRoom, 'segments'>, segment: number, piece: number): Bytes | null {
  const whole = segments[segment];
  if (!whole) return null;
  const start = pieceStart(whole.byteLength, piece);
  return whole.slice(start, start + pieceBytes(whole.byteLength, piece));
}

function hasAll(member: Member, { segments }: MadeRoom): boolean {
  return segments.every((whole, segment) => {
    for (let piece = 0; piece < pieceCount(whole.byteLength); piece++)
      if (!member.viewer.hasPiece(segment, piece)) return false;
    return true;
  });
}

function storeOne(house: House, made: MadeRoom, segment: number): Promise<void> {
  async function* body() {
    yield made.segments[segment] ?? new Uint8Array();
  }
  return house.change(made, (store) => store.putSegment(made.room, made.video, segment, body()));
}

/** Whether this viewer is connected to a giver. */
function hasGiver(member: Member): boolean {
  return [...member.viewer.links].some((link) => member.viewer.isGiver(link));
}

/** Disk and virtual time: lets what the store does come through. */
async function until(house: House, isDone: () => boolean, forMs: number): Promise<boolean> {
  for (let spentMs = 0; spentMs < forMs; spentMs += 100) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    if (await house.clock.runUntil(isDone, 100)) return true;
  }
  return false;
}

const giver = suite('a host’s page that gives');

/** The links of a viewer to the host's page. */
function toGiver({ viewer }: Member) {
  return [...viewer.links].filter((link) => viewer.isGiver(link));
}

for (const [name, isTold, withinMs] of [
  ['should be heard again within 5 s of being told that it is in another network', true, 5_000],
  ['should find out by itself that it is in another network', false, 12_000],
] as const)
  giver(name, () =>
    withHouse(2, async (house) => {
      const device = new MovingDevice(house);
      const { made, host } = await giving(house, 1, device.parts);
      const viewer = await house.join(made);
      assert.ok(await until(house, () => hasGiver(viewer), 10_000));
      const before = toGiver(viewer);
      device.move();
      if (isTold) host.networkChanged();
      await house.clock.run(withinMs);
      const after = toGiver(viewer);
      assert.equal([after.length, device.socketCount], [1, 2]);
      assert.ok(after.every((link) => !before.includes(link)));
      host.close();
      await house.clock.run(60_000);
    }),
  );

giver('should give viewers what the server does not have, and leave its places to them', () =>
  withHouse(1, async (house) => {
    const { made, host, read } = await giving(house, 5);
    const viewer = await house.join(made);
    assert.ok(await until(house, () => hasAll(viewer, made), 20_000));
    const { fromPeersBytes, fromOriginBytes } = viewer.viewer.traffic();
    assert.is(fromOriginBytes, 0);
    assert.is(fromPeersBytes, 700 + 5 * SEGMENT_BYTES);
    assert.is(new Set(read).size, read.length, 'each piece is read once, when it is asked for');
    assert.is(host.giver.sentBytes, fromPeersBytes);
    assert.ok(hasOrigin(viewer), 'the only place is the viewer’s');
    assert.is(viewer.viewer.rejectedPieces, 0);
    host.close();
    await house.clock.run(1000);
    assert.not(hasGiver(viewer));
  }),
);

giver('should have two viewers pass on what each of them got', () =>
  withHouse(4, async (house) => {
    const { made, host } = await giving(house, 6);
    host.giver.setLimit(300_000);
    const viewers = [await house.join(made), await house.join(made)];
    assert.ok(await until(house, () => viewers.every((viewer) => hasAll(viewer, made)), 30_000));
    const filmBytes = 700 + 6 * SEGMENT_BYTES;
    assert.ok(
      host.giver.sentBytes < 1.5 * filmBytes,
      `${host.giver.sentBytes} given of a film of ${filmBytes}`,
    );
    host.close();
  }),
);

giver('should give nothing any more of what the server has by now', () =>
  withHouse(2, async (house) => {
    const { made, host, read } = await giving(house, 4);
    // Nothing leaves yet: what is asked for waits.
    host.giver.setLimit(1);
    const viewer = await house.join(made);
    assert.ok(await until(house, () => hasGiver(viewer), 10_000));
    await until(house, () => false, 2000);
    const readBefore = read.length;
    for (const segment of made.segments.keys()) {
      host.giver.withdraw(segment);
      await storeOne(house, made, segment);
    }
    assert.ok(await until(house, () => hasAll(viewer, made), 60_000));
    assert.ok(viewer.viewer.traffic().fromOriginBytes > 4 * SEGMENT_BYTES - 2 * 65_536);
    assert.is(read.length, readBefore);
    host.close();
  }),
);

giver('should give nothing while nothing is to be given, and then again', () =>
  withHouse(2, async (house) => {
    const { made, host, read } = await giving(house, 3);
    host.giver.setLimit(0);
    const viewer = await house.join(made);
    assert.ok(await until(house, () => hasGiver(viewer), 10_000));
    await until(house, () => false, 3000);
    assert.equal(read, []);
    host.giver.setLimit(null);
    assert.ok(await until(house, () => hasAll(viewer, made), 10_000));
    host.close();
  }),
);

giver('should stay within its limit, also where its timers run once a second', () =>
  withHouse(2, async (house) => {
    const clock = house.clock;
    const hidden = {
      nowMs: () => clock.nowMs(),
      wallMs: () => clock.wallMs(),
      after: (delayMs: number, run: () => void) => clock.after(1000 * Math.ceil(delayMs / 1000), run),
    };
    const { made, host } = await giving(house, 20, { clock: hidden });
    host.giver.setLimit(60_000);
    const viewer = await house.join(made);
    assert.ok(await until(house, () => hasGiver(viewer), 10_000));
    const before = host.giver.sentBytes;
    await until(house, () => false, 20_000);
    const givenBytes = host.giver.sentBytes - before;
    assert.ok(givenBytes <= 20 * 60_000 + 3 * 65_536, `${givenBytes} in 20 s`);
    assert.ok(givenBytes > 10 * 60_000, `${givenBytes} in 20 s`);
    host.close();
  }),
);

giver('should connect to nobody before it knows that the host allows it', () =>
  withHouse(2, async (house) => {
    let isAsked = false;
    let answer = (_: Bytes | null): void => undefined;
    const { made, host } = await giving(house, 2, {
      fetchRules: () => {
        isAsked = true;
        return new Promise((resolve) => {
          answer = resolve;
        });
      },
    });
    const viewer = await house.join(made);
    await until(house, () => false, 10_000);
    assert.ok(isAsked);
    assert.not(hasGiver(viewer));
    answer(null);
    assert.ok(await until(house, () => hasGiver(viewer), 10_000));
    host.close();
  }),
);

giver('should ask for the rules again where the server did not say', () =>
  withHouse(2, async (house) => {
    let tries = 0;
    const { made, host } = await giving(house, 2, {
      fetchRules: async () => {
        tries += 1;
        if (tries < 3) throw new Error('no answer');
        return null;
      },
    });
    const viewer = await house.join(made);
    await until(house, () => false, 15_000);
    assert.not(hasGiver(viewer));
    assert.ok(await until(house, () => hasGiver(viewer), 20_000));
    assert.is(tries, 3);
    host.close();
  }),
);

giver('should never connect in a room that goes through the server only', () =>
  withHouse(2, async (house) => {
    let rules: Bytes | null = null;
    let dials = 0;
    const createPeer = (isInitiator: boolean) => {
      dials += 1;
      return house.peers.create(isInitiator);
    };
    const { made, host } = await giving(house, 2, { fetchRules: async () => rules, createPeer });
    rules = await made.rules(1, { isOriginOnly: true });
    const viewer = await house.join(made);
    await until(house, () => false, 15_000);
    assert.ok(host.isForbidden);
    assert.not(hasGiver(viewer));
    assert.is(dials, 0, 'neither dialled nor answered');
    host.close();
  }),
);

giver('should part from everybody once the host says so', () =>
  withHouse(2, async (house) => {
    const { made, host } = await giving(house, 2);
    const viewer = await house.join(made);
    assert.ok(await until(house, () => hasGiver(viewer), 10_000));
    const rules = await made.rules(1, { isOriginOnly: true });
    await house.change(made, (store) => store.putRules(made.room, rules));
    assert.ok(await until(house, () => !hasGiver(viewer) && host.isForbidden, 10_000));
    const { madeCount } = house.peers;
    await until(house, () => false, 15_000);
    assert.is(house.peers.madeCount, madeCount);
    host.close();
  }),
);

/** A giving member in a room that is locked to a viewer; `lockedTo` is what the server's rules say by now. */
async function lockedGiving(house: House) {
  let isServerAway = false;
  let number = 0;
  let rules: Bytes | null = null;
  const lists: string[][] = [];
  const lock = async (ids: readonly string[]): Promise<void> => {
    const lockedTo = ids.map((id) => fromBase64url(id) ?? new Uint8Array());
    const next = await made.rules(++number, { lockedTo });
    rules = next;
    lists.push([...ids]);
    await house.change(made, (store) => store.putRules(made.room, next));
  };
  const { made, host } = await giving(house, 2, {
    fetchRules: async () => rules,
    setLetIn: async (member, isLetIn) => {
      if (isServerAway) throw new Error('no answer');
      const id = toBase64url(member);
      const others = (lists.at(-1) ?? []).filter((one) => one !== id);
      await lock(isLetIn ? [...others, id] : others);
    },
  });
  const setServerAway = (isAway: boolean): void => {
    isServerAway = isAway;
  };
  return { made, host, lock, lists, setServerAway };
}

giver('should let itself into a room that the host has locked, and off the list when it leaves', () =>
  withHouse(2, async (house) => {
    const { made, host, lock, lists } = await lockedGiving(house);
    const viewer = await house.join(made);
    await lock([viewer.selfId]);
    assert.ok(await until(house, () => hasAll(viewer, made), 20_000));
    assert.is(lists.length, 2);
    assert.is(lists[1]?.length, 2);
    assert.is(lists[1]?.[0], viewer.selfId);
    // Locked anew, to those the host knows: the page is none of them.
    await lock([viewer.selfId]);
    assert.ok(await until(house, () => lists.length === 4, 10_000));
    assert.ok(await until(house, () => hasGiver(viewer), 20_000));
    host.close();
    assert.ok(await until(house, () => lists.length === 5, 5000));
    assert.equal(lists[4], [viewer.selfId]);
  }),
);

giver('should ask again to be let in where the server is away', () =>
  withHouse(2, async (house) => {
    const { made, host, lock, lists, setServerAway } = await lockedGiving(house);
    const viewer = await house.join(made);
    setServerAway(true);
    await lock([viewer.selfId]);
    await until(house, () => false, 5000);
    assert.not(hasGiver(viewer));
    setServerAway(false);
    assert.ok(await until(house, () => hasAll(viewer, made), 20_000));
    assert.is(lists.length, 2);
    host.close();
    await until(house, () => lists.length === 3, 5000);
  }),
);

giver('should be no person of the room, nor company', () =>
  withHouse(4, async (house) => {
    const { made, host } = await giving(house, 2);
    const viewer = await house.join(made);
    const session = new Session(
      viewer,
      house.clock,
      () => undefined,
      () => true,
    );
    assert.ok(await until(house, () => hasGiver(viewer), 10_000));
    await until(house, () => false, 40_000);
    const snapshot = session.snapshot();
    assert.equal(snapshot.peers.map(({ kind, name }) => [kind, name]).sort(), [
      ['giver', null],
      ['origin', null],
    ]);
    assert.is(whoIsHere(snapshot).length, 1);
    assert.equal(peopleOf(snapshot), []);
    assert.equal(snapshot.present, []);
    assert.ok(isAlone(viewer, 20_000));
    host.close();
    session.close();
  }),
);

giver('should be no company to one who goes through the server only either', () =>
  withHouse(4, async (house) => {
    const { made, host } = await giving(house, 2);
    const viewer = await house.join(made);
    viewer.setPeersAllowed(false);
    await until(house, () => false, 16_000);
    assert.equal(viewer.named.length, 1, 'signaling cannot tell it from a person');
    assert.not(isAlone(viewer, 1000));
    assert.ok(isAlone(viewer, 16_000));
    const friend = await house.join(made);
    friend.setPeersAllowed(false);
    friend.viewer.chat.be('watching');
    assert.ok(await until(house, () => !isAlone(viewer, 30_000), 10_000));
    host.close();
  }),
);

giver.run();

const claim = suite('somebody who says that it is the host’s page');

const FILM = { segmentCount: 20, segmentMs: 2000, segmentBytes: 400_000 };

/** A viewer, and a peer that says it is a giver, with the card that is made for it. */
async function claiming(makeCard: (room: VirtualRoom) => Promise<Bytes | null>) {
  const room = await VirtualRoom.open(FILM);
  const viewer = room.viewer();
  const heard = new Set<string>();
  const hello = { role: 'giver', card: await makeCard(room) } as const;
  const onMessage = ({ name }: Message): unknown => heard.add(name);
  const peer = new BarePeer({ room, target: viewer, id: memberId(7), hello, onMessage });
  await room.clock.run(1000);
  return { room, viewer, peer, heard };
}

claim('should be parted from where it shows no card', async () => {
  const { viewer, peer } = await claiming(async () => null);
  assert.is(peer.goodbye, 'SIGNATURE_WRONG');
  viewer.close();
});

claim('should be parted from where its card has no badge of the host', async () => {
  const { viewer, peer } = await claiming((room) => giverCard(room, { key: memberKey(7), badge: null }));
  assert.is(peer.goodbye, 'SIGNATURE_WRONG');
  viewer.close();
});

claim('should hear nothing of the talk, and be nobody to pass pieces on to', async () => {
  const { room, viewer, peer, heard } = await claiming(async (made) => {
    const { crypto, hostKey } = made;
    const badge = await signBadge(crypto, hostKey, memberKey(7).publicKey, 0);
    return giverCard(made, { key: memberKey(7), badge });
  });
  assert.is(peer.goodbye, null);
  viewer.chat.be('watching');
  await viewer.say('hello');
  // The real origin brings the manifest; then one that only listens takes its place.
  const line = room.connectOrigin(viewer, 1);
  assert.ok(await room.clock.runUntil(() => viewer.hasPiece(1, 0), 5000));
  line.vanish();
  const others = new Set<number>();
  const origin = new BarePeer({
    room,
    target: viewer,
    id: 'origin',
    kind: 'origin',
    onMessage: ({ name, body }) => {
      if (name === 'request') others.add(body.others);
    },
  });
  origin.send('have', { whole: [[0, FILM.segmentCount + 1]], parts: [] });
  await room.clock.run(10_000);
  assert.equal([...others], [0]);
  for (const name of ['chat', 'chatKnown', 'passing', 'playback', 'have']) assert.not(heard.has(name), name);
  viewer.close();
});

claim.run();

const word = suite('what a giver says');

word('should be what it has, what it has no longer, and goodbye to whom the host keeps out', async () => {
  const room = await VirtualRoom.open(FILM);
  const { clock, crypto, hostKey } = room;
  const closed: string[] = [];
  const told = new Giver({
    clock,
    room,
    video: crypto.randomBytes(16),
    card: await giverCard(room, { key: memberKey(8), badge: null }),
    read: async () => null,
    onLinkClosed: (remote, code) => closed.push(`${remote.id} ${code}`),
    onRules: () => undefined,
  });
  told.offer([0, 1, 2, 3]);
  const said: Message[] = [];
  const onMessage = (message: Message): unknown => said.push(message);
  const peer = new BarePeer({ room, target: told, id: memberId(7), onMessage });
  await clock.run(100);
  told.withdraw(1);
  told.withdraw(9);
  told.offer([4]);
  await clock.run(100);
  const ofPieces = said.filter(({ name }) => name === 'have' || name === 'drop');
  assert.equal(
    ofPieces.map(({ body }) => body),
    [{ whole: [[0, 4]], parts: [] }, { runs: [[1, 1]] }, { whole: [[4, 1]], parts: [] }],
  );
  const removed = [fromBase64url(peer.id) ?? new Uint8Array()];
  await told.obey(await signRules(crypto, hostKey, { ...NO_RULES, number: 1, removed }));
  await clock.run(100);
  assert.is(peer.goodbye, 'REMOVED');
  assert.equal(closed, [`${memberId(7)} REMOVED`]);
  assert.ok(told.isOut(memberId(7)));
  told.close();
  await clock.run(1000);
  assert.is(clock.pendingTimers, 0);
});

word('should be no, at once, to what waits for a segment that the server has by now', async () => {
  const room = await VirtualRoom.open(FILM);
  const { clock, origin } = room;
  const { head, envelope } = origin.manifest;
  if (!head || !envelope) throw new Error('There is no manifest.');
  const told = new Giver({
    clock,
    room,
    video: head.video,
    card: await giverCard(room, { key: memberKey(8), badge: null }),
    read: async (segment, piece) => pieceOf(room, segment, piece),
    onLinkClosed: () => undefined,
    onRules: () => undefined,
  });
  const pages = head.pages.flatMap(({ hash }) => origin.manifest.pageBytes(hash) ?? []);
  await told.update({ head: envelope, pages });
  told.offer([1, 2, 3]);
  told.setLimit(1);
  const refused: string[] = [];
  const onMessage = ({ name, body }: Message): void => {
    if (name === 'noPiece') for (const piece of body.pieces) refused.push(`${body.segment}/${piece}`);
  };
  const peer = new BarePeer({ room, target: told, id: memberId(7), onMessage });
  const ask = { inMs: 5000, others: 0 };
  peer.send('request', { segment: 1, pieces: [99], ...ask });
  peer.send('request', { segment: 2, pieces: [0, 1], ...ask });
  peer.send('request', { segment: 3, pieces: [0], ...ask });
  await clock.run(200);
  assert.equal(refused, ['1/99'], 'there is no such piece; one of the others is on its way');
  told.withdraw(2);
  await clock.run(200);
  assert.equal(refused, ['1/99', '2/1']);
  told.close();
});

word.run();

const limit = suite('how much is given beside the upload');
const upload = {
  bytesPerSec: 900_000,
  isPaused: false,
  isStuck: false,
  isSpared: false,
  limitBytesPerSec: null,
};

limit('should be a third of what the upload has', () => {
  assert.is(givingLimit(upload), 300_000);
});

limit('should be little while the upload’s speed is unknown, and never nothing by that', () => {
  assert.is(givingLimit({ ...upload, bytesPerSec: null }), 65_536);
  assert.is(givingLimit({ ...upload, bytesPerSec: 0 }), 1);
});

limit('should be nothing while the person pauses, or is on mobile data', () => {
  assert.is(givingLimit({ ...upload, isPaused: true }), 0);
  assert.is(givingLimit({ ...upload, isSpared: true, isStuck: true }), 0);
});

limit('should have no end while the server does not answer: nothing else needs the line', () => {
  assert.is(givingLimit({ ...upload, isStuck: true }), null);
});

limit('should leave half of what the person allows to what the page passes on as a viewer', () => {
  const allowing = (limitBytesPerSec: number) => ({ ...upload, limitBytesPerSec });
  assert.is(givingLimit(allowing(250_000)), 125_000);
  assert.is(givingLimit(allowing(900_000)), 300_000);
  assert.is(givingLimit({ ...allowing(250_000), isStuck: true }), 125_000);
  assert.is(givingLimit({ ...allowing(0), isStuck: true }), 0);
});

limit.run();
