import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeCbor } from '../../peer/cbor.ts';
import { sealAuthored } from '../../peer/chat/authored.ts';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import { roomIdOf } from '../../peer/crypto/keys.ts';
import { MatineeError } from '../../peer/errors.ts';
import { MAX_SEALED_SYNC_BYTES } from '../../peer/limits.ts';
import { signBadge } from '../../peer/room/badge.ts';
import {
  comparePlayback,
  openPlayback,
  type Playback,
  type PlaybackSaid,
  placeAt,
  sealPlayback,
} from '../../peer/sync/playback.ts';
import { HOST_SILENT_MS, PlaybackRecord } from '../../peer/sync/playback-record.ts';
import { openStall, type Stall, Stalls, sealStall } from '../../peer/sync/stall.ts';
import { MAX_WAIT_MS, WAIT_AGAIN_MS, WaitForAll } from '../../peer/sync/wait-for-all.ts';
import { memberIdOfKey, memberKey } from '../tools/member-keys.ts';

fc.configureGlobal({ seed: 20_260_106, numRuns: 300 });

const crypto = await chooseCrypto();
const HOST_KEY = memberKey(100);
const ROOM = {
  crypto,
  chatKey: new Uint8Array(32).fill(1),
  roomId: await roomIdOf(crypto, HOST_KEY.publicKey),
};
const ANNA = memberKey(1);
const VIDEO = new Uint8Array(16).fill(9);
const NOW_MS = Date.UTC(2026, 0, 1);

const SAID: PlaybackSaid = {
  video: VIDEO,
  wishedMs: NOW_MS,
  atMs: NOW_MS,
  placeMs: 60_000,
  isPlaying: true,
  speedPercent: 100,
  isStart: false,
  waitsFor: null,
  name: 'Anna',
};

function statement(change: Partial<Playback>): Playback {
  const made = { ...SAID, from: 'a', isHost: false, ...change };
  return {
    ...made,
    key: JSON.stringify([made.wishedMs, made.atMs, made.placeMs, made.from, made.isPlaying]),
  };
}

async function refusal(run: () => Promise<unknown>): Promise<string | null> {
  try {
    await run();
    return null;
  } catch (error) {
    if (error instanceof MatineeError) return error.code;
    throw error;
  }
}

const statements = suite('a statement of where the room is');

statements(
  'should come out as it went in, its author proven, and fit where names and badge are longest',
  async () => {
    const name = '𝄞'.repeat(20);
    const badge = await signBadge(crypto, HOST_KEY, ANNA.publicKey, NOW_MS);
    const said = { ...SAID, name, waitsFor: name, wishedMs: 2 ** 52, atMs: 2 ** 53 - 1, placeMs: 86_400_000 };
    const sealed = await sealPlayback(ROOM, { key: ANNA, badge }, said);
    assert.ok(sealed.byteLength <= MAX_SEALED_SYNC_BYTES, `${sealed.byteLength} bytes`);
    const { from, isHost, key, ...rest } = await openPlayback(ROOM, sealed);
    assert.equal([from, isHost, rest], [memberIdOfKey(ANNA), true, said]);
    assert.ok(key.length > 0);
  },
);

const wrongs: [what: string, change: object][] = [
  ['a place before the beginning', { placeMs: -1 }],
  ['a place after a day', { placeMs: 86_400_001 }],
  ['a place between milliseconds', { placeMs: 0.5 }],
  ['no speed', { speedPercent: 0 }],
  ['a speed beyond the fastest', { speedPercent: 401 }],
  ['no name', { name: '' }],
  ['a name of 41 characters', { name: 'x'.repeat(41) }],
  ['a wish after it was told', { wishedMs: NOW_MS + 1 }],
  ['another version', { v: 2 }],
  ['a field more', { extra: 1 }],
];

for (const [what, change] of wrongs) {
  statements(`should be refused with ${what}`, async () => {
    const body = encodeCbor({ v: 1, room: ROOM.roomId, ...SAID, ...change });
    const sealed = await sealAuthored(ROOM, { key: ANNA, badge: null }, 'matinee/1 playback', body);
    assert.is(await refusal(() => openPlayback(ROOM, sealed)), 'FRAME_MALFORMED');
  });
}

statements('should not be taken from another room, nor from what was said of something else', async () => {
  const author = { key: ANNA, badge: null };
  const elsewhere = encodeCbor({ v: 1, room: new Uint8Array(16), ...SAID });
  const sealed = await sealAuthored(ROOM, author, 'matinee/1 playback', elsewhere);
  assert.is(await refusal(() => openPlayback(ROOM, sealed)), 'SIGNATURE_WRONG');
  const stall = await sealStall(ROOM, author, { atMs: 1, isStalled: true, name: 'Anna' });
  assert.is(await refusal(() => openPlayback(ROOM, stall)), 'SIGNATURE_WRONG');
  const playback = await sealPlayback(ROOM, author, SAID);
  assert.is(await refusal(() => openStall(ROOM, playback)), 'SIGNATURE_WRONG');
});

