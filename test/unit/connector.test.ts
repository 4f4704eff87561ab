import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Admission, Connector } from '../../peer/transport/connector.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';
import { type FakePeer, FakePeers } from '../tools/fake-peers.ts';

/** Milliseconds a signal takes, and a connection to open. */
const SIGNAL_MS = 20;
const OPENING_MS = 50;

/** One connector, what it was told, and what it sent. */
class End {
  readonly events: string[] = [];
  readonly made: FakePeer[] = [];
  readonly connector: Connector;
  admission: Admission = 'welcome';
  asked = 0;

  constructor(id: string, net: Net) {
    this.connector = new Connector({
      selfId: id,
      clock: net.clock,
      randomBytes: (countBytes) => new Uint8Array(countBytes).fill(++net.callCount),
      createPeer: (isInitiator) => {
        const peer = net.peers.create(isInitiator);
        this.made.push(peer);
        return peer;
      },
      sendSignal: (to, text) => net.pass(id, to, text),
      seal: async (_, text) => text,
      unseal: async (_, text) => text,
      admit: () => {
        this.asked += 1;
        return this.admission;
      },
      onChannel: (from, _, isInitiator) =>
        this.events.push(`open ${from} ${isInitiator ? 'dialled' : 'answered'}`),
      onSilence: (from) => this.events.push(`silent ${from}`),
      onFailure: (from) => this.events.push(`failed ${from}`),
      onBusy: (from, retryInMs) => this.events.push(`busy ${from} ${retryInMs}`),
      onFree: (from) => this.events.push(`free ${from}`),
      onBadSignal: (from) => this.events.push(`bad ${from}`),
    });
  }
}

class Net {
  readonly clock = new VirtualClock();
  readonly peers = new FakePeers(this.clock, OPENING_MS);
  readonly ends = new Map<string, End>();
  callCount = 0;

  end(id: string): End {
    const end = new End(id, this);
    this.ends.set(id, end);
    return end;
  }

  pass(from: string, to: string, text: string): void {
    this.clock.after(SIGNAL_MS, () => this.ends.get(to)?.connector.receive(from, text));
  }
}

const dialling = suite('dialling a peer');

dialling('should open one connection, and free it once when it ends', async () => {
  const net = new Net();
  const [a, b] = [net.end('a'), net.end('b')];
  a.connector.dial('b');
  await net.clock.run(1000);
  assert.equal([a.events, b.events], [['open b dialled'], ['open a answered']]);
  a.connector.hangUp('b');
  await net.clock.run(1000);
  assert.equal([a.events.slice(1), b.events.slice(1)], [['free b'], ['free a']]);
  assert.equal([a.connector.ids, b.connector.ids, net.peers.aliveCount], [[], [], 0]);
});

dialling('should be answered at once where it is not accepted, and not count as a failure', async () => {
  const net = new Net();
  const [a, b] = [net.end('a'), net.end('b')];
  b.admission = { retryInMs: 7000 };
  a.connector.dial('b');
  await net.clock.run(2 * SIGNAL_MS);
  assert.equal(a.events, ['free b', 'busy b 7000']);
  assert.equal([a.connector.ids, b.connector.ids, net.peers.aliveCount], [[], [], 0]);
  // Nothing follows, not even the failure that would come after the time for connecting.
  await net.clock.run(60_000);
  assert.equal([a.events.length, b.events.length, b.made.length], [2, 0, 0]);
});

dialling('should be possible again after having been turned away', async () => {
  const net = new Net();
  const [a, b] = [net.end('a'), net.end('b')];
  b.admission = { retryInMs: 0 };
  a.connector.dial('b');
  await net.clock.run(1000);
  b.admission = 'welcome';
  a.connector.dial('b');
  await net.clock.run(1000);
  assert.equal(a.events, ['free b', 'busy b 0', 'open b dialled']);
});

dialling(
  'should end in one connection where both dial at once, even if neither takes anybody else',
  async () => {
    const net = new Net();
    const [a, b] = [net.end('a'), net.end('b')];
    for (const end of [a, b]) end.admission = { retryInMs: 0 };
    a.connector.dial('b');
    b.connector.dial('a');
    await net.clock.run(60_000);
    assert.equal([a.events, b.events], [['open b dialled'], ['open a answered']]);
    assert.is(net.peers.aliveCount, 2);
    assert.is(a.asked + b.asked, 0);
  },
);

dialling('should connect where the second dial crosses the answer that turned the first away', async () => {
  const net = new Net();
  const [a, b] = [net.end('a'), net.end('b')];
  b.admission = { retryInMs: 0 };
  a.connector.dial('b');
  await net.clock.run(SIGNAL_MS);
  b.connector.dial('a');
  await net.clock.run(60_000);
  assert.equal([a.events, b.events], [['free b', 'busy b 0', 'open b answered'], ['open a dialled']]);
});

dialling('should fail after a while where nobody answers', async () => {
  const net = new Net();
  const a = net.end('a');
  a.connector.dial('b');
  await net.clock.run(60_000);
  assert.equal(a.events, ['free b', 'failed b']);
});

dialling('should tell when the connection falls silent, and leave it open', async () => {
  const net = new Net();
  const [a, b] = [net.end('a'), net.end('b')];
  a.connector.dial('b');
  await net.clock.run(1000);
  a.made[0]?.setSilent(true);
  await net.clock.run(10_000);
  assert.equal(a.events, ['open b dialled', 'silent b']);
  assert.ok(a.connector.channel('b'));
  assert.equal(b.events, ['open a answered']);
});

