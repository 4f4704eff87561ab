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

/** Of all sendings to a peer. */
const ackedCounts = new WeakMap<Link, number>();

/** Sends to a peer for a while over a line of this rate, which acknowledges so late; returns what was on its way and in the line at most, and sent in all. */
async function send(
  clock: VirtualClock,
  uplink: Uplink,
  link: Link,
  bytesPerSec: number,
  forMs: number,
  lateMs = 20,
) {
  const untilMs = clock.nowMs() + forMs;
  const totals = { peakBytes: 0, peakQueueBytes: 0, sentBytes: 0 };
  let awayBytes = 0;
  let freeAtMs = 0;
  let ackedCount = ackedCounts.get(link) ?? 0;
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
      const queueMs = freeAtMs - clock.nowMs();
      totals.peakQueueBytes = Math.max(totals.peakQueueBytes, (queueMs * bytesPerSec) / 1000);
      clock.after(queueMs + 20 + lateMs, () => {
        awayBytes -= PIECE;
        ackedCount += 1;
        ackedCounts.set(link, ackedCount);
        uplink.acknowledged(link, ackedCount, clock.nowMs() - lateMs);
      });
    }
  };
  void pump();
  // Until the last is acknowledged.
  await clock.run(forMs + 2_000);
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

uplink('should keep a line busy and short, however late the acknowledgements are', async () => {
  for (const lateMs of [10, 400]) {
    const clock = new VirtualClock();
    const line = new Uplink(clock);
    const link = peer(clock, 'a');
    await send(clock, line, link, 200_000, 3_000, lateMs);
    const { peakQueueBytes, sentBytes } = await send(clock, line, link, 200_000, 10_000, lateMs);
    assert.ok(sentBytes > 0.97 * 2_000_000, `${sentBytes} sent where they are ${lateMs} ms late`);
    assert.ok(peakQueueBytes < 0.2 * 200_000, `${peakQueueBytes} waited where they are ${lateMs} ms late`);
  }
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
  assert.not(line.acknowledged(link, 1, 0));
  line.sent(link, PIECE);
  assert.ok(line.acknowledged(link, 1, 0));
  assert.not(line.acknowledged(link, 3, 0));
});

uplink.run();