statements('should say where the room is: standing, playing, fast, or about to begin', () => {
  assert.is(placeAt({ ...SAID, isPlaying: false }, NOW_MS + 5_000), 60_000);
  assert.is(placeAt(SAID, NOW_MS + 5_000), 65_000);
  assert.is(placeAt({ ...SAID, speedPercent: 150 }, NOW_MS + 5_000), 67_500);
  assert.is(placeAt(SAID, NOW_MS - 5_000), 60_000);
});

statements.run();

/** Statements as members make them, honest or not, close enough together to tie. */
const anyStatement: fc.Arbitrary<Playback> = fc
  .record({
    wishedMs: fc.integer({ min: NOW_MS, max: NOW_MS + 8 }).map((ms) => NOW_MS + (ms - NOW_MS) * 12_000),
    laterMs: fc.integer({ min: 0, max: 3 }).map((times) => times * 10_000),
    placeMs: fc.nat(3),
    isPlaying: fc.boolean(),
    isStart: fc.boolean(),
    from: fc.constantFrom('a', 'b', 'c'),
    isHost: fc.boolean(),
  })
  .map(({ laterMs, wishedMs, from, isHost, ...rest }) =>
    statement({ ...rest, wishedMs, atMs: wishedMs + laterMs, isHost, from: isHost ? 'host' : from }),
  );

const orders = suite('what stands of all that was said');

orders('should not depend on the order in which it came, nor on hearing it twice', async () => {
  const scenes = fc.array(anyStatement, { minLength: 1, maxLength: 8 }).chain((said) =>
    fc.record({
      said: fc.constant(said),
      other: fc.shuffledSubarray([...said, ...said], { minLength: 2 * said.length }),
    }),
  );
  await fc.assert(
    fc.property(scenes, fc.constantFrom('everyone' as const, 'host' as const), ({ said, other }, control) => {
      const [one, two] = [new PlaybackRecord(), new PlaybackRecord()];
      for (const each of said) one.take(each);
      for (const each of other) two.take(each);
      assert.equal(one.current(control), two.current(control));
      assert.ok(one.current(control) !== null);
    }),
  );
});

orders('should be the same for two halves of a room that tell each other only what they kept', async () => {
  await fc.assert(
    fc.property(
      fc.array(anyStatement, { minLength: 1 }),
      fc.array(anyStatement, { minLength: 1 }),
      fc.constantFrom('everyone' as const, 'host' as const),
      (left, right, control) => {
        const [one, two, all] = [new PlaybackRecord(), new PlaybackRecord(), new PlaybackRecord()];
        for (const each of left) one.take(each);
        for (const each of right) two.take(each);
        for (const each of [...left, ...right]) all.take(each);
        const [fromOne, fromTwo] = [one.all, two.all];
        for (const each of fromOne) two.take(each);
        for (const each of fromTwo) one.take(each);
        assert.equal(one.current(control), all.current(control));
        assert.equal(two.current(control), all.current(control));
      },
    ),
  );
});

orders('should be a total order', async () => {
  await fc.assert(
    fc.property(anyStatement, anyStatement, anyStatement, (a, b, c) => {
      assert.is(Math.sign(comparePlayback(a, b)), -Math.sign(comparePlayback(b, a)) + 0);
      if (comparePlayback(a, b) === 0) assert.is(a.key, b.key);
      if (comparePlayback(a, b) > 0 && comparePlayback(b, c) > 0) assert.ok(comparePlayback(a, c) > 0);
    }),
  );
});

orders('should prefer a wish to a beginning, the later wish, and the earlier beginning', () => {
  const wish = statement({ wishedMs: NOW_MS, atMs: NOW_MS });
  const later = statement({ wishedMs: NOW_MS + 1, atMs: NOW_MS + 1 });
  const begun = statement({ isStart: true, wishedMs: NOW_MS + 2, atMs: NOW_MS + 2 });
  const begunLater = statement({ isStart: true, wishedMs: NOW_MS + 3, atMs: NOW_MS + 3 });
  assert.ok(comparePlayback(later, wish) > 0);
  assert.ok(comparePlayback(wish, begun) > 0);
  assert.ok(comparePlayback(begun, begunLater) > 0);
});

orders(
  'should follow a host that controls alone, others once it has been silent, and it again when it is back',
  () => {
    const record = new PlaybackRecord();
    const host = statement({ isHost: true, from: 'host' });
    const soon = statement({ wishedMs: NOW_MS + HOST_SILENT_MS, atMs: NOW_MS + HOST_SILENT_MS });
    const late = statement({ wishedMs: NOW_MS + HOST_SILENT_MS + 1, atMs: NOW_MS + HOST_SILENT_MS + 1 });
    record.take(soon);
    assert.is(record.current('host'), soon, 'no host was ever here');
    record.take(host);
    assert.is(record.current('host'), host);
    assert.is(record.current('everyone'), soon);
    record.take(late);
    assert.is(record.current('host'), late);
    const back = { ...late, isHost: true, from: 'host', atMs: late.atMs + 60_000, key: 'back' };
    record.take(back);
    assert.is(record.current('host'), back);
  },
);

