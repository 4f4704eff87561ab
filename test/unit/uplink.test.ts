import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Uplink } from '../../peer/swarm/uplink.ts';
import { Link } from '../../peer/wire/link.ts';
import { virtualLine } from '../sim/virtual-channel.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';

const PIECE = 16_384;

function peer(clock: VirtualClock, id: string): Link {
  const [channel] = virtualLine({ clock, delayMs: 1, bytesPerSec: 1e9 });
  return new Link(channel, { id, kind: 'member' }, { clock, handlers: {}, onClose: () => undefined });
}

/** Sends to a peer for a while over a line of this rate, which acknowledges after `wayMs`; returns what was on its way at most, and sent in all. */
async function send(
  clock: VirtualClock,
  uplink: Uplink,
  link: Link,
  bytesPerSec: number,
  forMs: number,
  { wayMs = 40, ackedCount = 0 } = {},
) {
  const untilMs = clock.nowMs() + forMs;
  const totals = { peakBytes: 0, sentBytes: 0 };
  let awayBytes = 0;
  let freeAtMs = 0;
  const pump = async (): Promise<void> => {
    while (clock.nowMs() < untilMs) {
      await uplink.whenRoom();
      if (!uplink.hasRoomFor(link)) {
        await new Promise<void>((resolve) => clock.after(20, resolve));
        continue;
      }
      uplink.sent(link, PIECE);
      awayBytes += PIECE;
      totals.sentBytes += PIECE;
      totals.peakBytes = Math.max(totals.peakBytes, awayBytes);
      freeAtMs = Math.max(freeAtMs, clock.nowMs()) + (PIECE * 1000) / bytesPerSec;
      clock.after(freeAtMs - clock.nowMs() + wayMs, () => {
        awayBytes -= PIECE;
        ackedCount += 1;
        uplink.acknowledged(link, ackedCount);
      });
    }
  };
  void pump();
  await clock.run(forMs);
  return totals;
}

const uplink = suite('the line out');

uplink('should keep a slow line busy with no more than a moment of it on its way', async () => {
  const clock = new VirtualClock();
  const line = new Uplink(clock);
  await send(clock, line, peer(clock, 'a'), 100_000, 5_000);
  const { peakBytes, sentBytes } = await send(clock, new Uplink(clock), peer(clock, 'b'), 100_000, 10_000);
  assert.ok(sentBytes > 0.95 * 1_000_000, `${sentBytes} sent`);
  assert.ok(peakBytes < 0.35 * 1_000_000, `${peakBytes} at first, until the rate is known`);
  assert.ok(Math.abs(line.bytesPerSec - 100_000) < 60_000, `${line.bytesPerSec} measured`);
});

uplink('should keep a thin line busy where a piece takes longer than a round trip', async () => {
  const clock = new VirtualClock();
  const [line, link] = [new Uplink(clock), peer(clock, 'a')];
  // The last piece of a segment may be tiny, and shows the round trip without any piece in it.
  line.sent(link, 500);
  await clock.run(40);
  line.acknowledged(link, 1);
  const { sentBytes } = await send(clock, line, link, 190_000, 20_000, { wayMs: 120, ackedCount: 1 });
  assert.ok(sentBytes > 0.95 * 3_800_000, `${sentBytes} sent`);
});

uplink('should find out how fast a fast line is', async () => {
  const clock = new VirtualClock();
  const { sentBytes } = await send(clock, new Uplink(clock), peer(clock, 'a'), 20_000_000, 4_000);
  assert.ok(sentBytes > 0.7 * 4 * 20_000_000, `${sentBytes} sent`);
});

uplink('should not let a peer that takes nothing hold up the others', async () => {
  const clock = new VirtualClock();
  const line = new Uplink(clock);
  const [dead, alive] = [peer(clock, 'dead'), peer(clock, 'alive')];
  for (let i = 0; i < 100; i++) line.sent(dead, PIECE);
  await clock.run(1_000);
  assert.not(line.hasRoomFor(dead));
  assert.ok(line.hasRoomFor(alive));
  const { sentBytes } = await send(clock, line, alive, 1_000_000, 5_000);
  assert.ok(sentBytes > 2_000_000, `${sentBytes} sent`);
});

uplink('should not believe in more than was sent', () => {
  const clock = new VirtualClock();
  const [line, link] = [new Uplink(clock), peer(clock, 'a')];
  assert.not(line.acknowledged(link, 1));
  line.sent(link, PIECE);
  assert.ok(line.acknowledged(link, 1));
  assert.not(line.acknowledged(link, 3));
});

uplink.run();
