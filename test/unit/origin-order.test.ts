import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { OriginOrder } from '../../peer/swarm/origin-order.ts';
import { type Request, Requests } from '../../peer/swarm/requests.ts';
import { Link } from '../../peer/wire/link.ts';
import { virtualLine } from '../sim/virtual-channel.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';

const clock = new VirtualClock();
const always = (): boolean => true;

function viewer(id: string): Link {
  const [channel] = virtualLine({ clock, delayMs: 1, bytesPerSec: 1e6 });
  return new Link(channel, { id, kind: 'member' }, { clock, handlers: {}, onClose: () => undefined });
}

function asks(link: Link, piece: number, wish: Partial<Request> = {}): Request {
  return { link, segment: 1, piece, askedMs: 0, neededMs: 10_000, others: 2, ...wish };
}

/** Answers at one moment until the order has nothing more to answer. */
function answerAll(order: OriginOrder, requests: Requests, nowMs: number): Request[] {
  const answered: Request[] = [];
  for (let next = order.choose(requests, nowMs, always); next; next = order.choose(requests, nowMs, always)) {
    requests.delete(next.link, next.segment, next.piece);
    order.sent(next, 1, nowMs);
    answered.push(next);
  }
  return answered;
}

const order = suite('the order in which the origin gives');

order('should give each piece once, spread over those who ask', () => {
  const [origin, requests] = [new OriginOrder(), new Requests()];
  const [a, b] = [viewer('a'), viewer('b')];
  for (const link of [a, b]) for (let piece = 0; piece < 6; piece++) requests.add(asks(link, piece));
  const answered = answerAll(origin, requests, 0);
  assert.equal(answered.map(({ piece }) => piece).sort(), [0, 1, 2, 3, 4, 5]);
  assert.is(answered.filter(({ link }) => link === a).length, 3);
});

order('should give first what is needed first', () => {
  const [origin, requests, a] = [new OriginOrder(), new Requests(), viewer('a')];
  for (const neededMs of [3000, 1000, 2000]) requests.add(asks(a, neededMs / 1000, { neededMs }));
  assert.equal(
    answerAll(origin, requests, 0).map(({ piece }) => piece),
    [1, 2, 3],
  );
});

order('should see how urgent a piece is by who needs it first, whoever has been given least', () => {
  const [origin, requests] = [new OriginOrder(), new Requests()];
  const [old, newcomer] = [viewer('old'), viewer('newcomer')];
  requests.add(asks(old, 9));
  answerAll(origin, requests, 0);
  requests.add(asks(newcomer, 0, { neededMs: 60_000 }));
  requests.add(asks(old, 0, { neededMs: 1_000 }));
  requests.add(asks(newcomer, 1, { neededMs: 20_000 }));
  const answered = answerAll(origin, requests, 0);
  assert.equal(
    answered.map(({ piece, link }) => [piece, link.remote.id]),
    [
      [0, 'old'],
      [1, 'newcomer'],
    ],
  );
});

order('should give a piece again as new where whoever got it passes nothing on', () => {
  const [origin, requests] = [new OriginOrder(), new Requests()];
  const [silent, relaying] = [viewer('silent'), viewer('relaying')];
  requests.add(asks(silent, 0, { others: 0 }));
  origin.setRelaying(silent, false);
  answerAll(origin, requests, 0);
  requests.add(asks(relaying, 0));
  assert.is(answerAll(origin, requests, 10).length, 1, 'it was silent before it got it');
  requests.add(asks(relaying, 1));
  answerAll(origin, requests, 20);
  origin.setRelaying(relaying, false);
  const third = viewer('third');
  requests.add(asks(third, 1));
  assert.is(answerAll(origin, requests, 30).length, 1, 'it fell silent after it had got it');
});

order('should believe three that call one a liar, and not two, nor liars', () => {
  const [origin, requests] = [new OriginOrder(), new Requests()];
  const [liar, other, ...honest] = ['liar', 'other', 'a', 'b', 'c'].map(viewer) as [Link, Link, ...Link[]];
  const [a, b, c] = honest as [Link, Link, Link];
  requests.add(asks(liar, 0));
  answerAll(origin, requests, 0);
  for (const accuser of [a, a, b]) origin.accuse(liar, accuser);
  requests.add(asks(a, 0));
  assert.equal(answerAll(origin, requests, 100), [], 'two may err, or lie themselves');
  origin.accuse(liar, c);
  assert.is(answerAll(origin, requests, 100)[0]?.link, a, 'what the liar has counts as not given');
  for (const link of [liar, other]) for (let piece = 1; piece < 5; piece++) requests.add(asks(link, piece));
  assert.ok(answerAll(origin, requests, 200).every(({ link }) => link === other));
  for (const accuser of [liar, a, b]) origin.accuse(other, accuser);
  requests.add(asks(c, 1));
  assert.equal(answerAll(origin, requests, 300), [], 'the word of a liar does not count');
});

order('should repeat a piece only for one who has waited and needs it soon', () => {
  const [origin, requests] = [new OriginOrder(), new Requests()];
  const [a, b] = [viewer('a'), viewer('b')];
  requests.add(asks(a, 0));
  answerAll(origin, requests, 0);
  requests.add(asks(b, 0, { askedMs: 0, neededMs: 1_000 }));
  assert.equal(answerAll(origin, requests, 700), [], 'it may still come from the other');
  assert.is(answerAll(origin, requests, 900).length, 1);
});