orders('should not be taken over by a wish with a date of before the host spoke last', () => {
  const record = new PlaybackRecord();
  record.take(statement({ isHost: true, from: 'host', wishedMs: NOW_MS, atMs: NOW_MS + 600_000 }));
  record.take(statement({ wishedMs: NOW_MS + 100_000, atMs: NOW_MS + 650_000 }));
  assert.is(record.current('host')?.from, 'host');
});

orders.run();

const waits = suite('waiting for everyone');

/** Of so many that those who stand still are not most of them. */
const ONE_OF_MANY = { watchingCount: 10, isForEach: true };

function stalledAt(from: string, isStalled = true): Stall {
  return { from, name: `name of ${from}`, atMs: NOW_MS, isStalled };
}

waits('should stop for whoever stands still, go on when all are ready, and only then', () => {
  const waiting = new WaitForAll();
  const [a, b] = [stalledAt('a'), stalledAt('b')];
  const playing = { nowMs: 0, isPlaying: true, isOurWait: false, ...ONE_OF_MANY };
  const standing = { isPlaying: false, isOurWait: true, ...ONE_OF_MANY };
  assert.is(waiting.decide({ ...playing, stalled: [] }), null);
  assert.equal(waiting.decide({ ...playing, stalled: [a] }), { kind: 'wait', forName: 'name of a' });
  assert.is(waiting.decide({ ...standing, nowMs: 5_000, stalled: [a, b] }), null);
  assert.is(waiting.decide({ ...standing, nowMs: 6_000, stalled: [b] }), null);
  assert.equal(waiting.decide({ ...standing, nowMs: 7_000, stalled: [] }), { kind: 'go' });
});

waits('should not be for ever, nor again and again for the same', () => {
  const waiting = new WaitForAll();
  const stalled = [stalledAt('a')];
  waiting.decide({ nowMs: 0, isPlaying: true, isOurWait: false, stalled, ...ONE_OF_MANY });
  const standing = { isPlaying: false, isOurWait: true, stalled, ...ONE_OF_MANY };
  assert.is(waiting.decide({ ...standing, nowMs: MAX_WAIT_MS - 1 }), null);
  assert.equal(waiting.decide({ ...standing, nowMs: MAX_WAIT_MS }), { kind: 'go' });
  const playing = { isPlaying: true, isOurWait: false, stalled, ...ONE_OF_MANY };
  assert.is(waiting.decide({ ...playing, nowMs: MAX_WAIT_MS + 1 }), null);
  assert.equal(
    waiting.decide({ ...playing, nowMs: MAX_WAIT_MS + 1, stalled: [...stalled, stalledAt('b')] }),
    { kind: 'wait', forName: 'name of b' },
    'somebody else is waited for',
  );
  const later = new WaitForAll();
  later.decide({ nowMs: 0, isPlaying: true, isOurWait: false, stalled, ...ONE_OF_MANY });
  later.decide({ ...standing, nowMs: MAX_WAIT_MS });
  assert.is(later.decide({ ...playing, nowMs: MAX_WAIT_MS + WAIT_AGAIN_MS })?.kind, 'wait');
});

waits('should end when somebody presses play, and not begin again for the same', () => {
  const waiting = new WaitForAll();
  const stalled = [stalledAt('a')];
  waiting.decide({ nowMs: 0, isPlaying: true, isOurWait: false, stalled, ...ONE_OF_MANY });
  assert.is(
    waiting.decide({ nowMs: 2_000, isPlaying: true, isOurWait: false, stalled, ...ONE_OF_MANY }),
    null,
  );
  assert.is(
    waiting.decide({ nowMs: 3_000, isPlaying: true, isOurWait: false, stalled, ...ONE_OF_MANY }),
    null,
  );
});

waits('should be for most of them even where the host did not ask, however often', () => {
  const waiting = new WaitForAll();
  const stalled = [stalledAt('a'), stalledAt('b')];
  const some = { nowMs: 0, isPlaying: true, isOurWait: false, isForEach: false, stalled };
  assert.is(waiting.decide({ ...some, watchingCount: 4 }), null, 'half is not most');
  assert.is(waiting.decide({ ...some, watchingCount: 3 })?.kind, 'wait');
  const view = { ...some, watchingCount: 3 };
  assert.is(waiting.decide({ ...view, nowMs: MAX_WAIT_MS, isPlaying: false, isOurWait: true })?.kind, 'go');
  assert.is(waiting.decide({ ...view, nowMs: MAX_WAIT_MS + 1 })?.kind, 'wait');
});

waits('should remember the newest word of each, of not too many, and not for ever', () => {
  const stalls = new Stalls();
  assert.ok(stalls.take(stalledAt('a')));
  assert.not.ok(stalls.take(stalledAt('a')), 'the same again');
  assert.is(stalls.at(NOW_MS + 1).length, 1);
  assert.ok(stalls.take({ ...stalledAt('a', false), atMs: NOW_MS + 1 }));
  assert.is(stalls.at(NOW_MS + 1).length, 0);
  for (let i = 0; i < 500; i++) stalls.take(stalledAt(`member ${i}`));
  assert.is(stalls.at(NOW_MS).length, 64);
  assert.is(stalls.at(NOW_MS + 60_000).length, 0);
});

waits.run();
