import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Bytes } from '../../peer/bytes.ts';
import type { Channel, ChannelEvents } from '../../peer/transport/channel.ts';
import { allocatePieceFrame, decodeFrame } from '../../peer/wire/frame.ts';
import { Link } from '../../peer/wire/link.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';

const WAY_MS = 30;

/** One end of a channel in memory that counts the pings it sends, and can lose all that it sends. */
class End implements Channel {
  readonly isTurned = false;
  readonly waitingBytes = 0;
  other: End | null = null;
  pings = 0;
  isCut = false;
  readonly #clock: VirtualClock;
  #events: ChannelEvents | null = null;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  listen(events: ChannelEvents): void {
    this.#events = events;
  }

  send(frame: Bytes): void {
    if (decodeFrame(frame).name === 'ping') this.pings += 1;
    if (this.isCut) return;
    const { other } = this;
    this.#clock.after(WAY_MS, () => other?.hear(frame));
  }

  hear(frame: Bytes): void {
    this.#events?.onFrame(frame);
  }

  close(): void {
    this.#events?.onClose();
  }
}

/** Two links joined, the second opened a second later, and why each closed. */
async function joined() {
  const clock = new VirtualClock();
  const [a, b] = [new End(clock), new End(clock)];
  [a.other, b.other] = [b, a];
  const closed: string[] = [];
  const open = (end: End, id: string): Link =>
    new Link(
      end,
      { id, kind: 'member' },
      { clock, handlers: {}, onClose: (_, code) => closed.push(`${id} ${code}`) },
    );
  const toB = open(a, 'b');
  await clock.run(1000);
  const toA = open(b, 'a');
  await clock.run(10_000);
  return { clock, a, b, toA, toB, closed };
}

const asking = suite('asking whether a peer is there');

asking('should be done by one of two at rest', async () => {
  const { clock, a, b, closed } = await joined();
  const before = a.pings + b.pings;
  await clock.run(60_000);
  assert.equal([a.pings + b.pings - before, closed], [12, []]);
});

asking(
  'should be done by both while pieces come, for each wants to know how far off the other is',
  async () => {
    const { clock, a, b, toB } = await joined();
    const before = [a.pings, b.pings];
    for (let i = 0; i < 60; i++) {
      toB.sendPiece(allocatePieceFrame(1, 0, 100));
      await clock.run(1000);
    }
    assert.equal([a.pings - (before[0] ?? 0), b.pings - (before[1] ?? 0)], [12, 12]);
  },
);

asking('should find out at both ends that nothing comes any more', async () => {
  const { clock, a, b, closed } = await joined();
  a.isCut = true;
  b.isCut = true;
  await clock.run(30_000);
  assert.equal(closed.sort(), ['a PEER_SILENT', 'b PEER_SILENT']);
  assert.is(clock.pendingTimers, 0);
});

asking.run();

const proving = suite('a link that must answer');

proving('should stay where anything is heard in time', async () => {
  const { clock, toB, closed } = await joined();
  toB.mustAnswerWithin(1000);
  await clock.run(5000);
  assert.equal(closed, []);
});

proving('should get no more time where it is told so once more before it was heard', async () => {
  const { clock, b, toB, closed } = await joined();
  b.isCut = true;
  await clock.run(WAY_MS);
  toB.mustAnswerWithin(1000);
  await clock.run(600);
  toB.mustAnswerWithin(1000);
  await clock.run(400);
  assert.equal(closed, ['b PEER_SILENT']);
});

proving.run();