dialling('should tell nothing of a connection that was let go', async () => {
  const net = new Net();
  const [a] = [net.end('a'), net.end('b')];
  a.connector.dial('b');
  await net.clock.run(1000);
  a.made[0]?.setSilent(true);
  a.connector.hangUp('b');
  await net.clock.run(10_000);
  assert.equal(a.events, ['open b dialled', 'free b']);
});

dialling.run();

const answering = suite('answering a dial');

answering(
  'should replace an open connection by a newer one of the same peer, without freeing its place',
  async () => {
    const net = new Net();
    const [a, b] = [net.end('a'), net.end('b')];
    a.connector.dial('b');
    await net.clock.run(1000);
    const again = net.end('a');
    again.connector.dial('b');
    await net.clock.run(1000);
    assert.equal(b.events, ['open a answered', 'open a answered']);
    assert.equal([b.connector.ids, b.asked], [['a'], 2]);
    assert.equal(a.events, ['open b dialled', 'free b']);
  },
);

answering('should keep an open connection where a newer one is not accepted', async () => {
  const net = new Net();
  const [a, b] = [net.end('a'), net.end('b')];
  a.connector.dial('b');
  await net.clock.run(1000);
  b.admission = { retryInMs: 5000 };
  const again = net.end('a');
  again.connector.dial('b');
  await net.clock.run(1000);
  assert.equal([again.events, b.events], [['free b', 'busy b 5000'], ['open a answered']]);
  assert.equal(a.events, ['open b dialled']);
});

answering('should let a call under way be turned away', async () => {
  const net = new Net();
  const [a, b] = [net.end('a'), net.end('b')];
  a.connector.dial('b');
  await net.clock.run(SIGNAL_MS);
  assert.equal([b.connector.ids, b.connector.channel('a')], [['a'], null]);
  b.connector.turnAway('a', { retryInMs: 30_000 });
  await net.clock.run(60_000);
  assert.equal([a.events, b.events], [['free b', 'busy b 30000'], ['free a']]);
  assert.is(net.peers.aliveCount, 0);
});

answering('should give the place back where no connection can be made', async () => {
  const net = new Net();
  const [a, b] = [net.end('a'), net.end('b')];
  net.peers.create = () => {
    throw new Error('no more threads');
  };
  b.connector.receive('a', JSON.stringify({ call: 'c', data: { type: 'offer', sdp: 'sdp 1' } }));
  await net.clock.run(1000);
  assert.equal([b.events, b.connector.ids, a.events], [['free a', 'bad a'], [], []]);
});

answering('should not take busy for an answer to another call, nor end an open one', async () => {
  const net = new Net();
  const [a, b] = [net.end('a'), net.end('b')];
  const busy = (call: string, retryInMs: unknown) =>
    JSON.stringify({ call, data: { type: 'busy', retryInMs } });
  a.connector.dial('b');
  a.connector.receive('b', busy('another', 0));
  await net.clock.run(1000);
  const call = Buffer.alloc(9, 1).toString('base64url');
  a.connector.receive('b', busy(call, 0));
  b.connector.receive('a', busy(call, 0));
  await net.clock.run(1000);
  assert.equal([a.events, b.events], [['open b dialled'], ['open a answered']]);
  for (const retryInMs of [-1, 600_001, 1.5, '5']) a.connector.receive('b', busy(call, retryInMs));
  await net.clock.run(1000);
  assert.equal(a.events.slice(1), ['bad b', 'bad b', 'bad b', 'bad b']);
});

answering('should keep no more early candidates than those of a few peers', async () => {
  const net = new Net();
  const b = net.end('b');
  const candidate = { type: 'candidate', candidate: { candidate: 'x' } };
  for (let i = 0; i < 100; i++)
    b.connector.receive(`peer ${i}`, JSON.stringify({ call: 'c', data: candidate }));
  await net.clock.run(1000);
  const signalled: unknown[] = [];
  const create = net.peers.create.bind(net.peers);
  net.peers.create = (isInitiator) => {
    const peer = create(isInitiator);
    peer.signal = (data) => signalled.push(data);
    return peer;
  };
  for (const i of [0, 99])
    b.connector.receive(`peer ${i}`, JSON.stringify({ call: 'c', data: { type: 'offer', sdp: 'x' } }));
  await net.clock.run(1000);
  assert.equal(signalled, [{ type: 'offer', sdp: 'x' }, { type: 'offer', sdp: 'x' }, candidate]);
});

answering('should not tell its owner anything once it is closed', async () => {
  const net = new Net();
  const [a, b, c] = [net.end('a'), net.end('b'), net.end('c')];
  a.connector.dial('b');
  await net.clock.run(1000);
  a.connector.dial('c');
  await net.clock.run(SIGNAL_MS / 2);
  a.connector.close();
  for (const peer of a.made) peer.destroy();
  await net.clock.run(60_000);
  assert.equal(a.events, ['open b dialled']);
  assert.equal([b.events, c.events.at(-1)], [['open a answered', 'free a'], 'failed a']);
  assert.is(net.clock.pendingTimers, 0);
});

answering.run();
