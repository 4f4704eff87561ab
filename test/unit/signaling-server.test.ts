import { once } from 'node:events';
import { connect } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { WebSocket } from 'ws';
import type { Admission } from '../../signaling/door.ts';
import { MAX_SIGNAL_CHARS, ORIGIN } from '../../signaling/messages.ts';
import type { SignalingOptions } from '../../signaling/server.ts';
import {
  joinOf,
  memberKey,
  type OpenServer,
  OTHER_ROOM,
  openSignaling,
  RawClient,
  ROOM,
} from '../tools/signaling-fixture.ts';

type Body = (server: OpenServer) => Promise<void>;

function withServer(body: Body, options: Partial<SignalingOptions> = {}): () => Promise<void> {
  return async () => {
    const server = await openSignaling(options);
    try {
      await body(server);
    } finally {
      await server.close();
    }
  };
}

/** Asserts that the server answers with this error and then ends the connection. */
async function refusedWith(client: RawClient, code: string): Promise<void> {
  const error = await client.next('error');
  assert.is(error.code, code);
  assert.ok(error.message.endsWith('.'));
  assert.is(await client.closed, 1008);
}

const joining = suite('joining');

joining(
  'should welcome a member with its id, its neighbours and the ICE servers',
  withServer(async ({ url }) => {
    const first = await RawClient.join(url, memberKey(1));
    const second = await RawClient.open(url);
    second.send(joinOf(memberKey(2)));
    const welcome = await second.next('welcome');
    assert.equal(welcome.members, [first.id]);
    assert.not.equal(welcome.id, first.id);
    assert.equal(welcome.iceServers, [{ urls: 'stun:stun.example.org' }]);
    assert.is(welcome.isOriginHere, false);
  }),
);

joining(
  'should make the id from the first 16 bytes of the SHA-256 of the key',
  withServer(async ({ url }) => {
    const { id } = await RawClient.join(url, Buffer.alloc(32).toString('base64url'));
    // SHA-256 of 32 zero bytes: 66687aadf862bd776c8fc18b8e9f8e20 089714856ee233b3902a591d0d5f2925.
    assert.is(Buffer.from(id, 'base64url').toString('hex'), '66687aadf862bd776c8fc18b8e9f8e20');
  }),
);

joining(
  'should tell nobody else, and a newcomer of eight at most, however many are there',
  withServer(async ({ url }) => {
    const members = [];
    for (let i = 0; i < 12; i++) members.push(await RawClient.join(url, memberKey(i)));
    const newcomer = await RawClient.open(url);
    newcomer.send(joinOf(memberKey(99)));
    const welcome = await newcomer.next('welcome');
    assert.is(new Set(welcome.members).size, 8);
    const ids = members.map(({ id }) => id);
    assert.ok(welcome.members.every((id) => ids.includes(id)));
    // The next thing each of them hears is the answer to its own question.
    for (const { client } of members) await client.settled();
  }),
);

joining(
  'should keep rooms apart',
  withServer(async ({ url }) => {
    const here = await RawClient.join(url, memberKey(1), ROOM);
    const there = await RawClient.open(url);
    there.send(joinOf(memberKey(2), OTHER_ROOM));
    assert.equal((await there.next('welcome')).members, []);
    there.send({ type: 'signal', to: here.id, data: 'hello' });
    assert.equal(await there.next('absent'), { type: 'absent', id: here.id });
    await here.client.settled();
  }),
);

joining(
  'should refuse an unknown room',
  withServer(async ({ url }) => {
    const client = await RawClient.open(url);
    client.send(joinOf(memberKey(1), 'c'.repeat(22)));
    await refusedWith(client, 'ROOM_UNKNOWN');
  }),
);

joining(
  'should refuse a wrong token',
  withServer(async ({ url, signaling }) => {
    const client = await RawClient.open(url);
    client.send(joinOf(memberKey(1), ROOM, 'W'.repeat(43)));
    await refusedWith(client, 'TOKEN_WRONG');
    assert.is(signaling.counts().members, 0);
  }),
);

joining(
  'should let the same key take its id over and end the older connection',
  withServer(async ({ url, signaling }) => {
    const older = await RawClient.join(url, memberKey(1));
    const newer = await RawClient.join(url, memberKey(1));
    assert.is(newer.id, older.id);
    await refusedWith(older.client, 'TAKEN_OVER');
    const other = await RawClient.join(url, memberKey(2));
    other.client.send({ type: 'signal', to: newer.id, data: 'hello' });
    assert.is((await newer.client.next('signal')).data, 'hello');
    assert.is(signaling.counts().members, 2);
  }),
);

