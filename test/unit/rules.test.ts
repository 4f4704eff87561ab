import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Bytes, fromBase64url, toBase64url } from '../../peer/bytes.ts';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import { type ErrorCode, MatineeError } from '../../peer/errors.ts';
import { MAX_FRAME_BYTES } from '../../peer/limits.ts';
import {
  isMuted,
  type ListedVideo,
  MAX_LOCKED_TO,
  MAX_MUTED,
  MAX_REMOVED,
  MAX_VIDEOS,
  openRules,
  peekRules,
  signRules,
  standingOf,
} from '../../peer/manifest/rules.ts';
import { signBody } from '../../peer/manifest/signed.ts';
import { OriginRoom } from '../../peer/room/origin-room.ts';
import { RulesExchange } from '../../peer/room/rules-exchange.ts';
import { SendBudget } from '../../peer/swarm/send-budget.ts';
import { Uplink } from '../../peer/swarm/uplink.ts';
import { MAX_SEALED_TITLE_BYTES } from '../../peer/video-info.ts';
import { encodeFrame } from '../../peer/wire/frame.ts';
import { Link } from '../../peer/wire/link.ts';
import { WIRE_VERSION } from '../../peer/wire/messages.ts';
import { virtualLine } from '../sim/virtual-channel.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';
import { memberId } from '../sim/virtual-room.ts';
import { flipped, MadeRoom } from '../tools/made-room.ts';

const crypto = await chooseCrypto();

async function fails(code: ErrorCode, run: () => Promise<unknown>): Promise<void> {
  const outcome = await run().then(
    () => 'no failure',
    (error: unknown) => (error instanceof MatineeError ? error.code : error),
  );
  assert.is(outcome, code);
}

function id(number: number): Bytes {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
}

const ids = (count: number): Bytes[] => Array.from({ length: count }, (_, i) => id(i));

/** A video of the list, with a title of so many bytes. */
function listed(number: number, titleBytes = 40): ListedVideo {
  return { video: id(number), title: new Uint8Array(titleBytes).fill(number) };
}

const documents = suite('the host’s rules');

documents('should list each video once, and have what is watched among them', async () => {
  const made = await MadeRoom.create(crypto);
  const [a, b] = [listed(1), listed(2)];
  await made.rules(1, { videos: [a, b], current: b.video });
  await made.rules(1, { videos: [a, b], current: null });
  await fails('MANIFEST_MALFORMED', () => made.rules(1, { videos: [a, b, a], current: b.video }));
  await fails('MANIFEST_MALFORMED', () => made.rules(1, { videos: [a], current: b.video }));
  await fails('MANIFEST_MALFORMED', () => made.rules(1, { videos: [], current: b.video }));
  const tooMany = Array.from({ length: MAX_VIDEOS + 1 }, (_, i) => listed(i));
  await fails('MANIFEST_MALFORMED', () => made.rules(1, { videos: tooMany }));
  await fails('MANIFEST_MALFORMED', () => made.rules(1, { videos: [listed(1, MAX_SEALED_TITLE_BYTES + 1)] }));
});

documents('should open as they were signed, for their room alone', async () => {
  const made = await MadeRoom.create(crypto);
  const videos = [listed(3), listed(4)];
  const wishes = { atMs: 5, removed: [id(1)], muted: [id(2)], lockedTo: [id(3)], isOriginOnly: true };
  const rules = await openRules(
    crypto,
    made.roomBytes,
    await made.rules(7, { ...wishes, videos, current: id(4) }),
  );
  assert.equal(rules, {
    v: 2,
    room: made.roomBytes,
    publicKey: made.key.publicKey,
    number: 7,
    ...wishes,
    videos,
    current: id(4),
  });
  const other = await MadeRoom.create(crypto);
  const ofMade = await made.rules(1);
  await fails('SIGNATURE_WRONG', () => openRules(crypto, other.roomBytes, ofMade));
});

documents(
  'should be refused where another key signed them, even with the room’s own key inside',
  async () => {
    const [made, other] = [await MadeRoom.create(crypto), await MadeRoom.create(crypto)];
    const forged = await signRules(
      crypto,
      { publicKey: made.key.publicKey, privateKey: other.key.privateKey },
      {
        number: 1,
        atMs: 0,
        removed: [],
        muted: [],
        lockedTo: null,
        isOriginOnly: false,
        videos: [],
        current: null,
      },
    );
    await fails('SIGNATURE_WRONG', () => openRules(crypto, made.roomBytes, forged));
  },
);

