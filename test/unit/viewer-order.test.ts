import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Request, Requests } from '../../peer/swarm/requests.ts';
import { ViewerOrder } from '../../peer/swarm/viewer-order.ts';
import { Link } from '../../peer/wire/link.ts';
import { virtualLine } from '../sim/virtual-channel.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';

const clock = new VirtualClock();
const always = (): boolean => true;

function viewer(id: string): Link {
  const [channel] = virtualLine({ clock, delayMs: 1, bytesPerSec: 1e6 });
  return new Link(channel, { id, kind: 'member' }, { clock, handlers: {}, onClose: () => undefined });
}

function asks(link: Link, piece: number, neededMs: number): Request {
  return { link, segment: 1, piece, askedMs: 0, neededMs, others: 2 };
}

const order = suite('the order in which a viewer serves');

order('should serve first what is needed soonest', () => {
  const [serving, requests] = [new ViewerOrder(), new Requests()];
  for (const piece of [0, 1]) serving.sent(asks(viewer('first'), piece, 0), 16_384, 0);
  requests.add(asks(viewer('a'), 0, 9_000));
  requests.add(asks(viewer('b'), 1, 400));
  assert.is(serving.choose(requests, 0, always)?.piece, 1);
});

order(
  'should give what nobody had from it yet before what is needed within a second and others have too',
  () => {
    const [serving, requests] = [new ViewerOrder(), new Requests()];
    serving.sent(asks(viewer('first'), 0, 0), 16_384, 0);
    requests.add(asks(viewer('a'), 0, 900));
    requests.add(asks(viewer('b'), 1, 9_000));
    assert.is(serving.choose(requests, 0, always)?.piece, 1);
    assert.is(serving.choose(requests, 500, always)?.piece, 0, 'not before what is needed at once');
  },
);

order('should leave what is needed at once the time to travel before it comes to what is new', () => {
  const [serving, requests] = [new ViewerOrder(), new Requests()];
  serving.sent(asks(viewer('first'), 0, 0), 16_384, 0);
  requests.add(asks(viewer('a'), 0, 700));
  requests.add(asks(viewer('b'), 1, 9_000));
  assert.is(serving.choose(requests, 0, always)?.piece, 0);
});

order('should give what it has given least often, among what is needed about as soon', () => {
  const [serving, requests] = [new ViewerOrder(), new Requests()];
  const [a, b] = [viewer('a'), viewer('b')];
  serving.sent(asks(a, 0, 900), 16_384, 0);
  requests.add(asks(b, 0, 900));
  requests.add(asks(a, 1, 950));
  assert.is(serving.choose(requests, 0, always)?.piece, 1);
});

order('should not believe in the hurry of one who has just had far more than another', () => {
  const [serving, requests] = [new ViewerOrder(), new Requests()];
  const [greedy, modest] = [viewer('greedy'), viewer('modest')];
  serving.sent(asks(greedy, 0, 0), 3_000_000, 0);
  for (const piece of [1, 2]) serving.sent(asks(viewer('first'), piece, 0), 16_384, 0);
  requests.add(asks(greedy, 1, 100));
  requests.add(asks(modest, 2, 20_000));
  assert.is(serving.choose(requests, 0, always)?.link, modest);
  assert.is(serving.choose(requests, 10_000, always)?.link, greedy, 'that is forgotten after a while');
});

order.run();