joining(
  'should not name a member to itself when it comes back',
  withServer(async ({ url }) => {
    await RawClient.join(url, memberKey(1));
    const again = await RawClient.open(url);
    again.send(joinOf(memberKey(1)));
    assert.equal((await again.next('welcome')).members, []);
  }),
);

joining(
  'should forget who left',
  withServer(async ({ url, signaling }) => {
    const { client, id } = await RawClient.join(url, memberKey(1));
    const stays = await RawClient.join(url, memberKey(2), OTHER_ROOM);
    await client.close();
    const other = await RawClient.join(url, memberKey(3));
    other.client.send({ type: 'signal', to: id, data: 'hello' });
    await other.client.next('absent');
    await stays.client.close();
    await other.client.close();
    await RawClient.join(url, memberKey(4));
    const { members, rooms } = signaling.counts();
    assert.equal([members, rooms], [1, 1]);
  }),
);

joining(
  'should end a connection on which no join comes',
  withServer(
    async ({ url }) => {
      const client = await RawClient.open(url);
      await refusedWith(client, 'PEER_SILENT');
    },
    { joinWithinMs: 20 },
  ),
);

joining(
  'should say so where the door cannot tell, so that the client tries again',
  withServer(
    async ({ url }) => {
      const client = await RawClient.open(url);
      client.send(joinOf(memberKey(1)));
      await refusedWith(client, 'INTERNAL');
    },
    { door: { admit: () => Promise.reject(new Error('the seed server is away')) } },
  ),
);

joining.run();

const order = suite('the order of messages');

function slowDoor(): {
  door: SignalingOptions['door'];
  asked: Promise<void>;
  answer(value: Admission): void;
} {
  let answer: (value: Admission) => void = () => {};
  let tellAsked: () => void = () => {};
  const asked = new Promise<void>((resolve) => {
    tellAsked = resolve;
  });
  const admission = new Promise<Admission>((resolve) => {
    answer = resolve;
  });
  const admit = () => {
    tellAsked();
    return admission;
  };
  return { door: { admit }, asked, answer };
}

order('should hold what follows a join until it is admitted', async () => {
  const { door, asked, answer } = slowDoor();
  const server = await openSignaling({ door });
  try {
    const origin = await RawClient.serve(server.url);
    const client = await RawClient.open(server.url);
    client.send(joinOf(memberKey(1)));
    for (const data of ['one', 'two', 'three']) client.send({ type: 'signal', to: ORIGIN, data });
    await asked;
    assert.is(server.signaling.counts().members, 0);
    answer('ok');
    const { id } = await client.next('welcome');
    for (const data of ['one', 'two', 'three']) {
      assert.equal(await origin.next('signal'), { type: 'signal', from: id, data, room: ROOM });
    }
  } finally {
    await server.close();
  }
});

order('should pass nothing on for one who is not admitted', async () => {
  const { door, asked, answer } = slowDoor();
  const server = await openSignaling({ door });
  try {
    const origin = await RawClient.serve(server.url);
    const client = await RawClient.open(server.url);
    client.send(joinOf(memberKey(1)));
    client.send({ type: 'signal', to: ORIGIN, data: 'let me in' });
    await asked;
    answer('bad-token');
    await refusedWith(client, 'TOKEN_WRONG');
    origin.send({ type: 'signal', to: 'z'.repeat(22), data: '?', room: ROOM });
    await origin.next('absent');
  } finally {
    await server.close();
  }
});

order('should not put in the room who left while the door was thinking', async () => {
  const { door, asked, answer } = slowDoor();
  const server = await openSignaling({ door });
  try {
    const client = await RawClient.open(server.url);
    client.send(joinOf(memberKey(1)));
    await asked;
    await client.close();
    while (server.signaling.counts().connections > 0) await new Promise(setImmediate);
    answer('ok');
    const { id } = await RawClient.join(server.url, memberKey(2));
    assert.ok(id);
    assert.is(server.signaling.counts().members, 1);
  } finally {
    await server.close();
  }
});

order('should not let a connection that is gone take an id over from the one that replaced it', async () => {
  const { door, asked, answer } = slowDoor();
  let isFirst = true;
  const admit = async (room: string, token: string): Promise<Admission> => {
    if (!isFirst) return 'ok';
    isFirst = false;
    return await door.admit(room, token);
  };
  const server = await openSignaling({ door: { admit } });
  try {
    const gone = await RawClient.open(server.url);
    gone.send(joinOf(memberKey(1)));
    await asked;
    await gone.close();
    while (server.signaling.counts().connections > 0) await new Promise(setImmediate);
    const { client } = await RawClient.join(server.url, memberKey(1));
    answer('ok');
    await client.settled();
    assert.is(server.signaling.counts().members, 1);
  } finally {
    await server.close();
  }
});

order.run();

const passing = suite('passing signals on');

