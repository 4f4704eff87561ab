import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { deriveRoomKeys, roomIdOf } from '../../peer/crypto/keys.ts';
import type { Viewer } from '../../peer/room/viewer.ts';
import { VirtualRoom } from '../sim/virtual-room.ts';
import { memberIdOfKey, memberKey } from '../tools/member-keys.ts';
import { joinOf, RawClient, withServer } from '../tools/signaling-fixture.ts';
import { wrongBy } from '../tools/wrong-clock.ts';

const HOUR_MS = 60 * 60 * 1000;
const FILM = { segmentCount: 3, segmentMs: 2000, segmentBytes: 1000 };

/** What members' clocks are wrong by: right, a zone too early, half a day late, half a day ahead. */
const HOURS_WRONG_MS = [0, -5 * HOUR_MS, -12 * HOUR_MS, 11 * HOUR_MS];

/** Right, and days and a year apart. */
const DAYS_WRONG_MS = [0, -40 * HOUR_MS, 30 * HOUR_MS, 365 * 24 * HOUR_MS];

const clocks = suite('members whose clocks are wrong');

/** A room with one member for each clock, each connected to all others. */
async function talking(
  wrongByMs: readonly number[],
  body: (room: VirtualRoom, viewers: Viewer[]) => Promise<void>,
): Promise<void> {
  const room = await VirtualRoom.open(FILM);
  const host = await room.crypto.generateSigningKey();
  const roomId = await roomIdOf(room.crypto, host.publicKey);
  const roomKeys = await deriveRoomKeys(room.crypto, new Uint8Array(32), roomId);
  const lost: string[] = [];
  const keys = wrongByMs.map((_, number) => memberKey(number + 1));
  const viewers = keys.map((key, number) =>
    room.viewer({
      roomId,
      roomKeys,
      clock: wrongBy(room.clock, () => wrongByMs[number] ?? 0),
      selfId: memberIdOfKey(key),
      memberKey: key,
      onLinkClosed: (_, code) => lost.push(code),
    }),
  );
  for (const [i, a] of viewers.entries()) {
    for (const [j, b] of viewers.entries()) {
      if (j <= i) continue;
      const [atA, atB] = room.line();
      a.connect(atA, { id: memberIdOfKey(keys[j] ?? memberKey(0)), kind: 'member' });
      b.connect(atB, { id: memberIdOfKey(keys[i] ?? memberKey(0)), kind: 'member' });
    }
  }
  await room.clock.run(500);
  await body(room, viewers);
  assert.equal(lost, [], 'nobody is dropped for the hour that their clock shows');
  for (const viewer of viewers) viewer.close();
}

clocks('should hear each other, and all see the same lines in the same order', () =>
  talking(HOURS_WRONG_MS, async (room, viewers) => {
    for (const [number, viewer] of viewers.entries()) {
      await viewer.say(`I am ${number}`);
      await room.clock.run(300);
    }
    const shown = viewers.map(({ lines }) => lines.map(({ text }) => text));
    for (const lines of shown) assert.equal(lines, shown[0]);
    assert.equal(shown[0]?.toSorted(), ['I am 0', 'I am 1', 'I am 2', 'I am 3']);
  }),
);

clocks('should hear each other though they are days or a year apart, and be shown no line from ahead', () =>
  talking(DAYS_WRONG_MS, async (room, viewers) => {
    for (const [number, viewer] of viewers.entries()) {
      await viewer.say(`I am ${number}`);
      await viewer.chat.cheer('👍');
      const line = viewers[0]?.lines.find(({ text }) => text === 'I am 0');
      await viewer.chat.react(line?.id ?? '', '👍');
      await room.clock.run(300);
    }
    for (const [number, { lines, chat }] of viewers.entries()) {
      assert.equal(lines.map(({ text }) => text).toSorted(), ['I am 0', 'I am 1', 'I am 2', 'I am 3']);
      const nowMs = room.clock.wallMs() + (DAYS_WRONG_MS[number] ?? 0);
      for (const { sentAtMs } of lines) assert.ok(sentAtMs <= nowMs);
      assert.is([...chat.reactions.values()][0]?.[0]?.from.length, 4);
    }
  }),
);

clocks(
  'should be let in by signaling: a join is signed over what the server said just then, not over a time',
  withServer(async ({ url }) => {
    const now = Date.now;
    Date.now = () => now() - 300 * 24 * HOUR_MS;
    try {
      const client = await RawClient.openWith(url, joinOf(memberKey(1)));
      assert.is((await client.next('welcome')).id, memberIdOfKey(memberKey(1)));
      await client.close();
    } finally {
      Date.now = now;
    }
  }),
);

clocks.run();
