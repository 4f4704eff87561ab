import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Bytes } from '../../peer/bytes.ts';
import { PageAsking } from '../../peer/swarm/page-asking.ts';
import type { Link } from '../../peer/wire/link.ts';
import { seededRandom } from '../sim/seeded-random.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';

const PAGE = new Uint8Array(32);

/** The origin and twenty viewers, each with what it was asked for. */
class Peers {
  readonly asked: { kind: 'origin' | 'member'; hash: Bytes }[] = [];
  readonly links: Link[] = (['origin', ...Array.from({ length: 20 }, () => 'member')] as const).map(
    (kind) =>
      ({
        remote: { kind },
        send: (_: string, { hash }: { hash: Bytes }) => this.asked.push({ kind: kind as 'member', hash }),
      }) as unknown as Link,
  );

  get originShare(): number {
    return this.asked.filter(({ kind }) => kind === 'origin').length / this.asked.length;
  }
}

const pages = suite('asking for pages of the manifest');

pages(
  'should go to viewers mostly, and to the origin more often where the page is needed at once',
  async () => {
    const clock = new VirtualClock();
    const asking = new PageAsking(clock, seededRandom(1));
    const [later, atOnce] = [new Peers(), new Peers()];
    for (let n = 0; n < 2_000; n++) {
      const hash = PAGE.map((_, at) => (at === 0 ? n & 255 : at === 1 ? n >> 8 : 0));
      asking.ask(hash, later.links, false);
      asking.ask(hash.toReversed(), atOnce.links, true);
    }
    assert.ok(Math.abs(later.originShare - 0.05) < 0.02, `${later.originShare}`);
    assert.ok(Math.abs(atOnce.originShare - 0.3) < 0.04, `${atOnce.originShare}`);
  },
);

pages('should ask one at a time, and another one once that had it not or said nothing', async () => {
  const clock = new VirtualClock();
  const asking = new PageAsking(clock, seededRandom(1));
  const peers = new Peers();
  const askedAfter = async (waitMs: number): Promise<number> => {
    await clock.run(waitMs);
    asking.ask(PAGE, peers.links, true);
    return peers.asked.length;
  };
  assert.equal([await askedAfter(0), await askedAfter(900), await askedAfter(100)], [1, 1, 2]);
  asking.refused(PAGE);
  assert.equal([await askedAfter(100), await askedAfter(100)], [2, 3]);
});

pages('should go to the origin where there is nobody else, and to nobody where there is no one', () => {
  const asking = new PageAsking(new VirtualClock(), seededRandom(1));
  const peers = new Peers();
  asking.ask(PAGE, [], true);
  asking.ask(PAGE, peers.links.slice(0, 1), false);
  assert.is(peers.originShare, 1);
});

pages.run();