passing(
  'should deliver between members, unread',
  withServer(async ({ url }) => {
    const a = await RawClient.join(url, memberKey(1));
    const b = await RawClient.join(url, memberKey(2));
    const data = '"\\\u0000 ✓ '.padEnd(MAX_SIGNAL_CHARS, 'x');
    a.client.send({ type: 'signal', to: b.id, data });
    assert.equal(await b.client.next('signal'), { type: 'signal', from: a.id, data });
  }),
);

passing(
  'should name others on request, without those that are known',
  withServer(async ({ url }) => {
    const ids = [];
    for (let i = 0; i < 4; i++) ids.push((await RawClient.join(url, memberKey(i))).id);
    const asks = await RawClient.join(url, memberKey(9));
    const [known = '', ...others] = ids;
    asks.client.send({ type: 'more', known: [known] });
    assert.equal((await asks.client.next('members')).members.sort(), others.sort());
  }),
);

passing(
  'should slow a member down that floods',
  withServer(async ({ url }) => {
    const { client, id } = await RawClient.join(url, memberKey(1));
    for (let i = 0; i < 300; i++) client.send({ type: 'signal', to: id, data: 'x' });
    const heard = [];
    for (;;) {
      const message = await client.next('signal').catch(() => null);
      if (!message) break;
      heard.push(message);
    }
    assert.ok(heard.length < 300, `${heard.length} of 300 went through`);
    assert.is(await client.closed, 1008);
  }),
);

passing(
  'should drop a member that does not read, and nobody else',
  withServer(async ({ url }) => {
    const reads = await RawClient.join(url, memberKey(1));
    const stuck = await RawClient.join(url, memberKey(2));
    stuck.client.socket.pause();
    const origin = await RawClient.serve(url);
    const data = 'x'.repeat(MAX_SIGNAL_CHARS);
    // Beyond what the kernel's buffers of both ends hold.
    for (let i = 0; i < 700; i++) origin.send({ type: 'signal', to: stuck.id, data, room: ROOM });
    assert.is((await origin.next('absent')).id, stuck.id);
    await reads.client.next('originHere');
    await reads.client.settled();
  }),
);

passing.run();

const origin = suite('the origin');

origin(
  'should be in every room and hear of which',
  withServer(async ({ url }) => {
    const served = await RawClient.serve(url);
    for (const room of [ROOM, OTHER_ROOM]) {
      const client = await RawClient.open(url);
      client.send(joinOf(memberKey(1), room));
      const { id, isOriginHere, members } = await client.next('welcome');
      assert.is(isOriginHere, true);
      assert.equal(members, []);
      client.send({ type: 'signal', to: ORIGIN, data: 'offer' });
      assert.equal(await served.next('signal'), { type: 'signal', from: id, data: 'offer', room });
      served.send({ type: 'signal', to: id, data: 'answer', room });
      assert.equal(await client.next('signal'), { type: 'signal', from: ORIGIN, data: 'answer' });
    }
  }),
);

origin(
  'should learn whom it cannot reach, and in which room',
  withServer(async ({ url }) => {
    const served = await RawClient.serve(url);
    const { id } = await RawClient.join(url, memberKey(1), ROOM);
    served.send({ type: 'signal', to: id, data: 'answer', room: OTHER_ROOM });
    assert.equal(await served.next('absent'), { type: 'absent', id, room: OTHER_ROOM });
  }),
);

origin(
  'should be announced to every member when it comes back',
  withServer(async ({ url }) => {
    const first = await RawClient.serve(url);
    const a = await RawClient.join(url, memberKey(1), ROOM);
    const b = await RawClient.join(url, memberKey(2), OTHER_ROOM);
    await first.close();
    await RawClient.serve(url);
    await a.client.next('originHere');
    await b.client.next('originHere');
  }),
);

origin(
  'should be missed while it is away',
  withServer(async ({ url, signaling }) => {
    const served = await RawClient.serve(url);
    const { client } = await RawClient.join(url, memberKey(1));
    await served.close();
    while (signaling.counts().isOriginHere) await new Promise(setImmediate);
    client.send({ type: 'signal', to: ORIGIN, data: 'offer' });
    assert.equal(await client.next('absent'), { type: 'absent', id: ORIGIN });
  }),
);

origin(
  'should replace an older one of itself',
  withServer(async ({ url }) => {
    const older = await RawClient.serve(url);
    const newer = await RawClient.serve(url);
    await refusedWith(older, 'TAKEN_OVER');
    const { client, id } = await RawClient.join(url, memberKey(1));
    client.send({ type: 'signal', to: ORIGIN, data: 'offer' });
    assert.is((await newer.next('signal')).from, id);
  }),
);

