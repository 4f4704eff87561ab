import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { WebSocket as WsSocket } from 'ws';
import { systemClock } from '../../peer/clock.ts';
import {
  connectSignaling,
  reconnectDelayMs,
  type SignalingClient,
  type SignalingClientOptions,
  type SignalingState,
  type WebSocketLike,
} from '../../signaling/client.ts';
import { type FromServer, ORIGIN } from '../../signaling/messages.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';
import { joinOf, memberKey, openSignaling, RawClient, ROOM } from '../tools/signaling-fixture.ts';

/** Both kinds of socket must fit: this fails to compile where one does not. */
const openSocket = (url: string): WebSocketLike => new WsSocket(url);
export const openBrowserSocket = (url: string): WebSocketLike => new WebSocket(url);

/** The real clock, at fifty times its pace, so that no test waits for a backoff. */
const quickClock = {
  after: (delayMs: number, run: () => void) => systemClock.after(delayMs / 50, run),
};

/** A client and the log of what it was told: messages by their type, states in capitals. */
class Watched {
  readonly log: string[] = [];
  readonly messages: FromServer[] = [];
  readonly client: SignalingClient;
  #wake: () => void = () => {};

  constructor(url: string, options: Partial<SignalingClientOptions> = {}) {
    this.client = connectSignaling({
      url,
      openSocket,
      hello: joinOf(memberKey(1)),
      clock: quickClock,
      random: Math.random,
      on: (message) => {
        this.messages.push(message);
        this.#note(message.type);
      },
      onState: (state: SignalingState) => this.#note(state.toUpperCase()),
      ...options,
    });
  }

  /** Resolves once the log has `count` entries like this one. */
  async saw(entry: string, count = 1): Promise<void> {
    while (this.log.filter((seen) => seen === entry).length < count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #note(entry: string): void {
    this.log.push(entry);
    this.#wake();
  }
}

const connecting = suite('a signaling client');

connecting('should join and say so', async () => {
  const server = await openSignaling();
  const watched = new Watched(server.url);
  try {
    await watched.saw('CONNECTED');
    assert.equal(watched.log, ['CONNECTING', 'welcome', 'CONNECTED']);
  } finally {
    watched.client.close();
    await server.close();
  }
});

connecting('should send before the welcome, but not before the join', async () => {
  const server = await openSignaling();
  const origin = await RawClient.serve(server.url);
  const sent: boolean[] = [];
  const offer = () => sent.push(watched.client.send({ type: 'signal', to: ORIGIN, data: 'offer' }));
  const watched = new Watched(server.url, {
    openSocket: (url) => {
      const socket = new WsSocket(url);
      socket.addEventListener('open', offer);
      const send = socket.send.bind(socket);
      socket.send = (text: string) => {
        send(text);
        if (text.includes('"join"')) setImmediate(offer);
      };
      return socket;
    },
  });
  try {
    offer();
    assert.equal(sent, [false], 'no connection');
    const signal = await origin.next('signal');
    assert.is(signal.data, 'offer');
    assert.equal(sent, [false, false, true], 'connected, joining, joined');
  } finally {
    watched.client.close();
    await server.close();
  }
});

connecting('should come back when the server does', async () => {
  const server = await openSignaling();
  const port = Number(new URL(server.url).port);
  const watched = new Watched(server.url);
  try {
    await watched.saw('CONNECTED');
    await server.close();
    await watched.saw('RECONNECTING', 3);
    assert.is(watched.client.send({ type: 'more', known: [] }), false);
    const again = await openSignaling({}, port);
    try {
      await watched.saw('CONNECTED', 2);
      assert.is(watched.client.send({ type: 'more', known: [] }), true);
      await watched.saw('members');
    } finally {
      watched.client.close();
      await again.close();
    }
  } finally {
    watched.client.close();
  }
});

connecting('should dial again where no welcome comes', async () => {
  const sockets: Duplex[] = [];
  const silent = createServer().on('upgrade', (_request, socket) => sockets.push(socket));
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const watched = new Watched(`ws://127.0.0.1:${(silent.address() as AddressInfo).port}/signal`);
  try {
    await watched.saw('RECONNECTING', 3);
    assert.ok(sockets.length >= 2);
  } finally {
    watched.client.close();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => silent.close(resolve));
  }
});

connecting('should keep its id through a reconnect, and not mind the end of the old connection', async () => {
  const server = await openSignaling();
  const watched = new Watched(server.url);
  try {
    await watched.saw('CONNECTED');
    watched.client.reconnectNow();
    await watched.saw('CONNECTED', 2);
    const ids = watched.messages.map((message) => (message.type === 'welcome' ? message.id : message.type));
    assert.is(ids.length, 2);
    assert.is(ids[0], ids[1]);
    assert.not.ok(watched.log.includes('error'));
    assert.is(server.signaling.counts().members, 1);
  } finally {
    watched.client.close();
    await server.close();
  }
});

connecting(
  'should dial again where a question is not answered though the connection looks open',
  async () => {
    const server = await openSignaling();
    let isDead = false;
    const watched = new Watched(server.url, {
      openSocket: (url) => {
        const socket = new WsSocket(url);
        const send = socket.send.bind(socket);
        socket.send = (text: string) => (isDead ? undefined : send(text));
        return socket;
      },
    });
    try {
      await watched.saw('CONNECTED');
      watched.client.ask({ type: 'more', known: [] }, 60_000);
      await watched.saw('members');
      isDead = true;
      watched.client.ask({ type: 'more', known: [] }, 60_000);
      await watched.saw('RECONNECTING');
      isDead = false;
      await watched.saw('CONNECTED', 2);
      watched.client.ask({ type: 'more', known: [] }, 60_000);
      await watched.saw('members', 2);
      assert.is(watched.log.filter((entry) => entry === 'CONNECTED').length, 2);
    } finally {
      watched.client.close();
      await server.close();
    }
  },
);