documents('should be refused where the host signed the very bytes for another use', async () => {
  const made = await MadeRoom.create(crypto);
  const rules = await made.rules(1);
  // [body, signature]: a byte for the pair, two for the body's length.
  const body = rules.slice(3, rules.byteLength - 66);
  const elsewhere = await signBody(crypto, made.key.privateKey, 'matinee/1 manifest', body);
  const here = await signBody(crypto, made.key.privateKey, 'matinee/1 rules', body);
  assert.equal((await openRules(crypto, made.roomBytes, here)).number, 1);
  await fails('SIGNATURE_WRONG', () => openRules(crypto, made.roomBytes, elsewhere));
});

documents('should be refused with any bit flipped and at any shorter length', async () => {
  const made = await MadeRoom.create(crypto);
  const envelope = await made.rules(9, { removed: ids(2), muted: ids(1), lockedTo: ids(2) });
  const isRefused = async (bytes: Bytes): Promise<boolean> =>
    openRules(crypto, made.roomBytes, bytes).then(
      () => false,
      (error) => error instanceof MatineeError,
    );
  await fc.assert(
    fc.asyncProperty(fc.nat(envelope.byteLength * 8 - 1), async (bit) => {
      const bent = envelope.slice();
      bent[bit >> 3] = (bent[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      return await isRefused(bent);
    }),
    { numRuns: 400 },
  );
  for (let bytes = 0; bytes < envelope.byteLength; bytes++)
    assert.ok(await isRefused(envelope.slice(0, bytes)), `cut to ${bytes} bytes`);
  assert.ok(await isRefused(new Uint8Array([...envelope, 0])));
});

documents('should fit a frame with as many members as they can name, and name no more', async () => {
  const made = await MadeRoom.create(crypto);
  const full = { removed: ids(MAX_REMOVED), muted: ids(MAX_MUTED), lockedTo: ids(MAX_LOCKED_TO) };
  const videos = Array.from({ length: MAX_VIDEOS }, (_, i) => listed(i, MAX_SEALED_TITLE_BYTES));
  const envelope = await made.rules(2 ** 31, { ...full, videos, current: id(1) });
  assert.ok(encodeFrame('rules', { envelope }).byteLength <= MAX_FRAME_BYTES);
  assert.is((await openRules(crypto, made.roomBytes, envelope)).removed.length, MAX_REMOVED);
  await fails('MANIFEST_MALFORMED', () => made.rules(1, { removed: ids(MAX_REMOVED + 1) }));
  await fails('MANIFEST_MALFORMED', () => made.rules(1, { lockedTo: ids(MAX_LOCKED_TO + 1) }));
  for (const number of [0, -1, 1.5, 2 ** 31 + 1]) await fails('MANIFEST_MALFORMED', () => made.rules(number));
});

documents('should say of each member whether it is in, and whether it is heard', async () => {
  const made = await MadeRoom.create(crypto);
  const named = { removed: [id(1)], muted: [id(2)], lockedTo: [id(1), id(2)] };
  const rules = await openRules(crypto, made.roomBytes, await made.rules(1, named));
  const standings = [1, 2, 3].map((number) => standingOf(rules, toBase64url(id(number))));
  assert.equal(standings, ['removed', 'ok', 'locked']);
  assert.is(standingOf({ ...rules, lockedTo: null }, toBase64url(id(3))), 'ok');
  assert.equal(
    [1, 2].map((number) => isMuted(rules, toBase64url(id(number)))),
    [false, true],
  );
});

documents.run();

const exchange = suite('rules passed from peer to peer');

function newExchange(made: MadeRoom): { exchange: RulesExchange; adopted: number[] } {
  const adopted: number[] = [];
  const rules = new RulesExchange({
    crypto,
    roomId: made.roomBytes,
    audience: () => [],
    onChange: ({ number }) => void adopted.push(number),
  });
  return { exchange: rules, adopted };
}

exchange('should be replaced by newer ones alone, in whatever order they come', async () => {
  const made = await MadeRoom.create(crypto);
  const signed = await Promise.all([1, 2, 3, 4, 5].map((number) => made.rules(number)));
  await fc.assert(
    fc.asyncProperty(fc.shuffledSubarray([1, 2, 3, 4, 5], { minLength: 1 }), async (order) => {
      const { exchange, adopted } = newExchange(made);
      for (const number of [...order, ...order]) await exchange.adopt(signed[number - 1] ?? new Uint8Array());
      assert.is(exchange.rules?.number, Math.max(...order));
      assert.equal(adopted, [...new Set(adopted)].sort());
    }),
    { numRuns: 50 },
  );
});

exchange('should not change by another document with the same number', async () => {
  const made = await MadeRoom.create(crypto);
  const { exchange } = newExchange(made);
  assert.is(await exchange.adopt(await made.rules(3, { removed: [id(1)] })), true);
  assert.is(await exchange.adopt(await made.rules(3)), false);
  assert.is(exchange.whyOut(toBase64url(id(1))), 'REMOVED');
  assert.is(await exchange.adopt(await made.rules(4, { lockedTo: [] })), true);
  assert.is(exchange.whyOut(toBase64url(id(1))), 'ROOM_LOCKED');
});

exchange.run();

interface Visitor {
  link: Link;
  /** Numbers of the rules it heard. */
  heard: number[];
  /** How the link ended; null while it is open. */
  code: string | null;
}

/** An origin's room that serves nothing, on a virtual clock, and members who come to it. */
class Hall {
  readonly clock = new VirtualClock();
  readonly made: MadeRoom;
  readonly origin: OriginRoom;

  constructor(made: MadeRoom) {
    this.made = made;
    this.origin = new OriginRoom({
      crypto,
      clock: this.clock,
      roomId: made.roomBytes,
      budget: new SendBudget(this.clock, null),
      uplink: new Uplink(this.clock),
      stored: new Set(),
      source: { pieceBytes: () => 0, read: async () => false },
      onLinkClosed: () => undefined,
      onError: (error) => {
        throw error;
      },
    });
  }

  visit(index: number): Visitor {
    // No frame takes time to leave: on this line nothing that was sent is overtaken by the close.
    const [mine, theirs] = virtualLine({
      clock: this.clock,
      delayMs: 20,
      bytesPerSec: Number.POSITIVE_INFINITY,
    });
    const heard: number[] = [];
    this.origin.connect(theirs, { id: memberId(index), kind: 'member' });
    const remote = { id: 'origin', kind: 'origin' } as const;
    const link = new Link(mine, remote, {
      clock: this.clock,
      handlers: { rules: (_, { envelope }) => void heard.push(peekRules(envelope).number) },
      onClose: (_, code) => {
        visitor.code = code;
      },
    });
    const visitor: Visitor = { link, heard, code: null };
    link.send('hello', { v: WIRE_VERSION, role: 'member', card: null });
    return visitor;
  }
}

function memberBytes(index: number): Bytes {
  const bytes = fromBase64url(memberId(index));
  assert.ok(bytes);
  return bytes ?? new Uint8Array();
}

const obeying = suite('the origin obeying the host’s rules');

obeying('should tell newcomers, and everybody when they change', async () => {
  const hall = new Hall(await MadeRoom.create(crypto));
  const early = hall.visit(1);
  await hall.clock.run(1000);
  await hall.origin.obey(await hall.made.rules(1));
  const late = hall.visit(2);
  await hall.clock.run(1000);
  await hall.origin.obey(await hall.made.rules(2));
  await hall.clock.run(1000);
  assert.equal(
    [early.heard, late.heard],
    [
      [1, 2],
      [1, 2],
    ],
  );
  hall.origin.close('CLOSED');
});

obeying('should close whom they remove or lock out, and let them in no more', async () => {
  const hall = new Hall(await MadeRoom.create(crypto));
  const [gone, outside, stays] = [hall.visit(1), hall.visit(2), hall.visit(3)];
  await hall.clock.run(1000);
  await hall.origin.obey(
    await hall.made.rules(1, {
      removed: [memberBytes(1)],
      lockedTo: [memberBytes(1), memberBytes(3)],
    }),
  );
  await hall.clock.run(1000);
  assert.equal([gone.code, outside.code, stays.code], ['REMOVED', 'ROOM_LOCKED', null]);
  assert.equal([hall.origin.isOut(memberId(1)), hall.origin.isOut(memberId(3))], [true, false]);
  const again = hall.visit(1);
  await hall.clock.run(1000);
  assert.equal([again.code, hall.origin.linkCount], ['REMOVED', 1]);
  await hall.origin.obey(await hall.made.rules(2));
  const back = hall.visit(1);
  await hall.clock.run(1000);
  assert.equal([back.code, hall.origin.linkCount], [null, 2]);
  hall.origin.close('CLOSED');
});

obeying('should take none from its visitors, and none that are not the host’s', async () => {
  const hall = new Hall(await MadeRoom.create(crypto));
  const other = await MadeRoom.create(crypto);
  const visitor = hall.visit(1);
  await hall.clock.run(1000);
  visitor.link.send('rules', { envelope: await hall.made.rules(5, { removed: [memberBytes(1)] }) });
  await hall.clock.run(1000);
  assert.is(hall.origin.rules, null);
  const foreign = await other.rules(6);
  const right = await hall.made.rules(6);
  await fails('SIGNATURE_WRONG', () => hall.origin.obey(foreign));
  await fails('SIGNATURE_WRONG', () => hall.origin.obey(flipped(right, right.byteLength - 1)));
  assert.equal([hall.origin.rules, visitor.code], [null, null]);
  hall.origin.close('CLOSED');
});

obeying.run();
