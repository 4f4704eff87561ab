import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Manifest } from '../../peer/manifest/manifest.ts';
import { type AnnouncementParts, Announcements } from '../../peer/swarm/announcements.ts';
import { decodeFrame } from '../../peer/wire/frame.ts';
import { Link } from '../../peer/wire/link.ts';
import { virtualLine } from '../sim/virtual-channel.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';
import { VirtualCrypto } from '../sim/virtual-crypto.ts';

/** Segments before this one are needed now, the others in so many seconds as their number says. */
const FAR = 10;

/** A viewer's news on its way to one neighbour: when each batch came, and how many pieces of which segments it told of. */
function rig(parts: Partial<AnnouncementParts> = {}): {
  clock: VirtualClock;
  news: Announcements;
  heard: { atMs: number; segments: number[] }[];
} {
  const clock = new VirtualClock();
  const heard: { atMs: number; segments: number[] }[] = [];
  const [near, far] = virtualLine({ clock, delayMs: 0, bytesPerSec: 1e12 });
  far.listen({
    onFrame: (frame) => {
      const message = decodeFrame(frame);
      if (message.name !== 'have') return;
      heard.push({
        atMs: Math.round(clock.nowMs()),
        segments: message.body.parts.map(([segment]) => segment),
      });
    },
    onClose: () => undefined,
  });
  const link = new Link(near, { id: 'b', kind: 'member' }, { clock, handlers: {}, onClose: () => undefined });
  const news = new Announcements({
    clock,
    manifest: new Manifest(new VirtualCrypto(() => 0.5).crypto, new Uint8Array(16)),
    pieces: { segments: [], piecesOf: () => [], countOf: () => 0 },
    neededInMs: (segment) => (segment < FAR ? 0 : segment * 1_000),
    audience: () => [link],
    ...parts,
  });
  return { clock, news, heard };
}

const announcements = suite('what a viewer tells of what it has');

announcements('should tell at once what is needed soon, and what follows closely together', async () => {
  const { clock, news, heard } = rig();
  news.add(1, 0);
  await clock.run(10);
  news.add(2, 0);
  news.add(3, 0);
  await clock.run(1_000);
  assert.equal(heard, [
    { atMs: 0, segments: [1] },
    { atMs: 30, segments: [2, 3] },
  ]);
});

announcements('should wait for more before it tells of what is far ahead', async () => {
  const { clock, news, heard } = rig();
  for (let i = 0; i < 4; i++) {
    news.add(FAR + i, 0);
    await clock.run(100);
  }
  await clock.run(1_000);
  assert.equal(heard, [
    { atMs: 250, segments: [FAR, FAR + 1, FAR + 2] },
    { atMs: 550, segments: [FAR + 3] },
  ]);
});

announcements('should wait the shorter the sooner it is needed', async () => {
  const { clock, news, heard } = rig({ neededInMs: () => 2_000 });
  news.add(1, 0);
  await clock.run(1_000);
  assert.equal(heard, [{ atMs: 100, segments: [1] }]);
});

announcements('should tell of what is far as soon as there is something to tell at once', async () => {
  const { clock, news, heard } = rig();
  news.add(FAR, 0);
  await clock.run(50);
  news.add(1, 0);
  await clock.run(1_000);
  assert.equal(heard, [{ atMs: 50, segments: [FAR, 1] }]);
});

announcements('should tell nothing more, and leave no timer, once it is closed', async () => {
  const { clock, news, heard } = rig();
  news.add(FAR, 0);
  news.close();
  await clock.run(1_000);
  assert.equal(heard, []);
});

announcements.run();
