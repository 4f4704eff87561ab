import { once } from 'node:events';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { WebSocket } from 'ws';
import { SIGNALING_LIMITS } from '../../signaling/limits.ts';
import type { FromServer } from '../../signaling/messages.ts';
import {
  joinOf,
  memberKey,
  type OpenServer,
  RawClient,
  until,
  withServer,
} from '../tools/signaling-fixture.ts';

/** The flood comes from 127.0.0.1, as everybody does who says nothing else; others come from here. */
const ELSEWHERE = '127.0.0.2';

const { connectionsPerAddress } = SIGNALING_LIMITS;
const BEYOND = 60;

/** One of many, and all it was told. */
interface Flooder {
  socket: WebSocket;
  told: FromServer[];
}

/** Opens connections all at once; resolves with those that are taken, the status of each of the others, and how to end them. */
async function flood({ url }: OpenServer, count: number) {
  const sockets = Array.from({ length: count }, () => new WebSocket(url));
  const refusals: number[] = [];
  const taken: Flooder[] = [];
  await Promise.all(
    sockets.map(async (socket) => {
      const told: FromServer[] = [];
      socket.on('error', () => {});
      socket.on('message', (data) => told.push(JSON.parse(String(data))));
      const greeted = once(socket, 'message').then(() => taken.push({ socket, told }));
      const refused = once(socket, 'unexpected-response').then(([, { statusCode }]) =>
        refusals.push(statusCode),
      );
      await Promise.race([greeted, refused]);
    }),
  );
  return {
    taken,
    refusals,
    end: () => {
      for (const socket of sockets) socket.terminate();
    },
  };
}

/** Somebody from another address joins the room, meets who is there, and leaves. */
async function joinsElsewhere({ url }: OpenServer, member: number): Promise<void> {
  const client = await RawClient.openWith(url, joinOf(memberKey(member)), { localAddress: ELSEWHERE });
  await client.next('welcome');
  await client.settled();
  await client.close();
}

const floods = suite('a flood from one address');

floods(
  'should be refused beyond its share, whether or not what it took says anything, and keep nobody else out',
  withServer(async (server) => {
    const { taken, refusals, end } = await flood(server, connectionsPerAddress + BEYOND);
    assert.is(taken.length, connectionsPerAddress);
    assert.equal(new Set(refusals), new Set([429]));
    assert.is(refusals.length, BEYOND);
    await joinsElsewhere(server, 1);
    end();
  }),
);

floods(
  'should keep nobody else out with joins, right ones, wrong ones and far too many on one connection',
  withServer(async (server) => {
    const { signaling } = server;
    const { taken, end } = await flood(server, connectionsPerAddress);
    const ends = taken.map(({ socket }) => once(socket, 'close'));
    const stale = joinOf(memberKey(2))('A'.repeat(43));
    const wrong = joinOf(memberKey(2), undefined, 'x'.repeat(43));
    for (const [i, { socket, told }] of taken.entries()) {
      const [hello] = told;
      const join = i % 2 === 0 || hello?.type !== 'hello' ? stale : wrong(hello.nonce);
      for (let n = 0; n < 200; n++) socket.send(JSON.stringify(join));
    }
    const others = Array.from({ length: 20 }, (_, i) => joinsElsewhere(server, 100 + i));
    await Promise.all([...others, ...ends]);
    const last = taken.map(({ told }) => told.at(-1));
    const codes = new Set(last.map((message) => (message?.type === 'error' ? message.code : message?.type)));
    // Which of these comes first is a matter of who is quicker.
    codes.delete('PEER_FLOODING');
    assert.equal(
      [...codes].sort().filter((code) => code !== 'SIGNATURE_WRONG' && code !== 'TOKEN_WRONG'),
      [],
    );
    await until(() => signaling.counts().connections === 0);
    assert.is(signaling.counts().members, 0);
    end();
  }),
);

floods('should not use up a room’s joins, even where it has the whole link', () => {
  const { burstPerAddress, perSecPerAddress, joinBurstPerRoom, joinsPerSecPerRoom } = SIGNALING_LIMITS;
  assert.ok(burstPerAddress <= joinBurstPerRoom / 4);
  assert.ok(perSecPerAddress <= joinsPerSecPerRoom / 4);
});

floods.run();