order('should not make one wait who knows nobody else', () => {
  const [origin, requests] = [new OriginOrder(), new Requests()];
  requests.add(asks(viewer('a'), 0));
  answerAll(origin, requests, 0);
  requests.add(asks(viewer('b'), 0, { others: 0, neededMs: 60_000 }));
  assert.is(answerAll(origin, requests, 1_000).length, 1);
});

order('should give nothing new to one who passes nothing on, while others wait for it', () => {
  const [origin, requests] = [new OriginOrder(), new Requests()];
  const [idle, busy] = [viewer('idle'), viewer('busy')];
  origin.setRelaying(idle, false);
  for (const link of [idle, busy]) for (let piece = 0; piece < 4; piece++) requests.add(asks(link, piece));
  const answered = answerAll(origin, requests, 0);
  assert.ok(answered.every(({ link }) => link === busy));
  assert.is(answered.length, 4);
});

order('should give a piece anew when who had it leaves at once, not when it has long been passed on', () => {
  for (const [leftMs, anew] of [
    [500, 1],
    [20_000, 0],
  ] as const) {
    const [origin, requests] = [new OriginOrder(), new Requests()];
    const [a, b] = [viewer('a'), viewer('b')];
    requests.add(asks(a, 0));
    answerAll(origin, requests, 0);
    origin.remove(a, false, leftMs);
    requests.add(asks(b, 0, { askedMs: leftMs, neededMs: 60_000 }));
    assert.is(answerAll(origin, requests, leftMs).length, anew);
  }
});

order('should let repeats take no more than a quarter while there are new pieces', () => {
  const [origin, requests] = [new OriginOrder(), new Requests()];
  const [a, b] = [viewer('a'), viewer('b')];
  for (let piece = 0; piece < 40; piece++) requests.add(asks(a, piece));
  answerAll(origin, requests, 0);
  for (let piece = 0; piece < 40; piece++) requests.add(asks(b, piece, { neededMs: 0 }));
  for (let piece = 40; piece < 80; piece++) requests.add(asks(b, piece));
  const first = answerAll(origin, requests, 5_000).slice(0, 40);
  assert.is(first.filter(({ piece }) => piece < 40).length, 10);
});

order('should go on giving new pieces where those who pass nothing on wait for all of them at once', () => {
  const [origin, requests] = [new OriginOrder(), new Requests()];
  const [idle, relaying] = [viewer('idle'), viewer('relaying')];
  origin.setRelaying(idle, false);
  for (let piece = 0; piece < 40; piece++) {
    requests.add(asks(idle, piece, { neededMs: 0 }));
    requests.add(asks(relaying, piece, { neededMs: 1_000 }));
  }
  const toRelaying = answerAll(origin, requests, 2_000)
    .slice(0, 40)
    .filter(({ link }) => link === relaying);
  assert.ok(toRelaying.length >= 29, `${toRelaying.length} of 40`);
});

order('should help those who pass on before those who know nobody', () => {
  const [origin, requests] = [new OriginOrder(), new Requests()];
  const [first, relaying, alone] = [viewer('first'), viewer('relaying'), viewer('alone')];
  for (const piece of [0, 1]) requests.add(asks(first, piece));
  answerAll(origin, requests, 0);
  requests.add(asks(alone, 0, { others: 0, neededMs: 0 }));
  requests.add(asks(relaying, 1, { neededMs: 1_500 }));
  assert.equal(
    answerAll(origin, requests, 1_000).map(({ link }) => link.remote.id),
    ['relaying', 'alone'],
  );
});

order(
  'should give anew what one had whose pieces do not spread, but not blame it for what was given just now',
  () => {
    for (const [repeatedAtMs, isBlamed] of [
      [1_000, false],
      [2_500, true],
    ] as const) {
      const [origin, requests] = [new OriginOrder(), new Requests()];
      const [first, other] = [viewer('first'), viewer('other')];
      for (let piece = 0; piece < 4; piece++) requests.add(asks(first, piece));
      answerAll(origin, requests, 0);
      for (let piece = 0; piece < 3; piece++) requests.add(asks(other, piece, { neededMs: 0 }));
      assert.is(answerAll(origin, requests, repeatedAtMs).length, 3);
      requests.add(asks(other, 3, { askedMs: repeatedAtMs, neededMs: 60_000 }));
      assert.is(answerAll(origin, requests, repeatedAtMs).length, isBlamed ? 1 : 0);
    }
  },
);

order('should count what one has who only had to make room: it passes it on all the same', () => {
  const [origin, requests] = [new OriginOrder(), new Requests()];
  const [a, b] = [viewer('a'), viewer('b')];
  requests.add(asks(a, 0));
  answerAll(origin, requests, 0);
  origin.remove(a, true, 0);
  requests.add(asks(b, 0));
  assert.equal(answerAll(origin, requests, 1_000), []);
  requests.add(asks(b, 0, { neededMs: 3_000 }));
  assert.is(answerAll(origin, requests, 2_500).length, 1, 'it is repeated like any other');
});

order.run();