origin(
  'should not be anybody without its key',
  withServer(async ({ url, signaling }) => {
    const client = await RawClient.open(url);
    client.send({ type: 'serve', key: 'x'.repeat(30) });
    await refusedWith(client, 'TOKEN_WRONG');
    assert.is(signaling.counts().isOriginHere, false);
  }),
);

origin(
  'should not be anybody where the server has no key',
  withServer(
    async ({ url }) => {
      const client = await RawClient.open(url);
      client.send({ type: 'serve', key: 'null'.repeat(4) });
      await refusedWith(client, 'TOKEN_WRONG');
    },
    { originKey: null },
  ),
);

origin(
  'should say in which room it signals',
  withServer(async ({ url }) => {
    const served = await RawClient.serve(url);
    const { id } = await RawClient.join(url, memberKey(1));
    served.send({ type: 'signal', to: id, data: 'answer' });
    await refusedWith(served, 'REQUEST_MALFORMED');
  }),
);

origin.run();

const malformed = suite('malformed messages');

const BAD_TEXTS: [string, string | Buffer][] = [
  ['no JSON', '{'],
  ['no object', '[]'],
  ['an unknown type', '{"type":"shout"}'],
  ['a field too many', JSON.stringify({ ...joinOf(memberKey(1)), name: 'x' })],
  ['a room id that is a path', JSON.stringify(joinOf(memberKey(1), '../../../../etc/passwd1'))],
  ['bytes', Buffer.from(JSON.stringify(joinOf(memberKey(1))))],
  ['a signal before the join', JSON.stringify({ type: 'signal', to: ORIGIN, data: 'x' })],
  ['a question before the join', JSON.stringify({ type: 'more', known: [] })],
];

for (const [what, text] of BAD_TEXTS) {
  malformed(
    `should refuse ${what}`,
    withServer(async ({ url }) => {
      const client = await RawClient.open(url);
      client.socket.send(text);
      await refusedWith(client, 'REQUEST_MALFORMED');
    }),
  );
}

malformed(
  'should refuse a second join',
  withServer(async ({ url, signaling }) => {
    const { client } = await RawClient.join(url, memberKey(1));
    client.send(joinOf(memberKey(2)));
    await refusedWith(client, 'REQUEST_MALFORMED');
    while (signaling.counts().connections > 0) await new Promise(setImmediate);
    assert.is(signaling.counts().members, 0);
  }),
);

malformed(
  'should refuse a signal that is too long',
  withServer(async ({ url }) => {
    const { client, id } = await RawClient.join(url, memberKey(1));
    client.send({ type: 'signal', to: id, data: 'x'.repeat(MAX_SIGNAL_CHARS + 1) });
    await refusedWith(client, 'REQUEST_MALFORMED');
  }),
);

malformed(
  'should cut a connection whose message is too big to be any',
  withServer(async ({ url }) => {
    const { client } = await RawClient.join(url, memberKey(1));
    client.socket.send('x'.repeat(64 * 1024));
    assert.is(await client.closed, 1009);
  }),
);

malformed.run();

const life = suite('the life of connections');

life(
  'should cut a connection that answers no ping',
  withServer(
    async ({ url, signaling }) => {
      const { client } = await RawClient.join(url, memberKey(1));
      client.socket.pause();
      while (signaling.counts().members > 0) await new Promise((resolve) => setTimeout(resolve, 5));
      client.socket.resume();
      assert.is(await client.closed, 1006);
    },
    { heartbeatMs: 25 },
  ),
);

life(
  'should keep a connection that answers',
  withServer(
    async ({ url }) => {
      const { client } = await RawClient.join(url, memberKey(1));
      for (let pings = 0; pings < 4; pings++) await once(client.socket, 'ping');
      await client.settled();
    },
    { heartbeatMs: 25 },
  ),
);

life(
  'should answer another path with 404',
  withServer(async ({ url }) => {
    const socket = new WebSocket(url.replace('/signal', '/elsewhere'));
    const [error] = (await once(socket, 'error')) as [Error];
    assert.match(error.message, '404');
  }),
);

life('should say goodbye when the server ends, and cut who does not listen', async () => {
  const server = await openSignaling();
  const listens = await RawClient.join(server.url, memberKey(1));
  const deaf = await RawClient.join(server.url, memberKey(2));
  deaf.client.socket.pause();
  await server.close();
  assert.is(await listens.client.closed, 1001);
  deaf.client.socket.terminate();
});

life(
  'should survive a client that breaks off in the middle of its first line',
  withServer(async ({ url, http }) => {
    const { port } = http.address() as { port: number };
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write('GET /signal HTTP/1.1\r\nUpgrade: websocket\r\n');
    socket.destroy();
    await RawClient.join(url, memberKey(1));
  }),
);

life.run();