connecting('should keep a connection on which anything is heard before the time is over', async () => {
  const clock = new VirtualClock();
  const sent: string[] = [];
  let say: (message: FromServer) => void = () => undefined;
  const sockets: WebSocketLike[] = [];
  const watched = new Watched('ws://nowhere', {
    clock,
    openSocket: () => {
      const socket: WebSocketLike = {
        readyState: 1,
        send: (text) => void sent.push(text),
        close: () => undefined,
        addEventListener: (type: string, listener: (event: { data: unknown }) => void) => {
          if (type === 'message') say = (message) => listener({ data: JSON.stringify(message) });
        },
      };
      sockets.push(socket);
      return socket;
    },
  });
  const ask = () => watched.client.ask({ type: 'more', known: [] }, 2000);
  ask();
  assert.equal(sent, [], 'the welcome has a time limit of its own');
  say({ type: 'hello', nonce: 'A'.repeat(43) });
  await clock.run(10);
  say({ type: 'welcome', id: 'm'.repeat(22), members: [], isOriginHere: false, iceServers: [] });
  ask();
  ask();
  assert.is(sent.length, 2, 'the join, and one question at once');
  await clock.run(1900);
  say({ type: 'originHere' });
  await clock.run(60_000);
  assert.is(sockets.length, 1);
  ask();
  await clock.run(2000 + 1000);
  assert.is(sockets.length, 2);
  watched.client.close();
  assert.is(clock.pendingTimers, 0);
});

connecting('should try again where the server cannot tell', async () => {
  let askedCount = 0;
  const door = {
    async admit() {
      askedCount += 1;
      if (askedCount === 1) throw new Error('the seed server is away');
      return 'ok' as const;
    },
    mayMeet: async () => true,
  };
  const server = await openSignaling({ door });
  const watched = new Watched(server.url);
  try {
    await watched.saw('CONNECTED');
    assert.equal(watched.log, [
      'CONNECTING',
      'error',
      'RECONNECTING',
      'RECONNECTING',
      'welcome',
      'CONNECTED',
    ]);
  } finally {
    watched.client.close();
    await server.close();
  }
});

const OTHER_NONCE = 'A'.repeat(43);
const REFUSALS: [string, string, SignalingClientOptions['hello']][] = [
  ['ROOM_UNKNOWN', 'join', joinOf(memberKey(1), 'c'.repeat(22))],
  ['TOKEN_WRONG', 'join', joinOf(memberKey(1), ROOM, 'W'.repeat(43))],
  ['TOKEN_WRONG', 'serve', { type: 'serve', key: 'not the key of the origin' }],
  ['SIGNATURE_WRONG', 'join', () => joinOf(memberKey(1))(OTHER_NONCE)],
  ['REQUEST_MALFORMED', 'join', (nonce) => ({ ...joinOf(memberKey(1))(nonce), publicKey: 'no key' })],
];

for (const [code, what, hello] of REFUSALS) {
  connecting(`should stay away after ${code} (${what})`, async () => {
    let dialCount = 0;
    const server = await openSignaling();
    const watched = new Watched(server.url, {
      hello,
      openSocket: (url) => {
        dialCount += 1;
        return openSocket(url);
      },
    });
    try {
      await watched.saw('REFUSED');
      const [message] = watched.messages;
      assert.ok(message?.type === 'error' && message.code === code);
      watched.client.reconnectNow();
      await RawClient.join(server.url, memberKey(7));
      assert.is(dialCount, 1);
      assert.equal(watched.log, ['CONNECTING', 'error', 'REFUSED']);
    } finally {
      watched.client.close();
      await server.close();
    }
  });
}

connecting('should give way where its key joins elsewhere, instead of fighting over the id', async () => {
  const server = await openSignaling();
  const watched = new Watched(server.url);
  try {
    await watched.saw('CONNECTED');
    const elsewhere = await RawClient.join(server.url, memberKey(1));
    await watched.saw('REFUSED');
    await elsewhere.client.settled();
  } finally {
    watched.client.close();
    await server.close();
  }
});

connecting('should say nothing more once it is closed', async () => {
  const server = await openSignaling();
  const watched = new Watched(server.url);
  try {
    await watched.saw('CONNECTED');
    const before = watched.log.length;
    watched.client.close();
    assert.is(watched.client.send({ type: 'more', known: [] }), false);
    watched.client.reconnectNow();
    while (server.signaling.counts().connections > 0) await new Promise(setImmediate);
    assert.is(watched.log.length, before);
  } finally {
    await server.close();
  }
});

connecting.run();

const backoff = suite('the wait before a reconnect');

backoff('should grow from half a second to at most fifteen, spread at random', () => {
  assert.equal(
    [0, 1, 2, 3].map((tries) => reconnectDelayMs(tries, 1)),
    [1000, 2000, 4000, 8000],
  );
  assert.equal(
    [4, 30, 5000].map((tries) => reconnectDelayMs(tries, 1)),
    [15_000, 15_000, 15_000],
  );
  assert.equal(
    [0, 5, 5000].map((tries) => reconnectDelayMs(tries, 0)),
    [500, 500, 500],
  );
});

backoff.run();
